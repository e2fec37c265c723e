// Limits of a cluster (Istio networking/core/cluster_traffic_policy.go): none but what a connection pool sets; 0 means no limit too.
import { type Cluster, ClusterSchema, create, RoutingPriority, toDuration } from "../../envoy-api/index.ts";
import type { ConnectionPool, RetryBudget } from "../../model/index.ts";

const NO_LIMIT = 4_294_967_295;
const DEFAULT_BUDGET = { percent: 0.2, minRetryConcurrency: 3 };

/** Istio's default is written as 20 % in its API, and sent as 0.2 %: the minimum is what counts. */
function budget({ percent, minRetryConcurrency, intervalMs }: RetryBudget): object {
  return {
    ...(intervalMs === undefined ? {} : { budgetInterval: toDuration(intervalMs) }),
    budgetPercent: { value: percent ?? DEFAULT_BUDGET.percent },
    minRetryConcurrency: minRetryConcurrency === 0 ? DEFAULT_BUDGET.minRetryConcurrency : minRetryConcurrency,
  };
}

export function circuitBreakers(pool: ConnectionPool | undefined, retryBudget?: RetryBudget): Cluster["circuitBreakers"] {
  const limit = (value: number | undefined): number => (value === undefined || value === 0 ? NO_LIMIT : value);
  const threshold = {
    priority: RoutingPriority.DEFAULT,
    maxConnections: limit(pool?.tcp.maxConnections),
    maxPendingRequests: limit(pool?.http.http1MaxPendingRequests),
    maxRequests: limit(pool?.http.http2MaxRequests),
    maxRetries: limit(pool?.http.maxRetries),
    ...(retryBudget === undefined ? {} : { retryBudget: budget(retryBudget) }),
  };
  return create(ClusterSchema, { circuitBreakers: { thresholds: [threshold] } } as never).circuitBreakers;
}
