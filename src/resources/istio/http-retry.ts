// HTTPRetry (istio ValidateHTTPRetry; https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-retry-on).
import { STATUS_CODES } from "node:http";
import { duration, must } from "../checks/fields.ts";
import { joinPath } from "../field-path.ts";
import { bool, int32, obj, type ObjectSchema, str } from "../schema/schema.ts";
import { suggest } from "../schema/suggest.ts";

const POLICIES = [
  "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "envoy-ratelimited", "retriable-4xx", "refused-stream",
  "retriable-status-codes", "retriable-headers", "http3-post-connect-failure",
  "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
]; // prettier-ignore

function retryOnProblem(text: string): string | undefined {
  if (text === "") return undefined;
  for (const policy of text.split(",")) {
    if (POLICIES.includes(policy) || (/^\d+$/.test(policy) && STATUS_CODES[Number(policy)] !== undefined)) continue;
    const near = suggest(policy.trim(), POLICIES);
    return `${JSON.stringify(policy)} is no retry condition${near === undefined ? "" : `, did you mean ${near}?`}`;
  }
  return undefined;
}

interface RetrySpec {
  readonly attempts?: number;
  readonly perTryTimeout?: string;
  readonly retryOn?: string;
  readonly retryRemoteLocalities?: boolean;
}

export const retries: ObjectSchema = obj<RetrySpec>(
  {
    attempts: int32({ check: must((attempts: number) => (attempts < 0 ? `attempts is 0 or more, but this is ${attempts}` : undefined)) }),
    perTryTimeout: duration(),
    retryOn: str({ check: must(retryOnProblem, `Use status codes or ${POLICIES.join(", ")}, joined by commas without blanks.`) }),
    retryRemoteLocalities: bool(),
    retryIgnorePreviousHosts: bool(),
    backoff: duration(),
  },
  {
    check: (value, path, report) => {
      const configured = value.perTryTimeout !== undefined || (value.retryOn ?? "") !== "" || value.retryRemoteLocalities !== undefined;
      if ((value.attempts ?? 0) === 0 && configured) {
        report.error(
          joinPath(path, "attempts"),
          "retries are off (attempts is 0) but have other settings",
          "Set attempts, or keep `attempts: 0` alone.",
        );
      }
    },
  },
);
