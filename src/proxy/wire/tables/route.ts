// Fields of Envoy's messages: route configurations and virtual hosts. How to read it stands in ../fields.ts; the test there compares it with Envoy's API.
export const ROUTE = `
envoy.config.route.v3.RouteConfiguration
  + name=1:string virtual_hosts=2:envoy.config.route.v3.VirtualHost[] vhds=9:envoy.config.route.v3.Vhds internal_only_headers=3:string[]
  + response_headers_to_add=4:envoy.config.core.v3.HeaderValueOption[] response_headers_to_remove=5:string[]
  + request_headers_to_add=6:envoy.config.core.v3.HeaderValueOption[] request_headers_to_remove=8:string[]
  + most_specific_header_mutations_wins=10:bool ignore_port_in_host_matching=14:bool typed_per_filter_config=16:any{}
  + request_mirror_policies=13:envoy.config.route.v3.RouteAction.RequestMirrorPolicy[]
  ~ validate_clusters=7 max_direct_response_body_size_bytes=11 metadata=17
  ! cluster_specifier_plugins=12 ignore_path_parameters_in_path_matching=15
envoy.config.route.v3.Vhds
  + config_source=1:envoy.config.core.v3.ConfigSource
envoy.config.route.v3.VirtualHost
  + name=1:string domains=2:string[] routes=3:envoy.config.route.v3.Route[]
  + require_tls=4:enum:envoy.config.route.v3.VirtualHost.TlsRequirementType
  + request_headers_to_add=7:envoy.config.core.v3.HeaderValueOption[] request_headers_to_remove=13:string[]
  + response_headers_to_add=10:envoy.config.core.v3.HeaderValueOption[] response_headers_to_remove=11:string[]
  + include_request_attempt_count=14:bool include_attempt_count_in_response=19:bool retry_policy=16:envoy.config.route.v3.RetryPolicy
  + typed_per_filter_config=15:any{} request_mirror_policies=22:envoy.config.route.v3.RouteAction.RequestMirrorPolicy[]
  ~ virtual_clusters=5 per_request_buffer_limit_bytes=18 metadata=24
  ! matcher=21 rate_limits=6 cors=8 retry_policy_typed_config=20 hedge_policy=17
  ! include_is_timeout_retry_header=23
envoy.config.route.v3.Route
  + name=14:string match=1:envoy.config.route.v3.RouteMatch route=2:envoy.config.route.v3.RouteAction
  + redirect=3:envoy.config.route.v3.RedirectAction direct_response=7:envoy.config.route.v3.DirectResponseAction
  + decorator=5:envoy.config.route.v3.Decorator request_headers_to_add=9:envoy.config.core.v3.HeaderValueOption[]
  + request_headers_to_remove=12:string[] response_headers_to_add=10:envoy.config.core.v3.HeaderValueOption[]
  + response_headers_to_remove=11:string[] stat_prefix=19:string typed_per_filter_config=13:any{}
  ~ metadata=4 tracing=15 per_request_buffer_limit_bytes=16
  ! filter_action=17 non_forwarding_action=18
envoy.config.route.v3.Decorator
  + operation=1:string propagate=2:bool?
envoy.config.route.v3.RouteMatch
  + prefix=1:string path=2:string safe_regex=10:envoy.type.matcher.v3.RegexMatcher
  + connect_matcher=12:envoy.config.route.v3.RouteMatch.ConnectMatcher path_separated_prefix=14:string case_sensitive=4:bool?
  + runtime_fraction=9:envoy.config.core.v3.RuntimeFractionalPercent headers=6:envoy.config.route.v3.HeaderMatcher[]
  + query_parameters=7:envoy.config.route.v3.QueryParameterMatcher[] grpc=8:envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions
  ! path_match_policy=15 tls_context=11 dynamic_metadata=13
envoy.config.route.v3.RouteMatch.ConnectMatcher
envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions
envoy.config.route.v3.HeaderMatcher
  + name=1:string exact_match=4:string safe_regex_match=11:envoy.type.matcher.v3.RegexMatcher present_match=7:bool prefix_match=9:string
  + suffix_match=10:string contains_match=12:string string_match=13:envoy.type.matcher.v3.StringMatcher invert_match=8:bool
  + treat_missing_header_as_empty=14:bool
  ! range_match=6
envoy.config.route.v3.QueryParameterMatcher
  + name=1:string string_match=5:envoy.type.matcher.v3.StringMatcher present_match=6:bool
envoy.config.route.v3.RouteAction
  + cluster=1:string cluster_header=2:string weighted_clusters=3:envoy.config.route.v3.WeightedCluster
  + cluster_not_found_response_code=20:enum:envoy.config.route.v3.RouteAction.ClusterNotFoundResponseCode prefix_rewrite=5:string
  + regex_rewrite=32:envoy.type.matcher.v3.RegexMatchAndSubstitute host_rewrite_literal=6:string auto_host_rewrite=7:bool?
  + append_x_forwarded_host=38:bool timeout=8:duration idle_timeout=24:duration retry_policy=9:envoy.config.route.v3.RetryPolicy
  + priority=11:enum:envoy.config.core.v3.RoutingPriority max_grpc_timeout=23:duration
  + upgrade_configs=25:envoy.config.route.v3.RouteAction.UpgradeConfig[]
  + max_stream_duration=36:envoy.config.route.v3.RouteAction.MaxStreamDuration
  + hash_policy=15:envoy.config.route.v3.RouteAction.HashPolicy[]
  + request_mirror_policies=30:envoy.config.route.v3.RouteAction.RequestMirrorPolicy[]
  ~ early_data_policy=40 include_vh_rate_limits=14
  ! cluster_specifier_plugin=37 inline_cluster_specifier_plugin=39 metadata_match=4 path_rewrite_policy=41 host_rewrite_header=29
  ! host_rewrite_path_regex=35 retry_policy_typed_config=33 rate_limits=13 cors=17
  ! grpc_timeout_offset=28 internal_redirect_policy=34 internal_redirect_action=26 max_internal_redirects=31 hedge_policy=27
envoy.config.route.v3.RouteAction.HashPolicy
  + header=1:envoy.config.route.v3.RouteAction.HashPolicy.Header cookie=2:envoy.config.route.v3.RouteAction.HashPolicy.Cookie
  + connection_properties=3:envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties
  + query_parameter=5:envoy.config.route.v3.RouteAction.HashPolicy.QueryParameter terminal=4:bool
  ! filter_state=6
envoy.config.route.v3.RouteAction.HashPolicy.Header
  + header_name=1:string regex_rewrite=2:envoy.type.matcher.v3.RegexMatchAndSubstitute
envoy.config.route.v3.RouteAction.HashPolicy.Cookie
  + name=1:string ttl=2:duration path=3:string attributes=4:envoy.config.route.v3.RouteAction.HashPolicy.CookieAttribute[]
envoy.config.route.v3.RouteAction.HashPolicy.CookieAttribute
  + name=1:string value=2:string
envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties
  + source_ip=1:bool
envoy.config.route.v3.RouteAction.HashPolicy.QueryParameter
  + name=1:string
envoy.config.route.v3.RouteAction.RequestMirrorPolicy
  + cluster=1:string cluster_header=5:string runtime_fraction=3:envoy.config.core.v3.RuntimeFractionalPercent
  + disable_shadow_host_suffix_append=6:bool
  ~ trace_sampled=4
envoy.config.route.v3.RouteAction.UpgradeConfig
  + upgrade_type=1:string enabled=2:bool? connect_config=3:envoy.config.route.v3.RouteAction.UpgradeConfig.ConnectConfig
envoy.config.route.v3.RouteAction.UpgradeConfig.ConnectConfig
  + allow_post=2:bool
  ! proxy_protocol_config=1
envoy.config.route.v3.RouteAction.MaxStreamDuration
  + max_stream_duration=1:duration grpc_timeout_header_max=2:duration
  ! grpc_timeout_header_offset=3
envoy.config.route.v3.WeightedCluster
  + clusters=1:envoy.config.route.v3.WeightedCluster.ClusterWeight[] total_weight=3:uint32? header_name=4:string
  + use_hash_policy=5:bool?
  ~ runtime_key_prefix=2
envoy.config.route.v3.WeightedCluster.ClusterWeight
  + name=1:string weight=2:uint32? request_headers_to_add=4:envoy.config.core.v3.HeaderValueOption[]
  + request_headers_to_remove=9:string[] response_headers_to_add=5:envoy.config.core.v3.HeaderValueOption[]
  + response_headers_to_remove=6:string[] host_rewrite_literal=11:string
  ! cluster_header=12 metadata_match=3 typed_per_filter_config=10
envoy.config.route.v3.RetryPolicy
  + retry_on=1:string num_retries=2:uint32? per_try_timeout=3:duration per_try_idle_timeout=13:duration
  + retry_priority=4:envoy.config.route.v3.RetryPolicy.RetryPriority
  + retry_host_predicate=5:envoy.config.route.v3.RetryPolicy.RetryHostPredicate[] host_selection_retry_max_attempts=6:int64
  + retriable_status_codes=7:uint32[] retry_back_off=8:envoy.config.route.v3.RetryPolicy.RetryBackOff
  + retriable_headers=9:envoy.config.route.v3.HeaderMatcher[] retriable_request_headers=10:envoy.config.route.v3.HeaderMatcher[]
  ! retry_options_predicates=12 rate_limited_retry_back_off=11
envoy.config.route.v3.RetryPolicy.RetryBackOff
  + base_interval=1:duration max_interval=2:duration
envoy.config.route.v3.RetryPolicy.RetryHostPredicate
  + name=1:string typed_config=3:any
envoy.config.route.v3.RetryPolicy.RetryPriority
  + name=1:string typed_config=3:any
envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate
envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig
  + update_frequency=1:int32
envoy.config.route.v3.RedirectAction
  + https_redirect=4:bool scheme_redirect=7:string host_redirect=1:string port_redirect=8:uint32 path_redirect=2:string
  + prefix_rewrite=5:string regex_rewrite=9:envoy.type.matcher.v3.RegexMatchAndSubstitute
  + response_code=3:enum:envoy.config.route.v3.RedirectAction.RedirectResponseCode strip_query=6:bool
envoy.config.route.v3.DirectResponseAction
  + status=1:uint32 body=2:envoy.config.core.v3.DataSource
`;
