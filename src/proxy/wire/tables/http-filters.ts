// Fields of Envoy's messages: HTTP filters besides the router, and what routes say to them. How to read it stands in ../fields.ts; the test there compares it with Envoy's API.
export const HTTP_FILTERS = `
envoy.config.route.v3.FilterConfig
  + config=1:any is_optional=2:bool disabled=3:bool
envoy.extensions.filters.http.fault.v3.HTTPFault
  + delay=1:envoy.extensions.filters.common.fault.v3.FaultDelay abort=2:envoy.extensions.filters.http.fault.v3.FaultAbort
  + upstream_cluster=3:string headers=4:envoy.config.route.v3.HeaderMatcher[] downstream_nodes=5:string[] max_active_faults=6:uint32?
  ~ delay_percent_runtime=8 abort_percent_runtime=9 delay_duration_runtime=10 abort_http_status_runtime=11 max_active_faults_runtime=12
  ~ response_rate_limit_percent_runtime=13 abort_grpc_status_runtime=14 disable_downstream_cluster_stats=15 filter_metadata=16
  ! response_rate_limit=7
envoy.extensions.filters.common.fault.v3.FaultDelay
  + fixed_delay=3:duration header_delay=5:envoy.extensions.filters.common.fault.v3.FaultDelay.HeaderDelay percentage=4:envoy.type.v3.FractionalPercent
envoy.extensions.filters.common.fault.v3.FaultDelay.HeaderDelay
envoy.extensions.filters.http.fault.v3.FaultAbort
  + http_status=2:uint32 grpc_status=5:uint32 header_abort=4:envoy.extensions.filters.http.fault.v3.FaultAbort.HeaderAbort
  + percentage=3:envoy.type.v3.FractionalPercent
envoy.extensions.filters.http.fault.v3.FaultAbort.HeaderAbort
envoy.extensions.filters.http.cors.v3.Cors
envoy.extensions.filters.http.cors.v3.CorsPolicy
  + allow_origin_string_match=1:envoy.type.matcher.v3.StringMatcher[] allow_methods=2:string allow_headers=3:string expose_headers=4:string
  + max_age=5:string allow_credentials=6:bool? filter_enabled=7:envoy.config.core.v3.RuntimeFractionalPercent
  + shadow_enabled=8:envoy.config.core.v3.RuntimeFractionalPercent allow_private_network_access=9:bool? forward_not_matching_preflights=10:bool?
envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
  + mutations=1:envoy.extensions.filters.http.header_mutation.v3.Mutations most_specific_header_mutations_wins=2:bool
envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute
  + mutations=1:envoy.extensions.filters.http.header_mutation.v3.Mutations
envoy.extensions.filters.http.header_mutation.v3.Mutations
  + request_mutations=1:envoy.config.common.mutation_rules.v3.HeaderMutation[]
  + response_mutations=2:envoy.config.common.mutation_rules.v3.HeaderMutation[]
envoy.config.common.mutation_rules.v3.HeaderMutation
  + remove=1:string append=2:envoy.config.core.v3.HeaderValueOption
envoy.extensions.filters.http.grpc_web.v3.GrpcWeb
envoy.extensions.filters.http.grpc_stats.v3.FilterConfig
  + individual_method_stats_allowlist=2:envoy.config.core.v3.GrpcMethodList stats_for_all_methods=3:bool? enable_upstream_stats=4:bool
  + replace_dots_in_grpc_service_name=5:bool
  ~ emit_filter_state=1
envoy.config.core.v3.GrpcMethodList
  + services=1:envoy.config.core.v3.GrpcMethodList.Service[]
envoy.config.core.v3.GrpcMethodList.Service
  + name=1:string method_names=2:string[]
`;
