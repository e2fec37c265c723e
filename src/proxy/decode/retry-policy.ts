// Envoy's RetryPolicy → what the router runs.
import {
  durationMs,
  PreviousPrioritiesConfigSchema,
  type RetryPolicy as Message,
  RetryPolicySchema,
  unpackAny,
} from "../../envoy-api/index.ts";
import type { RetryPolicy } from "../config/index.ts";
import { guard, refuse } from "./guard.ts";

const DEFAULT_BASE_MS = 25;

export function retryPolicyOf(message: Message, path: string): RetryPolicy {
  guard(RetryPolicySchema, message, {
    used: [
      "retry_on",
      "num_retries",
      "per_try_timeout",
      "retriable_status_codes",
      "retry_host_predicate",
      "host_selection_retry_max_attempts",
      "retry_back_off",
      "retry_priority",
    ],
    path,
  });
  const base = message.retryBackOff?.baseInterval === undefined ? DEFAULT_BASE_MS : durationMs(message.retryBackOff.baseInterval);
  for (const predicate of message.retryHostPredicate) {
    if (predicate.name !== "envoy.retry_host_predicates.previous_hosts")
      refuse(`${path}.retry_host_predicate`, `${predicate.name} is not supported yet`);
  }
  return {
    on: new Set(
      message.retryOn
        .split(",")
        .map((c) => c.trim())
        .filter((c) => c !== ""),
    ),
    numRetries: message.numRetries ?? 1,
    perTryTimeoutMs: message.perTryTimeout === undefined ? undefined : durationMs(message.perTryTimeout),
    perTryIdleTimeoutMs: undefined,
    retriableStatusCodes: new Set(message.retriableStatusCodes),
    avoidPreviousHosts: message.retryHostPredicate.length > 0,
    hostSelectionMaxAttempts: Number(message.hostSelectionRetryMaxAttempts) || 1,
    previousPriorities: priorityOf(message, path),
    backoffBaseMs: base,
    backoffMaxMs: message.retryBackOff?.maxInterval === undefined ? base * 10 : durationMs(message.retryBackOff.maxInterval),
  };
}

function priorityOf(message: Message, path: string): number | undefined {
  const priority = message.retryPriority;
  if (priority === undefined) return undefined;
  const config =
    priority.configType.case === "typedConfig" ? unpackAny(PreviousPrioritiesConfigSchema, priority.configType.value) : undefined;
  if (config === undefined) return refuse(`${path}.retry_priority`, `${priority.name} is not supported yet`);
  return config.updateFrequency;
}
