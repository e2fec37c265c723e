// Fields of Envoy's messages: the bootstrap file. How to read it stands in ../fields.ts; the test there compares it with Envoy's API.
export const BOOTSTRAP = `
envoy.config.bootstrap.v3.Bootstrap
  + node=1:envoy.config.core.v3.Node static_resources=2:envoy.config.bootstrap.v3.Bootstrap.StaticResources
  + dynamic_resources=3:envoy.config.bootstrap.v3.Bootstrap.DynamicResources layered_runtime=17:envoy.config.bootstrap.v3.LayeredRuntime
  + admin=12:envoy.config.bootstrap.v3.Admin overload_manager=15:envoy.config.overload.v3.OverloadManager
  + cluster_manager=4:envoy.config.bootstrap.v3.ClusterManager
  ~ deferred_stat_options=39 stats_config=13 stats_flush_interval=7 stats_flush_on_admin=29 watchdog=8 watchdogs=27
  ~ enable_dispatcher_stats=16 stats_server_version_override=19 typed_dns_resolver_config=31 fatal_actions=28 perf_tracing_file_path=33
  ~ application_log_config=38 grpc_async_client_manager_config=40 memory_allocator_manager=41
  ! node_context_params=26 hds_config=14 flags_path=5 stats_sinks=6 tracing=9 header_prefix=18
  ! use_tcp_for_dns_lookups=20 dns_resolution_config=30 bootstrap_extensions=21 config_sources=22 default_config_source=23
  ! default_socket_interface=24 certificate_provider_instances=25 inline_headers=32 default_regex_engine=34 xds_delegate_extension=35
  ! xds_config_tracker_extension=36 listener_manager=37
envoy.config.bootstrap.v3.ClusterManager
  + local_cluster_name=1:string
  ~ outlier_detection=2 upstream_bind_config=3 load_stats_config=4 enable_deferred_cluster_creation=5
envoy.config.bootstrap.v3.Bootstrap.StaticResources
  + listeners=1:envoy.config.listener.v3.Listener[] clusters=2:envoy.config.cluster.v3.Cluster[]
  + secrets=3:envoy.extensions.transport_sockets.tls.v3.Secret[]
envoy.config.bootstrap.v3.Bootstrap.DynamicResources
  + lds_config=1:envoy.config.core.v3.ConfigSource cds_config=2:envoy.config.core.v3.ConfigSource
  + ads_config=3:envoy.config.core.v3.ApiConfigSource
  ! lds_resources_locator=5 cds_resources_locator=6
envoy.config.bootstrap.v3.Admin
  + address=3:envoy.config.core.v3.Address
  ~ access_log=5 access_log_path=1 profile_path=2 socket_options=4 ignore_global_conn_limit=6
envoy.config.bootstrap.v3.LayeredRuntime
  + layers=1:envoy.config.bootstrap.v3.RuntimeLayer[]
envoy.config.bootstrap.v3.RuntimeLayer
  + name=1:string static_layer=2:struct admin_layer=4:envoy.config.bootstrap.v3.RuntimeLayer.AdminLayer
  ! disk_layer=3 rtds_layer=5
envoy.config.bootstrap.v3.RuntimeLayer.AdminLayer
envoy.config.core.v3.ApiConfigSource
  + api_type=1:enum:envoy.config.core.v3.ApiConfigSource.ApiType transport_api_version=8:enum:envoy.config.core.v3.ApiVersion
  + grpc_services=4:envoy.config.core.v3.GrpcService[]
  ~ refresh_delay=3 request_timeout=5 rate_limit_settings=6 set_node_on_first_message_only=7
  ! cluster_names=2 config_validators=9
envoy.config.core.v3.GrpcService
  + envoy_grpc=1:envoy.config.core.v3.GrpcService.EnvoyGrpc initial_metadata=5:envoy.config.core.v3.HeaderValue[]
  ~ timeout=3 retry_policy=6
  ! google_grpc=2
envoy.config.core.v3.GrpcService.EnvoyGrpc
  + cluster_name=1:string authority=2:string retry_policy=3:envoy.config.core.v3.RetryPolicy
  ~ max_receive_message_length=4 skip_envoy_headers=5
envoy.config.core.v3.RetryPolicy
  + retry_back_off=1:envoy.config.core.v3.BackoffStrategy
  ~ num_retries=2 retry_on=3 retry_priority=4 retry_host_predicate=5 host_selection_retry_max_attempts=6
envoy.config.core.v3.BackoffStrategy
  + base_interval=1:duration max_interval=2:duration
envoy.config.core.v3.Node
  + id=1:string cluster=2:string metadata=3:struct locality=4:envoy.config.core.v3.Locality user_agent_name=6:string
  + user_agent_version=7:string client_features=10:string[]
  ~ user_agent_build_version=8 extensions=9 listening_addresses=11
  ! dynamic_parameters=12
envoy.config.overload.v3.OverloadManager
  + refresh_interval=1:duration resource_monitors=2:envoy.config.overload.v3.ResourceMonitor[]
  + actions=3:envoy.config.overload.v3.OverloadAction[] loadshed_points=5:envoy.config.overload.v3.LoadShedPoint[]
  ! buffer_factory_config=4
envoy.config.overload.v3.ResourceMonitor
  + name=1:string typed_config=3:any
envoy.config.overload.v3.OverloadAction
  + name=1:string triggers=2:envoy.config.overload.v3.Trigger[]
  ! typed_config=3
envoy.config.overload.v3.LoadShedPoint
  + name=1:string triggers=2:envoy.config.overload.v3.Trigger[]
envoy.config.overload.v3.Trigger
  + name=1:string threshold=2:envoy.config.overload.v3.ThresholdTrigger scaled=3:envoy.config.overload.v3.ScaledTrigger
envoy.config.overload.v3.ThresholdTrigger
  + value=1:double
envoy.config.overload.v3.ScaledTrigger
  + scaling_threshold=1:double saturation_threshold=2:double
envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig
  + max_heap_size_bytes=1:uint64
envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig
  + max_active_downstream_connections=1:int64
`;
