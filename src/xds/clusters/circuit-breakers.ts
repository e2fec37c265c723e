// Limits of a cluster (Istio networking/core/cluster_traffic_policy.go): none but what a connection pool sets; 0 means no limit too.
import { type Cluster, ClusterSchema, create, RoutingPriority } from "../../envoy-api/index.ts";
import type { ConnectionPool } from "../../model/index.ts";

const NO_LIMIT = 4_294_967_295;

export function circuitBreakers(pool: ConnectionPool | undefined): Cluster["circuitBreakers"] {
  const limit = (value: number | undefined): number => (value === undefined || value === 0 ? NO_LIMIT : value);
  const threshold = {
    priority: RoutingPriority.DEFAULT,
    maxConnections: limit(pool?.tcp.maxConnections),
    maxPendingRequests: limit(pool?.http.http1MaxPendingRequests),
    maxRequests: limit(pool?.http.http2MaxRequests),
    maxRetries: limit(pool?.http.maxRetries),
  };
  return create(ClusterSchema, { circuitBreakers: { thresholds: [threshold] } }).circuitBreakers;
}
