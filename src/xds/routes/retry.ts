// Retry policies (Istio networking/core/route/retry/retry.go).
import {
  create,
  type RetryPolicy,
  RetryPolicySchema,
  PreviousHostsPredicateSchema,
  PreviousPrioritiesConfigSchema,
  packAny,
  toDuration,
} from "../../envoy-api/index.ts";
import type { MeshSettings, Retries } from "../../model/index.ts";

const DEFAULT_ON = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";
const INBOUND_ON = "reset-before-request";
const DEFAULT_ATTEMPTS = 2;
const HOST_ATTEMPTS = 5n;
/** Istio: fallback to other priorities after so many tries. */
const PRIORITY_UPDATE_FREQUENCY = 2;

/** Numbers in retryOn are status codes. */
function splitConditions(retryOn: string): { on: string; codes: number[] } {
  const codes: number[] = [];
  const on: string[] = [];
  for (const part of retryOn.split(",").map((p) => p.trim())) {
    if (part === "") continue;
    if (/^\d{3}$/.test(part)) codes.push(Number(part));
    else on.push(part);
  }
  if (codes.length > 0 && !on.includes("retriable-status-codes")) on.push("retriable-status-codes");
  return { on: on.join(","), codes };
}

/** The next try goes to another endpoint where there is one. */
const OTHER_HOSTS = {
  retryHostPredicate: [
    {
      name: "envoy.retry_host_predicates.previous_hosts",
      configType: { case: "typedConfig" as const, value: packAny(PreviousHostsPredicateSchema, create(PreviousHostsPredicateSchema)) },
    },
  ],
};

const OTHER_PRIORITIES = {
  retryPriority: {
    name: "envoy.retry_priorities.previous_priorities",
    configType: {
      case: "typedConfig" as const,
      value: packAny(
        PreviousPrioritiesConfigSchema,
        create(PreviousPrioritiesConfigSchema, { updateFrequency: PRIORITY_UPDATE_FREQUENCY }),
      ),
    },
  },
};

export function defaultRetryPolicy(mesh: MeshSettings, hashed = false): RetryPolicy | undefined {
  if (mesh.defaultHttpRetryPolicy !== undefined) return retryPolicyOf(mesh.defaultHttpRetryPolicy, hashed);
  return create(RetryPolicySchema, {
    numRetries: DEFAULT_ATTEMPTS,
    retryOn: DEFAULT_ON,
    hostSelectionRetryMaxAttempts: HOST_ATTEMPTS,
    ...(hashed ? {} : OTHER_HOSTS),
  });
}

function retryPolicyOf(retries: Retries, hashed = false): RetryPolicy | undefined {
  if (retries.attempts <= 0) return undefined;
  const { on, codes } = splitConditions(retries.retryOn ?? DEFAULT_ON);
  return create(RetryPolicySchema, {
    numRetries: retries.attempts,
    hostSelectionRetryMaxAttempts: HOST_ATTEMPTS,
    retryOn: on,
    retriableStatusCodes: codes,
    // A key belongs to one endpoint: unless told otherwise, its retries go there again.
    ...((retries.retryIgnorePreviousHosts ?? !hashed) ? OTHER_HOSTS : {}),
    ...(retries.perTryTimeoutMs === undefined ? {} : { perTryTimeout: toDuration(retries.perTryTimeoutMs) }),
    ...(retries.backoffMs === undefined ? {} : { retryBackOff: { baseInterval: toDuration(retries.backoffMs) } }),
    ...(retries.retryRemoteLocalities ? OTHER_PRIORITIES : {}),
  });
}

/** The route's own policy, else the mesh's. `attempts: 0` means none. */
export function buildRetryPolicy(
  retries: Retries | undefined,
  mesh: MeshSettings,
  options: { readonly hashed: boolean } = { hashed: false },
): RetryPolicy | undefined {
  return retries === undefined ? defaultRetryPolicy(mesh, options.hashed) : retryPolicyOf(retries, options.hashed);
}

/** What reaches a proxy's own application is tried again when the connection broke before anything was sent; a stream cannot be. */
export function inboundRetryPolicy(mesh: MeshSettings, grpc: boolean): RetryPolicy | undefined {
  if (mesh.defaultInboundHttpRetryPolicy !== undefined) return retryPolicyOf(mesh.defaultInboundHttpRetryPolicy);
  return grpc ? undefined : create(RetryPolicySchema, { numRetries: DEFAULT_ATTEMPTS, retryOn: INBOUND_ON });
}
