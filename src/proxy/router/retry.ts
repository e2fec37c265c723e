// When a try is worth another one: Envoy's retry_on conditions, compiled, and the back-off.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter (x-envoy-retry-on, x-envoy-retry-grpc-on)
import type { RetryPolicy } from "../config/index.ts";
import type { AnswerHead, RequestHead } from "../http/message.ts";
import type { ResetReason } from "../observe/failure.ts";
import { matchesHeader } from "./match.ts";

const GRPC_CONDITIONS: readonly (readonly [status: string, condition: string])[] = [
  ["1", "cancelled"],
  ["4", "deadline-exceeded"],
  ["8", "resource-exhausted"],
  ["13", "internal"],
  ["14", "unavailable"],
];

/** A retry policy as it is asked: once per answer and per failure. `http3-post-connect-failure` is about a protocol that is not spoken here. */
export interface RetryRules {
  readonly policy: RetryPolicy;
  answer(head: AnswerHead): boolean;
  /** `sent`: some of the request had gone out on a connection. */
  reset(reason: ResetReason, sent: boolean): boolean;
}

/** undefined = nothing is ever tried again. */
export function compileRetry(policy: RetryPolicy | undefined): RetryRules | undefined {
  if (policy === undefined || policy.numRetries <= 0 || policy.on.size === 0) return undefined;
  return { policy, answer: compileAnswer(policy), reset: compileReset(policy) };
}

/** Conditions on the request itself: none, or one of them holds. */
export function mayRetry({ policy }: RetryRules, head: RequestHead): boolean {
  const { retriableRequestHeaders: matchers } = policy;
  return matchers.length === 0 || matchers.some((matcher) => matchesHeader(matcher, head));
}

function compileAnswer(policy: RetryPolicy): RetryRules["answer"] {
  const { on, retriableHeaders, retriableStatusCodes } = policy;
  const serverErrors = on.has("5xx");
  const gatewayErrors = on.has("gateway-error");
  const conflict = on.has("retriable-4xx");
  const rateLimited = on.has("envoy-ratelimited");
  const codes = on.has("retriable-status-codes") ? retriableStatusCodes : new Set<number>();
  const headers = on.has("retriable-headers") ? retriableHeaders : [];
  const grpc = new Set(GRPC_CONDITIONS.filter(([, condition]) => on.has(condition)).map(([status]) => status));

  function holds(head: AnswerHead): boolean {
    const { status } = head;
    if (serverErrors && status >= 500) return true;
    if (gatewayErrors && status >= 502 && status <= 504) return true;
    if (conflict && status === 409) return true;
    if (codes.has(status)) return true;
    if (headers.some((matcher) => matchesHeader(matcher, head))) return true;
    if (grpc.size === 0) return false;
    const grpcStatus = head.first("grpc-status");
    return grpcStatus !== undefined && grpc.has(grpcStatus);
  }

  // An answer that says it is rate limited is only tried again where that is asked for, whatever its status.
  if (rateLimited) return (head) => head.first("x-envoy-ratelimited") !== undefined || holds(head);
  return (head) => holds(head) && head.first("x-envoy-ratelimited") === undefined;
}

const CONNECT_FAILURES: ReadonlySet<ResetReason> = new Set(["remote connection failure", "local connection failure", "connection timeout"]);

function compileReset({ on }: RetryPolicy): RetryRules["reset"] {
  const any = on.has("5xx") || on.has("gateway-error") || on.has("reset");
  const before = on.has("reset-before-request");
  const connect = on.has("connect-failure");
  const refused = on.has("refused-stream");
  return (reason, sent) => {
    // The cluster is full: another try would make it worse.
    if (reason === "overflow") return false;
    if (any || (before && !sent)) return true;
    if (connect && CONNECT_FAILURES.has(reason)) return true;
    return refused && reason === "remote refused stream reset";
  };
}

/** Whole milliseconds, anywhere below a ceiling that doubles with each retry (`retry` counts from 1) up to the maximum. */
export function backoffMs(policy: RetryPolicy, retry: number, random: () => number): number {
  const ceiling = Math.min(policy.backoffMaxMs, policy.backoffBaseMs * 2 ** Math.min(retry - 1, 30));
  return Math.floor(random() * ceiling);
}
