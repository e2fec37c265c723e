// Type URLs of the HTTP filters, by which chains name them, and of what routes say to them where that is a type of its own.
const PREFIX = "type.googleapis.com/envoy.extensions.filters.http";

/** A filter whose config has not come. */
export const NO_FILTER_CONFIG = "";
export const DYNAMIC_FORWARD_PROXY_FILTER = `${PREFIX}.dynamic_forward_proxy.v3.FilterConfig`;
export const FAULT_FILTER = `${PREFIX}.fault.v3.HTTPFault`;
export const CORS_FILTER = `${PREFIX}.cors.v3.Cors`;
export const CORS_POLICY = `${PREFIX}.cors.v3.CorsPolicy`;
export const GRPC_STATS_FILTER = `${PREFIX}.grpc_stats.v3.FilterConfig`;
export const GRPC_WEB_FILTER = `${PREFIX}.grpc_web.v3.GrpcWeb`;
export const HEADER_MUTATION_FILTER = `${PREFIX}.header_mutation.v3.HeaderMutation`;
export const HEADER_MUTATION_ROUTE = `${PREFIX}.header_mutation.v3.HeaderMutationPerRoute`;
export const ROUTER_FILTER = `${PREFIX}.router.v3.Router`;
