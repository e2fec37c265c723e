// Fields of Envoy's messages: listeners, filter chains, network and HTTP filters, access logs. How to read it stands in ../fields.ts; the test there compares it with Envoy's API.
export const LISTENER = `
envoy.config.listener.v3.Listener
  + name=1:string address=2:envoy.config.core.v3.Address filter_chains=3:envoy.config.listener.v3.FilterChain[] use_original_dst=4:bool?
  + default_filter_chain=25:envoy.config.listener.v3.FilterChain per_connection_buffer_limit_bytes=5:uint32?
  + deprecated_v1=7:envoy.config.listener.v3.Listener.DeprecatedV1 listener_filters=9:envoy.config.listener.v3.ListenerFilter[]
  + listener_filters_timeout=15:duration continue_on_listener_filters_timeout=17:bool transparent=10:bool? freebind=11:bool?
  + traffic_direction=16:enum:envoy.config.core.v3.TrafficDirection access_log=22:envoy.config.accesslog.v3.AccessLog[]
  + bind_to_port=26:bool? ignore_global_conn_limit=31:bool bypass_overload_manager=35:bool
  ~ stat_prefix=28 metadata=6 drain_type=8 tcp_fast_open_queue_length=12 connection_balance_config=20 reuse_port=21 enable_reuse_port=29
  ~ tcp_backlog_size=24 max_connections_to_accept_per_socket_event=34
  ! additional_addresses=33 filter_chain_matcher=32 socket_options=13 udp_listener_config=18 api_listener=19 internal_listener=27
  ! enable_mptcp=30
envoy.config.listener.v3.Listener.DeprecatedV1
  + bind_to_port=1:bool?
envoy.config.listener.v3.FilterChain
  + filter_chain_match=1:envoy.config.listener.v3.FilterChainMatch filters=3:envoy.config.listener.v3.Filter[] use_proxy_proto=4:bool?
  + transport_socket=6:envoy.config.core.v3.TransportSocket name=7:string
  + transport_socket_connect_timeout=9:duration
  ~ metadata=5
  ! on_demand_configuration=8
envoy.config.listener.v3.FilterChainMatch
  + destination_port=8:uint32? prefix_ranges=3:envoy.config.core.v3.CidrRange[] source_prefix_ranges=6:envoy.config.core.v3.CidrRange[]
  + source_ports=7:uint32[] server_names=11:string[] transport_protocol=9:string application_protocols=10:string[]
  ! address_suffix=4 suffix_len=5 direct_source_prefix_ranges=13 source_type=12
envoy.config.listener.v3.Filter
  + name=1:string typed_config=4:any
  ! config_discovery=5
envoy.config.listener.v3.ListenerFilter
  + name=1:string typed_config=3:any filter_disabled=4:envoy.config.listener.v3.ListenerFilterChainMatchPredicate
  ! config_discovery=5
envoy.config.listener.v3.ListenerFilterChainMatchPredicate
  + or_match=1:envoy.config.listener.v3.ListenerFilterChainMatchPredicate.MatchSet
  + and_match=2:envoy.config.listener.v3.ListenerFilterChainMatchPredicate.MatchSet
  + not_match=3:envoy.config.listener.v3.ListenerFilterChainMatchPredicate any_match=4:bool
  + destination_port_range=5:envoy.type.v3.Int32Range
envoy.config.listener.v3.ListenerFilterChainMatchPredicate.MatchSet
  + rules=1:envoy.config.listener.v3.ListenerFilterChainMatchPredicate[]
envoy.type.v3.Int32Range
  + start=1:int32 end=2:int32
envoy.extensions.filters.listener.original_dst.v3.OriginalDst
envoy.extensions.filters.listener.http_inspector.v3.HttpInspector
envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector
  ~ enable_ja3_fingerprinting=1 initial_read_buffer_size=2
envoy.config.accesslog.v3.AccessLog
  + name=1:string filter=2:envoy.config.accesslog.v3.AccessLogFilter typed_config=4:any
envoy.config.accesslog.v3.AccessLogFilter
  + response_flag_filter=9:envoy.config.accesslog.v3.ResponseFlagFilter
  ! status_code_filter=1 duration_filter=2 not_health_check_filter=3 traceable_filter=4 runtime_filter=5 and_filter=6 or_filter=7
  ! header_filter=8 grpc_status_filter=10 extension_filter=11 metadata_filter=12 log_type_filter=13
envoy.config.accesslog.v3.ResponseFlagFilter
  + flags=1:string[]
envoy.extensions.access_loggers.file.v3.FileAccessLog
  + path=1:string format=2:string json_format=3:struct typed_json_format=4:struct
  + log_format=5:envoy.config.core.v3.SubstitutionFormatString
envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
  + log_format=1:envoy.config.core.v3.SubstitutionFormatString
envoy.extensions.access_loggers.stream.v3.StderrAccessLog
  + log_format=1:envoy.config.core.v3.SubstitutionFormatString
envoy.extensions.filters.network.direct_response.v3.Config
  + response=1:envoy.config.core.v3.DataSource
envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
  + stat_prefix=1:string cluster=2:string weighted_clusters=10:envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster
  + idle_timeout=8:duration access_log=5:envoy.config.accesslog.v3.AccessLog[] max_connect_attempts=7:uint32?
  + max_downstream_connection_duration=13:duration
  + tunneling_config=12:envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.TunnelingConfig
  + hash_policy=11:envoy.type.v3.HashPolicy[]
  ~ access_log_flush_interval=15 flush_access_log_on_connected=16 access_log_options=17
  ! on_demand=14 metadata_match=9 downstream_idle_timeout=3 upstream_idle_timeout=4
envoy.type.v3.HashPolicy
  + source_ip=1:envoy.type.v3.HashPolicy.SourceIp
  ! filter_state=2
envoy.type.v3.HashPolicy.SourceIp
envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.TunnelingConfig
  + hostname=1:string use_post=2:bool headers_to_add=3:envoy.config.core.v3.HeaderValueOption[] post_path=5:string
  ! propagate_response_headers=4 propagate_response_trailers=6
envoy.extensions.filters.network.sni_cluster.v3.SniCluster
envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster
  + clusters=1:envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight[]
envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight
  + name=1:string weight=2:uint32
  ! metadata_match=3
envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
  + codec_type=1:enum:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.CodecType stat_prefix=2:string
  + rds=3:envoy.extensions.filters.network.http_connection_manager.v3.Rds route_config=4:envoy.config.route.v3.RouteConfiguration
  + http_filters=5:envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter[]
  + common_http_protocol_options=35:envoy.config.core.v3.HttpProtocolOptions
  + http_protocol_options=8:envoy.config.core.v3.Http1ProtocolOptions server_name=10:string
  + server_header_transformation=34:enum:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ServerHeaderTransformation
  + scheme_header_transformation=48:envoy.config.core.v3.SchemeHeaderTransformation max_request_headers_kb=29:uint32?
  + stream_idle_timeout=24:duration request_timeout=28:duration request_headers_timeout=41:duration drain_timeout=12:duration
  + delayed_close_timeout=26:duration access_log=13:envoy.config.accesslog.v3.AccessLog[] use_remote_address=14:bool?
  + xff_num_trusted_hops=19:uint32
  + internal_address_config=25:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.InternalAddressConfig
  + skip_xff_append=21:bool via=22:string generate_request_id=15:bool? preserve_external_request_id=32:bool
  + always_set_request_id_in_response=37:bool
  + forward_client_cert_details=16:enum:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ForwardClientCertDetails
  + upgrade_configs=23:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig[]
  + normalize_path=30:bool? merge_slashes=33:bool
  + path_with_escaped_slashes_action=45:enum:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.PathWithEscapedSlashesAction
  + strip_matching_host_port=39:bool strip_any_host_port=42:bool strip_trailing_host_dot=47:bool append_x_forwarded_port=51:bool
  + tracing=7:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing
  ~ access_log_flush_interval=54 flush_access_log_on_new_request=55 access_log_options=56
  + set_current_client_cert_details=17:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails
  + http2_protocol_options=9:envoy.config.core.v3.Http2ProtocolOptions proxy_100_continue=18:bool
  ~ represent_ipv4_remote_address_as_ipv4_mapped_ipv6=20
  ~ request_id_extension=36 stream_error_on_invalid_http_message=40 add_proxy_protocol_connection_state=53
  ! scoped_routes=31 add_user_agent=6 http3_protocol_options=44 original_ip_detection_extensions=46 early_header_mutation_extensions=52
  ! local_reply_config=38 path_normalization_options=43 proxy_status_config=49 typed_header_validation_config=50
  ! append_local_overload=57
envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing
  ~ client_sampling=3 random_sampling=4 overall_sampling=5 verbose=6 max_path_tag_length=7 custom_tags=8
  ! provider=9 spawn_upstream_span=10
envoy.extensions.filters.network.http_connection_manager.v3.Rds
  + config_source=1:envoy.config.core.v3.ConfigSource route_config_name=2:string
envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter
  + name=1:string typed_config=4:any is_optional=6:bool disabled=7:bool config_discovery=5:envoy.config.core.v3.ExtensionConfigSource
envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig
  + upgrade_type=1:string enabled=3:bool?
  ! filters=2
envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails
  + subject=1:bool? cert=3:bool chain=6:bool dns=4:bool uri=5:bool
envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.InternalAddressConfig
  ! cidr_ranges=2 unix_sockets=1
envoy.config.core.v3.SchemeHeaderTransformation
  + scheme_to_overwrite=1:string
  ! match_upstream=2
envoy.extensions.filters.http.router.v3.Router
  + suppress_envoy_headers=4:bool
  ~ dynamic_stats=1 start_child_span=2 suppress_grpc_request_failure_code_stats=7
  ! upstream_log=3 upstream_log_options=9 strict_check_headers=5 respect_expected_rq_timeout=6 upstream_http_filters=8
`;
