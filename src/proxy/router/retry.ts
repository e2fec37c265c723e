// When a try is worth another one: Envoy's retry_on conditions, the back-off, and the hosts to keep away from.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter (x-envoy-retry-on)
import type { RetryPolicy } from "../config/index.ts";
import type { ResetReason } from "../observe/failure.ts";

const GRPC_CONDITIONS: Readonly<Record<string, string>> = {
  "1": "cancelled",
  "4": "deadline-exceeded",
  "8": "resource-exhausted",
  "13": "internal",
  "14": "unavailable",
};

export function retriesStatus(policy: RetryPolicy, status: number, grpcStatus: string | undefined): boolean {
  const on = policy.on;
  if (status >= 500 && on.has("5xx")) return true;
  if ((status === 502 || status === 503 || status === 504) && on.has("gateway-error")) return true;
  if (status === 409 && on.has("retriable-4xx")) return true;
  if (on.has("retriable-status-codes") && policy.retriableStatusCodes.has(status)) return true;
  if (grpcStatus === undefined) return false;
  const condition = GRPC_CONDITIONS[grpcStatus];
  return condition !== undefined && on.has(condition);
}

/** `sent`: some of the request had gone out on a connection. */
export function retriesReset(policy: RetryPolicy, reason: ResetReason | "per try timeout", sent: boolean): boolean {
  const on = policy.on;
  // The cluster is full: another try would make it worse.
  if (reason === "overflow") return false;
  if (on.has("5xx") || on.has("gateway-error") || on.has("reset")) return true;
  if (on.has("reset-before-request") && !sent) return true;
  if (on.has("connect-failure") && isConnectFailure(reason)) return true;
  return on.has("refused-stream") && reason === "remote refused stream reset";
}

function isConnectFailure(reason: ResetReason | "per try timeout"): boolean {
  return reason === "remote connection failure" || reason === "local connection failure" || reason === "connection timeout";
}

/** Full jitter over an exponential ceiling; `retry` counts from 1. */
export function backoffMs(policy: RetryPolicy, retry: number, random: () => number): number {
  const ceiling = Math.min(policy.backoffMaxMs, policy.backoffBaseMs * (2 ** Math.min(retry, 20) - 1));
  return random() * ceiling;
}
