// Envoy's RetryPolicy with its defaults. https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-retry-on
import type { RetryPolicy } from "../../config/index.ts";
import { type Reader, readTyped } from "../../wire/reader.ts";
import { decodeHeaderMatcher } from "./route-match.ts";

const PREVIOUS_HOSTS = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";
const PREVIOUS_PRIORITIES = "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig";
const BASE_MS = 25;

export function decodeRetryPolicy(reader: Reader | undefined): RetryPolicy | undefined {
  if (reader === undefined) return undefined;
  const backOff = reader.message("retry_back_off");
  const base = backOff?.number("base_interval", BASE_MS) ?? BASE_MS;
  const predicates = reader.messages("retry_host_predicate");
  for (const predicate of predicates) {
    if (
      readTyped(predicate, "typed_config", PREVIOUS_HOSTS) === undefined &&
      predicate.text("name") !== "envoy.retry_host_predicates.previous_hosts"
    )
      predicate.refuse("name", `${predicate.text("name")} is not supported`);
  }
  const priority = reader.message("retry_priority");
  const conditions = reader.text("retry_on").split(",");
  return {
    on: new Set(conditions.map((one) => one.trim()).filter((one) => one !== "")),
    numRetries: reader.number("num_retries", 1),
    perTryTimeoutMs: reader.optionalNumber("per_try_timeout"),
    perTryIdleTimeoutMs: reader.optionalNumber("per_try_idle_timeout"),
    retriableStatusCodes: new Set(reader.numbers("retriable_status_codes")),
    retriableHeaders: reader.messages("retriable_headers").map(decodeHeaderMatcher),
    retriableRequestHeaders: reader.messages("retriable_request_headers").map(decodeHeaderMatcher),
    avoidPreviousHosts: predicates.length > 0,
    hostSelectionMaxAttempts: Math.max(1, reader.number("host_selection_retry_max_attempts", 1)),
    previousPriorities:
      priority === undefined ? undefined : (readTyped(priority, "typed_config", PREVIOUS_PRIORITIES)?.number("update_frequency", 1) ?? 1),
    backoffBaseMs: base,
    backoffMaxMs: backOff?.number("max_interval", base * 10) ?? base * 10,
  };
}
