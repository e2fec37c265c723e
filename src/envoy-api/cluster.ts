// Envoy's cluster and endpoint messages: CDS, EDS and the extensions a cluster names.
export * from "./gen/envoy/config/cluster/v3/cluster_pb.js";
export * from "./gen/envoy/config/cluster/v3/circuit_breaker_pb.js";
export { type OutlierDetection, OutlierDetectionSchema } from "./gen/envoy/config/cluster/v3/outlier_detection_pb.js";
export * from "./gen/envoy/config/endpoint/v3/endpoint_pb.js";
export * from "./gen/envoy/config/endpoint/v3/endpoint_components_pb.js";
export {
  type HttpProtocolOptions as UpstreamHttpProtocolOptions,
  HttpProtocolOptionsSchema as UpstreamHttpProtocolOptionsSchema,
} from "./gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
export { type LeastRequest, LeastRequestSchema } from "./gen/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js";
export { type Random, RandomSchema } from "./gen/envoy/extensions/load_balancing_policies/random/v3/random_pb.js";
export { type RoundRobin, RoundRobinSchema } from "./gen/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js";
export {
  type ClusterConfig as DynamicForwardProxyCluster,
  ClusterConfigSchema as DynamicForwardProxyClusterSchema,
} from "./gen/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.js";
export { type DnsCacheConfig, DnsCacheConfigSchema } from "./gen/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache_pb.js";
export { type RawBuffer, RawBufferSchema } from "./gen/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js";
