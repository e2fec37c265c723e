// What of a cluster is in use, against Envoy's circuit breaker limits: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/circuit_breaking
import type { CircuitBreakers } from "../config/index.ts";

/** Requests of a retry budget's interval. */
export interface BudgetWindow {
  count(): number;
}

export interface Usage {
  connections: number;
  pending: number;
  requests: number;
  retries: number;
}

export function createUsage(): Usage {
  return { connections: 0, pending: 0, requests: 0, retries: 0 };
}

export function canConnect(usage: Usage, limits: CircuitBreakers): boolean {
  return usage.connections < limits.maxConnections;
}

export function canQueue(usage: Usage, limits: CircuitBreakers): boolean {
  return usage.pending < limits.maxPendingRequests;
}

export function canRequest(usage: Usage, limits: CircuitBreakers): boolean {
  return usage.requests < limits.maxRequests;
}

/** `window`: where the budget has an interval. */
export function canRetry(usage: Usage, limits: CircuitBreakers, window?: BudgetWindow): boolean {
  const { retryBudget } = limits;
  if (retryBudget === undefined) return usage.retries < limits.maxRetries;
  const requests = window === undefined ? usage.requests + usage.pending : window.count();
  return usage.retries < Math.max(Math.floor((retryBudget.percent / 100) * requests), retryBudget.minConcurrency);
}
