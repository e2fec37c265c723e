// What a rule says to HTTP filters on its routes: faults and CORS (Istio networking/core/route/route.go TranslateFault, TranslateCORSPolicy).
import {
  type Any,
  type CorsRoutePolicy,
  CorsRoutePolicySchema,
  create,
  type FaultAbort,
  FaultAbortSchema,
  type HTTPFault,
  HTTPFaultSchema,
  packAny,
  toDuration,
} from "../../envoy-api/index.ts";
import type { CorsPolicy, HttpFault, HttpRoute } from "../../model/index.ts";
import { CORS_FILTER, FAULT_FILTER } from "../http-filters/names.ts";
import { fractionOf } from "./fraction.ts";
import { stringMatcher } from "./match.ts";

/** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const GRPC_STATUS: Readonly<Record<string, number>> = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};

function abortOf(abort: NonNullable<HttpFault["abort"]>): FaultAbort | undefined {
  const { httpStatus, grpcStatus } = abort;
  const percentage = fractionOf(abort.percentage);
  if (httpStatus !== undefined) return create(FaultAbortSchema, { errorType: { case: "httpStatus", value: httpStatus }, percentage });
  if (grpcStatus === undefined) return undefined;
  return create(FaultAbortSchema, { errorType: { case: "grpcStatus", value: GRPC_STATUS[grpcStatus] ?? 0 }, percentage });
}

/** undefined: nothing that Envoy's filter can do is asked for. */
export function buildFault(fault: HttpFault): HTTPFault | undefined {
  const { delay } = fault;
  const abort = fault.abort === undefined ? undefined : abortOf(fault.abort);
  if (delay === undefined && abort === undefined) return undefined;
  return create(HTTPFaultSchema, {
    ...(delay === undefined
      ? {}
      : {
          delay: {
            percentage: fractionOf(delay.percentage),
            faultDelaySecifier: { case: "fixedDelay" as const, value: toDuration(delay.fixedDelayMs) },
          },
        }),
    ...(abort === undefined ? {} : { abort }),
  });
}

export function buildCorsPolicy(policy: CorsPolicy): CorsRoutePolicy {
  return create(CorsRoutePolicySchema, {
    allowOriginStringMatch: policy.allowOrigins.filter((match) => match.kind !== "present").map(stringMatcher),
    allowMethods: policy.allowMethods.join(","),
    allowHeaders: policy.allowHeaders.join(","),
    exposeHeaders: policy.exposeHeaders.join(","),
    ...(policy.maxAgeMs === undefined ? {} : { maxAge: String(Math.trunc(policy.maxAgeMs / 1000)) }),
    ...(policy.allowCredentials === undefined ? {} : { allowCredentials: policy.allowCredentials }),
    filterEnabled: { defaultValue: fractionOf(100) },
    forwardNotMatchingPreflights: policy.unmatchedPreflights !== "IGNORE",
  });
}

/** Also on redirects and direct responses: faults strike there too. */
export function buildPerFilter(rule: HttpRoute): Record<string, Any> {
  const fault = rule.fault === undefined ? undefined : buildFault(rule.fault);
  return {
    ...(fault === undefined ? {} : { [FAULT_FILTER]: packAny(HTTPFaultSchema, fault) }),
    ...(rule.corsPolicy === undefined ? {} : { [CORS_FILTER]: packAny(CorsRoutePolicySchema, buildCorsPolicy(rule.corsPolicy)) }),
  };
}
