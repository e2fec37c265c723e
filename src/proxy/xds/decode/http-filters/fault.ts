// Envoy's HTTPFault. https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/fault/v3/fault.proto
import type { FaultConfig } from "../../../http-filters/fault/fault-config.ts";
import type { Reader } from "../../../wire/reader.ts";
import { decodeFraction } from "../fraction.ts";
import { decodeHeaderMatcher } from "../route-match.ts";

export function decodeFault(reader: Reader): FaultConfig {
  const delay = reader.message("delay");
  const abort = reader.message("abort");
  return Object.freeze({
    delay: delay === undefined ? undefined : decodeDelay(delay),
    abort: abort === undefined ? undefined : decodeAbort(abort),
    upstreamCluster: reader.text("upstream_cluster"),
    headers: reader.messages("headers").map(decodeHeaderMatcher),
    downstreamNodes: new Set(reader.texts("downstream_nodes")),
    maxActive: reader.optionalNumber("max_active_faults"),
  });
}

function decodeDelay(reader: Reader): FaultConfig["delay"] {
  const share = decodeFraction(reader.message("percentage"));
  if (reader.has("header_delay")) return { share, fixedMs: undefined };
  const fixedMs = reader.optionalNumber("fixed_delay");
  if (fixedMs === undefined) return reader.refuse("", "has neither fixed_delay nor header_delay");
  return fixedMs > 0 ? { share, fixedMs } : reader.refuse("fixed_delay", "must be more than 0");
}

function decodeAbort(reader: Reader): FaultConfig["abort"] {
  const share = decodeFraction(reader.message("percentage"));
  if (reader.has("header_abort")) return { share, fixed: undefined };
  const grpcStatus = reader.optionalNumber("grpc_status");
  if (grpcStatus !== undefined) return { share, fixed: { httpStatus: 200, grpcStatus } };
  const httpStatus = reader.optionalNumber("http_status");
  if (httpStatus === undefined) return reader.refuse("", "has no status");
  if (httpStatus < 200 || httpStatus > 599) return reader.refuse("http_status", `${httpStatus} is not between 200 and 599`);
  return { share, fixed: { httpStatus, grpcStatus: undefined } };
}
