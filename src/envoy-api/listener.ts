// Envoy's listener messages: listener, filter chains, listener filters, the network filters, access log.
export {
  type Listener,
  Listener_DrainType,
  ListenerSchema,
  type Listener_ConnectionBalanceConfig,
} from "./gen/envoy/config/listener/v3/listener_pb.js";
export {
  type Filter,
  FilterSchema,
  type FilterChain,
  FilterChainSchema,
  type FilterChainMatch,
  FilterChainMatch_ConnectionSourceType,
  FilterChainMatchSchema,
  type ListenerFilter,
  ListenerFilterSchema,
  type ListenerFilterChainMatchPredicate,
  ListenerFilterChainMatchPredicateSchema,
} from "./gen/envoy/config/listener/v3/listener_components_pb.js";
export {
  type AccessLog,
  AccessLogSchema,
  type AccessLogFilter,
  AccessLogFilterSchema,
  type ResponseFlagFilter,
  ResponseFlagFilterSchema,
} from "./gen/envoy/config/accesslog/v3/accesslog_pb.js";
export { type FileAccessLog, FileAccessLogSchema } from "./gen/envoy/extensions/access_loggers/file/v3/file_pb.js";
export {
  type StdoutAccessLog,
  StdoutAccessLogSchema,
  type StderrAccessLog,
  StderrAccessLogSchema,
} from "./gen/envoy/extensions/access_loggers/stream/v3/stream_pb.js";
export { type HttpInspector, HttpInspectorSchema } from "./gen/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
export { type OriginalDst, OriginalDstSchema } from "./gen/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js";
export { type ProxyProtocol, ProxyProtocolSchema } from "./gen/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js";
export { type TlsInspector, TlsInspectorSchema } from "./gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
export * from "./gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
export { type SniCluster, SniClusterSchema } from "./gen/envoy/extensions/filters/network/sni_cluster/v3/sni_cluster_pb.js";
export {
  type FilterConfig as SniDynamicForwardProxy,
  FilterConfigSchema as SniDynamicForwardProxySchema,
} from "./gen/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy_pb.js";
export * from "./gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
export { type Router, RouterSchema } from "./gen/envoy/extensions/filters/http/router/v3/router_pb.js";
export { type ReqWithoutQuery, ReqWithoutQuerySchema } from "./gen/envoy/extensions/formatter/req_without_query/v3/req_without_query_pb.js";
export {
  type PreserveCaseFormatterConfig,
  PreserveCaseFormatterConfigSchema,
} from "./gen/envoy/extensions/http/header_formatters/preserve_case/v3/preserve_case_pb.js";
