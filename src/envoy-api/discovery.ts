// The xDS transport (service.discovery.v3), the bootstrap file and the admin endpoint's config dump.
export * from "./gen/envoy/service/discovery/v3/discovery_pb.js";
export { AggregatedDiscoveryService } from "./gen/envoy/service/discovery/v3/ads_pb.js";
export * from "./gen/envoy/config/bootstrap/v3/bootstrap_pb.js";
export * from "./gen/envoy/admin/v3/config_dump_pb.js";
export * from "./gen/envoy/admin/v3/config_dump_shared_pb.js";
export { type Status as RpcStatus, StatusSchema as RpcStatusSchema } from "./gen/google/rpc/status_pb.js";
