// Envoy's HTTP filters besides the router: their own messages and what routes say to them (typed_per_filter_config).
export {
  type Cors,
  CorsSchema,
  type CorsPolicy as CorsRoutePolicy,
  CorsPolicySchema as CorsRoutePolicySchema,
} from "./gen/envoy/extensions/filters/http/cors/v3/cors_pb.js";
export {
  type FilterConfig as DynamicForwardProxy,
  FilterConfigSchema as DynamicForwardProxySchema,
} from "./gen/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy_pb.js";
export { type FaultDelay, FaultDelaySchema } from "./gen/envoy/extensions/filters/common/fault/v3/fault_pb.js";
export {
  type FaultAbort,
  FaultAbortSchema,
  type HTTPFault,
  HTTPFaultSchema,
} from "./gen/envoy/extensions/filters/http/fault/v3/fault_pb.js";
export {
  type FilterConfig as GrpcStats,
  FilterConfigSchema as GrpcStatsSchema,
} from "./gen/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js";
export { type GrpcWeb, GrpcWebSchema } from "./gen/envoy/extensions/filters/http/grpc_web/v3/grpc_web_pb.js";
