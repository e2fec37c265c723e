// Fields of Envoy's messages: what the other topics build on. How to read it stands in ../fields.ts; the test there compares it with Envoy's API.
export const CORE = `
envoy.config.core.v3.Address
  + socket_address=1:envoy.config.core.v3.SocketAddress
  + pipe=2:envoy.config.core.v3.Pipe
  ! envoy_internal_address=3
envoy.config.core.v3.Pipe
  + path=1:string mode=2:uint32
envoy.config.core.v3.SocketAddress
  + protocol=1:enum:envoy.config.core.v3.SocketAddress.Protocol address=2:string port_value=3:uint32
  ~ ipv4_compat=6
  ! named_port=4 resolver_name=5
envoy.config.core.v3.CidrRange
  + address_prefix=1:string prefix_len=2:uint32?
envoy.config.core.v3.ConfigSource
  + ads=3:envoy.config.core.v3.AggregatedConfigSource self=5:envoy.config.core.v3.SelfConfigSource initial_fetch_timeout=4:duration
  + resource_api_version=6:enum:envoy.config.core.v3.ApiVersion api_config_source=2:envoy.config.core.v3.ApiConfigSource
  ! authorities=7 path=1 path_config_source=8
envoy.config.core.v3.AggregatedConfigSource
envoy.config.core.v3.SelfConfigSource
  ~ transport_api_version=1
envoy.config.core.v3.TypedExtensionConfig
  + name=1:string typed_config=2:any
envoy.config.core.v3.ExtensionConfigSource
  + config_source=1:envoy.config.core.v3.ConfigSource default_config=2:any apply_default_config_without_warming=3:bool type_urls=4:string[]
envoy.config.core.v3.TransportSocket
  + name=1:string typed_config=3:any
envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer
envoy.config.core.v3.Metadata
  + filter_metadata=1:struct{}
  ~ typed_filter_metadata=2
envoy.config.core.v3.UpstreamHttpProtocolOptions
  + auto_sni=1:bool auto_san_validation=2:bool override_auto_sni_header=3:string
envoy.config.core.v3.DataSource
  + filename=1:string inline_bytes=2:bytes inline_string=3:string
  ! environment_variable=4 watched_directory=5
envoy.config.core.v3.HeaderValue
  + key=1:string value=2:string raw_value=3:bytes
envoy.config.core.v3.HeaderValueOption
  + header=1:envoy.config.core.v3.HeaderValue append=2:bool?
  + append_action=3:enum:envoy.config.core.v3.HeaderValueOption.HeaderAppendAction keep_empty_value=4:bool
envoy.config.core.v3.RuntimeFractionalPercent
  + default_value=1:envoy.type.v3.FractionalPercent
  ~ runtime_key=2
envoy.type.v3.FractionalPercent
  + numerator=1:uint32 denominator=2:enum:envoy.type.v3.FractionalPercent.DenominatorType
envoy.config.core.v3.RuntimeDouble
  + default_value=1:double
  ~ runtime_key=2
envoy.type.v3.Percent
  + value=1:double
envoy.config.core.v3.Locality
  + region=1:string zone=2:string sub_zone=3:string
envoy.type.matcher.v3.RegexMatcher
  + regex=2:string
  ~ google_re2=1
envoy.type.matcher.v3.RegexMatchAndSubstitute
  + pattern=1:envoy.type.matcher.v3.RegexMatcher substitution=2:string
envoy.type.matcher.v3.StringMatcher
  + exact=1:string prefix=2:string suffix=3:string safe_regex=5:envoy.type.matcher.v3.RegexMatcher contains=7:string ignore_case=6:bool
  ! custom=8
envoy.config.core.v3.HttpProtocolOptions
  + idle_timeout=1:duration max_connection_duration=3:duration max_headers_count=2:uint32?
  + headers_with_underscores_action=5:enum:envoy.config.core.v3.HttpProtocolOptions.HeadersWithUnderscoresAction
  + max_requests_per_connection=6:uint32? max_stream_duration=4:duration
envoy.config.core.v3.Http1ProtocolOptions
  + allow_absolute_url=1:bool? accept_http_10=2:bool default_host_for_http_10=3:string enable_trailers=5:bool
  ~ override_stream_error_on_invalid_http_message=7 use_balsa_parser=9
  + header_key_format=4:envoy.config.core.v3.Http1ProtocolOptions.HeaderKeyFormat
  ! allow_chunked_length=6 send_fully_qualified_url=8 allow_custom_methods=10
envoy.config.core.v3.Http1ProtocolOptions.HeaderKeyFormat
  + stateful_formatter=8:envoy.config.core.v3.TypedExtensionConfig
  ! proper_case_words=1
envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig
  ~ forward_reason_phrase=1
  ! formatter_type_on_envoy_headers=2
envoy.config.core.v3.Http2ProtocolOptions
  + hpack_table_size=1:uint32? max_concurrent_streams=2:uint32? initial_stream_window_size=3:uint32?
  + initial_connection_window_size=4:uint32? allow_connect=5:bool allow_metadata=6:bool max_outbound_frames=7:uint32?
  + max_outbound_control_frames=8:uint32? max_consecutive_inbound_frames_with_empty_payload=9:uint32?
  + max_inbound_priority_frames_per_stream=10:uint32? max_inbound_window_update_frames_per_data_frame_sent=11:uint32?
  + connection_keepalive=15:envoy.config.core.v3.KeepaliveSettings
  ~ stream_error_on_invalid_http_messaging=12 override_stream_error_on_invalid_http_message=14 use_oghttp2_codec=16
  ! custom_settings_parameters=13
envoy.config.core.v3.KeepaliveSettings
  + interval=1:duration timeout=2:duration
  ~ interval_jitter=3
  ! connection_idle_interval=4
envoy.config.core.v3.SubstitutionFormatString
  + text_format=1:string json_format=2:struct text_format_source=5:envoy.config.core.v3.DataSource
  ~ content_type=4 json_format_options=7
  + omit_empty_values=3:bool formatters=6:envoy.config.core.v3.TypedExtensionConfig[]
envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery
`;
