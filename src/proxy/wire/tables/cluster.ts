// Fields of Envoy's messages: clusters and their endpoints. How to read it stands in ../fields.ts; the test there compares it with Envoy's API.
export const CLUSTER = `
envoy.config.cluster.v3.Cluster
  + name=1:string alt_stat_name=28:string type=2:enum:envoy.config.cluster.v3.Cluster.DiscoveryType
  + eds_cluster_config=3:envoy.config.cluster.v3.Cluster.EdsClusterConfig connect_timeout=4:duration
  + lb_policy=6:enum:envoy.config.cluster.v3.Cluster.LbPolicy load_assignment=33:envoy.config.endpoint.v3.ClusterLoadAssignment
  + max_requests_per_connection=9:uint32? circuit_breakers=10:envoy.config.cluster.v3.CircuitBreakers
  + common_http_protocol_options=29:envoy.config.core.v3.HttpProtocolOptions
  + http_protocol_options=13:envoy.config.core.v3.Http1ProtocolOptions
  + http2_protocol_options=14:envoy.config.core.v3.Http2ProtocolOptions typed_extension_protocol_options=36:any{}
  + upstream_bind_config=21:envoy.config.core.v3.BindConfig
  + least_request_lb_config=37:envoy.config.cluster.v3.Cluster.LeastRequestLbConfig
  + round_robin_lb_config=56:envoy.config.cluster.v3.Cluster.RoundRobinLbConfig
  + common_lb_config=27:envoy.config.cluster.v3.Cluster.CommonLbConfig transport_socket=24:envoy.config.core.v3.TransportSocket
  + protocol_selection=26:enum:envoy.config.cluster.v3.Cluster.ClusterProtocolSelection
  + upstream_connection_options=30:envoy.config.cluster.v3.UpstreamConnectionOptions
  + load_balancing_policy=41:envoy.config.cluster.v3.LoadBalancingPolicy
  + outlier_detection=19:envoy.config.cluster.v3.OutlierDetection ring_hash_lb_config=23:envoy.config.cluster.v3.Cluster.RingHashLbConfig
  + maglev_lb_config=52:envoy.config.cluster.v3.Cluster.MaglevLbConfig
  + original_dst_lb_config=34:envoy.config.cluster.v3.Cluster.OriginalDstLbConfig cleanup_interval=20:duration
  + dns_refresh_rate=16:duration dns_failure_refresh_rate=44:envoy.config.cluster.v3.Cluster.RefreshRate respect_dns_ttl=39:bool
  + dns_lookup_family=17:enum:envoy.config.cluster.v3.Cluster.DnsLookupFamily dns_jitter=58:duration
  + typed_dns_resolver_config=55:envoy.config.core.v3.TypedExtensionConfig wait_for_warm_on_init=54:bool?
  + cluster_type=38:envoy.config.cluster.v3.Cluster.CustomClusterType
  ~ per_connection_buffer_limit_bytes=5 metadata=25 close_connections_on_host_health_failure=31
  ~ ignore_health_on_host_removal=32 lrs_server=42 lrs_report_endpoint_metrics=57 track_timeout_budgets=47 track_cluster_stats=49
  ~ preconnect_policy=50
  + transport_socket_matches=43:envoy.config.cluster.v3.Cluster.TransportSocketMatch[]
  + upstream_http_protocol_options=46:envoy.config.core.v3.UpstreamHttpProtocolOptions
  ! health_checks=8 dns_resolvers=18
  ! use_tcp_for_dns_lookups=45 dns_resolution_config=53 lb_subset_config=22 filters=40 upstream_config=48 connection_pool_per_downstream_connection=51
envoy.config.cluster.v3.Cluster.RefreshRate
  + base_interval=1:duration max_interval=2:duration
envoy.config.cluster.v3.Cluster.CustomClusterType
  + name=1:string typed_config=2:any
envoy.extensions.clusters.dns.v3.DnsCluster
  + dns_refresh_rate=3:duration dns_failure_refresh_rate=4:envoy.extensions.clusters.dns.v3.DnsCluster.RefreshRate
  + respect_dns_ttl=5:bool dns_jitter=6:duration typed_dns_resolver_config=7:envoy.config.core.v3.TypedExtensionConfig
  + dns_lookup_family=8:enum:envoy.extensions.clusters.common.dns.v3.DnsLookupFamily all_addresses_in_single_endpoint=9:bool
  + dns_min_refresh_rate=10:duration
envoy.extensions.clusters.dns.v3.DnsCluster.RefreshRate
  + base_interval=1:duration max_interval=2:duration
envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig
  + dns_cache_config=1:envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig allow_insecure_cluster_options=2:bool
  ~ allow_coalesced_connections=3
  ! sub_clusters_config=4
envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig
  + name=1:string dns_lookup_family=2:enum:envoy.config.cluster.v3.Cluster.DnsLookupFamily dns_refresh_rate=3:duration
  + dns_min_refresh_rate=14:duration host_ttl=4:duration max_hosts=5:uint32? dns_query_timeout=11:duration
  + dns_failure_refresh_rate=6:envoy.config.cluster.v3.Cluster.RefreshRate
  + dns_cache_circuit_breaker=7:envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheCircuitBreakers
  + typed_dns_resolver_config=12:envoy.config.core.v3.TypedExtensionConfig
  + preresolve_hostnames=10:envoy.config.core.v3.SocketAddress[]
  ! use_tcp_for_dns_lookups=8 dns_resolution_config=9 key_value_config=13 disable_dns_refresh_on_failure=15 resolved_address_filter=16
envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheCircuitBreakers
  + max_pending_requests=1:uint32?
envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig
  + dns_cache_config=1:envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig port_value=2:uint32
  ~ save_upstream_address=3
envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig
  + dns_cache_config=1:envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig
  ~ save_upstream_address=2
  ! sub_cluster_config=3 allow_dynamic_host_from_filter_state=4
envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig
  + resolvers=1:envoy.config.core.v3.Address[]
  ~ dns_resolver_options=2 use_resolvers_as_fallback=3 filter_unroutable_families=4 udp_max_queries=5 query_timeout_seconds=6
  ~ query_tries=7 rotate_nameservers=8 edns0_max_payload_size=9 max_udp_channel_duration=10 reinit_channel_on_timeout=11 qcache_max_ttl=12
envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig
  ~ num_retries=1 num_resolver_threads=2
envoy.extensions.network.dns_resolver.apple.v3.AppleDnsResolverConfig
  ~ include_unroutable_families=1
envoy.config.cluster.v3.Cluster.TransportSocketMatch
  + name=1:string match=2:struct transport_socket=3:envoy.config.core.v3.TransportSocket
envoy.config.cluster.v3.Cluster.EdsClusterConfig
  + eds_config=1:envoy.config.core.v3.ConfigSource service_name=2:string
envoy.config.cluster.v3.Cluster.LeastRequestLbConfig
  + choice_count=1:uint32? active_request_bias=2:envoy.config.core.v3.RuntimeDouble
  + slow_start_config=3:envoy.config.cluster.v3.Cluster.SlowStartConfig
envoy.config.cluster.v3.Cluster.RoundRobinLbConfig
  + slow_start_config=1:envoy.config.cluster.v3.Cluster.SlowStartConfig
envoy.config.cluster.v3.Cluster.SlowStartConfig
  + slow_start_window=1:duration aggression=2:envoy.config.core.v3.RuntimeDouble min_weight_percent=3:envoy.type.v3.Percent
envoy.config.cluster.v3.Cluster.RingHashLbConfig
  + minimum_ring_size=1:uint64? maximum_ring_size=4:uint64?
  + hash_function=3:enum:envoy.config.cluster.v3.Cluster.RingHashLbConfig.HashFunction
envoy.config.cluster.v3.Cluster.MaglevLbConfig
  + table_size=1:uint64?
envoy.config.cluster.v3.Cluster.OriginalDstLbConfig
  + use_http_header=1:bool http_header_name=2:string upstream_port_override=3:uint32?
  ! metadata_key=4
envoy.config.cluster.v3.OutlierDetection
  + consecutive_5xx=1:uint32? interval=2:duration base_ejection_time=3:duration max_ejection_percent=4:uint32?
  + enforcing_consecutive_5xx=5:uint32? enforcing_success_rate=6:uint32? success_rate_minimum_hosts=7:uint32?
  + success_rate_request_volume=8:uint32? success_rate_stdev_factor=9:uint32? consecutive_gateway_failure=10:uint32?
  + enforcing_consecutive_gateway_failure=11:uint32? split_external_local_origin_errors=12:bool
  + consecutive_local_origin_failure=13:uint32? enforcing_consecutive_local_origin_failure=14:uint32?
  + enforcing_local_origin_success_rate=15:uint32? failure_percentage_threshold=16:uint32? enforcing_failure_percentage=17:uint32?
  + enforcing_failure_percentage_local_origin=18:uint32? failure_percentage_minimum_hosts=19:uint32?
  + failure_percentage_request_volume=20:uint32? max_ejection_time=21:duration max_ejection_time_jitter=22:duration
  + always_eject_one_host=25:bool?
  ~ successful_active_health_check_uneject_host=23
  ! monitors=24
envoy.config.cluster.v3.Cluster.CommonLbConfig
  + healthy_panic_threshold=1:envoy.type.v3.Percent
  + locality_weighted_lb_config=3:envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig
  + consistent_hashing_lb_config=7:envoy.config.cluster.v3.Cluster.CommonLbConfig.ConsistentHashingLbConfig
  + update_merge_window=4:duration
  ~ ignore_new_hosts_until_first_hc=5 close_connections_on_host_set_change=6 override_host_status=8
  + zone_aware_lb_config=2:envoy.config.cluster.v3.Cluster.CommonLbConfig.ZoneAwareLbConfig
envoy.config.cluster.v3.Cluster.CommonLbConfig.ZoneAwareLbConfig
  + routing_enabled=1:envoy.type.v3.Percent min_cluster_size=2:uint64? fail_traffic_on_panic=3:bool
envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig
envoy.config.cluster.v3.Cluster.CommonLbConfig.ConsistentHashingLbConfig
  + use_hostname_for_hashing=1:bool
  ! hash_balance_factor=2
envoy.config.cluster.v3.CircuitBreakers
  + thresholds=1:envoy.config.cluster.v3.CircuitBreakers.Thresholds[]
  ! per_host_thresholds=2
envoy.config.cluster.v3.CircuitBreakers.Thresholds
  + priority=1:enum:envoy.config.core.v3.RoutingPriority max_connections=2:uint32? max_pending_requests=3:uint32? max_requests=4:uint32?
  + max_retries=5:uint32?
  ~ track_remaining=6 max_connection_pools=7
  + retry_budget=8:envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget
envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget
  + budget_percent=1:envoy.type.v3.Percent min_retry_concurrency=2:uint32? budget_interval=3:duration
envoy.config.cluster.v3.LoadBalancingPolicy
  + policies=1:envoy.config.cluster.v3.LoadBalancingPolicy.Policy[]
envoy.config.cluster.v3.LoadBalancingPolicy.Policy
  + typed_extension_config=4:envoy.config.core.v3.TypedExtensionConfig
envoy.config.cluster.v3.UpstreamConnectionOptions
  + tcp_keepalive=1:envoy.config.core.v3.TcpKeepalive
  ~ set_local_interface_name_on_upstream_connections=2 happy_eyeballs_config=3
envoy.config.core.v3.TcpKeepalive
  + keepalive_time=2:uint32? keepalive_probes=1:uint32? keepalive_interval=3:uint32?
envoy.config.core.v3.BindConfig
  + source_address=1:envoy.config.core.v3.SocketAddress
  ~ freebind=2
  ! socket_options=3 extra_source_addresses=5 additional_source_addresses=4 local_address_selector=6
envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest
  + choice_count=1:uint32?
  + locality_lb_config=4:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig
  ~ active_request_bias=2 enable_full_scan=5
  ! slow_start_config=3 selection_method=6
envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin
  + locality_lb_config=2:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig
  ! slow_start_config=1
envoy.extensions.load_balancing_policies.random.v3.Random
  + locality_lb_config=1:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig
envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig
  + zone_aware_lb_config=1:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig
  + locality_weighted_lb_config=2:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.LocalityWeightedLbConfig
envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig
  + routing_enabled=1:envoy.type.v3.Percent min_cluster_size=2:uint64? fail_traffic_on_panic=3:bool
envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.LocalityWeightedLbConfig
envoy.extensions.upstreams.http.v3.HttpProtocolOptions
  + common_http_protocol_options=1:envoy.config.core.v3.HttpProtocolOptions
  + explicit_http_config=3:envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig
  + use_downstream_protocol_config=4:envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig
  + upstream_http_protocol_options=2:envoy.config.core.v3.UpstreamHttpProtocolOptions
  + outlier_detection=8:envoy.extensions.upstreams.http.v3.HttpProtocolOptions.OutlierDetection
  ! auto_config=5 http_filters=6 header_validation_config=7
envoy.extensions.upstreams.http.v3.HttpProtocolOptions.OutlierDetection
  + error_matcher=1:envoy.config.common.matcher.v3.MatchPredicate
envoy.config.common.matcher.v3.MatchPredicate
  + or_match=1:envoy.config.common.matcher.v3.MatchPredicate.MatchSet and_match=2:envoy.config.common.matcher.v3.MatchPredicate.MatchSet
  + not_match=3:envoy.config.common.matcher.v3.MatchPredicate any_match=4:bool
  + http_response_headers_match=7:envoy.config.common.matcher.v3.HttpHeadersMatch
  ! http_request_headers_match=5 http_request_trailers_match=6 http_response_trailers_match=8 http_request_generic_body_match=9
  ! http_response_generic_body_match=10
envoy.config.common.matcher.v3.MatchPredicate.MatchSet
  + rules=1:envoy.config.common.matcher.v3.MatchPredicate[]
envoy.config.common.matcher.v3.HttpHeadersMatch
  + headers=1:envoy.config.route.v3.HeaderMatcher[]
envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig
  + http_protocol_options=1:envoy.config.core.v3.Http1ProtocolOptions http2_protocol_options=2:envoy.config.core.v3.Http2ProtocolOptions
  ! http3_protocol_options=3
envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig
  + http_protocol_options=1:envoy.config.core.v3.Http1ProtocolOptions http2_protocol_options=2:envoy.config.core.v3.Http2ProtocolOptions
  ! http3_protocol_options=3
envoy.config.endpoint.v3.ClusterLoadAssignment
  + cluster_name=1:string endpoints=2:envoy.config.endpoint.v3.LocalityLbEndpoints[]
  + policy=4:envoy.config.endpoint.v3.ClusterLoadAssignment.Policy
  ! named_endpoints=5
envoy.config.endpoint.v3.ClusterLoadAssignment.Policy
  + overprovisioning_factor=3:uint32? weighted_priority_health=6:bool
  ~ endpoint_stale_after=4
  ! drop_overloads=2
envoy.config.endpoint.v3.LocalityLbEndpoints
  + locality=1:envoy.config.core.v3.Locality lb_endpoints=2:envoy.config.endpoint.v3.LbEndpoint[] priority=5:uint32
  + load_balancing_weight=3:uint32?
  ~ metadata=9 proximity=6
  ! load_balancer_endpoints=7 leds_cluster_locality_config=8
envoy.config.endpoint.v3.LbEndpoint
  + endpoint=1:envoy.config.endpoint.v3.Endpoint health_status=2:enum:envoy.config.core.v3.HealthStatus load_balancing_weight=4:uint32?
  + metadata=3:envoy.config.core.v3.Metadata
  ! endpoint_name=5
envoy.config.endpoint.v3.Endpoint
  + address=1:envoy.config.core.v3.Address hostname=3:string
  ! health_check_config=2 additional_addresses=4
`;
