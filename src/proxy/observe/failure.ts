// Why a request got an answer of our own: one union, and one function that says what that answer is.
// Texts, statuses, flags and details as Envoy's router and connection manager give them.
import { FLAG } from "./response-flags.ts";

export type ResetReason =
  | "connection termination"
  | "remote connection failure"
  | "local connection failure"
  | "connection timeout"
  | "protocol error"
  | "overflow"
  | "local reset"
  | "remote reset"
  | "remote refused stream reset"
  | "remote error with CONNECT request";

export type Failure =
  | { readonly kind: "route_not_found" }
  | { readonly kind: "cluster_not_found"; readonly status: number }
  /** `problem`: why the host that the request names could not be looked up. */
  | { readonly kind: "no_healthy_upstream"; readonly problem?: string }
  | { readonly kind: "maintenance" }
  /** `transport`: why the connection failed, where something below HTTP said so. */
  | { readonly kind: "reset"; readonly reason: ResetReason; readonly retried: boolean; readonly transport?: string }
  | { readonly kind: "upstream_timeout" }
  | { readonly kind: "per_try_timeout" }
  | { readonly kind: "per_try_idle_timeout" }
  | { readonly kind: "stream_idle_timeout"; readonly requestComplete: boolean }
  | { readonly kind: "max_duration"; readonly requestComplete: boolean }
  | { readonly kind: "request_timeout" }
  | { readonly kind: "codec"; readonly status: number; readonly details: string }
  | { readonly kind: "overload" }
  | { readonly kind: "missing_host" }
  | { readonly kind: "upgrade_refused" }
  | { readonly kind: "path_refused" }
  | { readonly kind: "no_path" }
  | { readonly kind: "no_filter_config" }
  | { readonly kind: "empty_host" | "dns_cache_overflow" | "dns_pending_overflow" }
  | { readonly kind: "dns_resolution_failure"; readonly problem: string }
  | { readonly kind: "fault_abort"; readonly httpStatus: number; readonly grpcStatus: number | undefined };

export interface FailureAnswer {
  readonly status: number;
  readonly body: string;
  readonly flags: number;
  readonly details: string;
  readonly headers: string;
  /** What a gRPC caller is told; undefined: what the status stands for. */
  readonly grpcStatus?: number | undefined;
  /** The connection cannot go on after it. */
  readonly close: boolean;
}

/** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const DEADLINE_EXCEEDED = 4;
const PREFIX = "upstream connect error or disconnect/reset before headers. ";

export function resetFlag(reason: ResetReason): number {
  return RESET[reason].flags;
}

const RESET: Readonly<Record<ResetReason, { status: number; flags: number }>> = {
  "connection termination": { status: 503, flags: FLAG.UC },
  "remote connection failure": { status: 503, flags: FLAG.UF },
  "local connection failure": { status: 503, flags: FLAG.UF },
  "connection timeout": { status: 503, flags: FLAG.UF },
  "protocol error": { status: 502, flags: FLAG.UPE },
  overflow: { status: 503, flags: FLAG.UO },
  "local reset": { status: 503, flags: FLAG.LR },
  "remote reset": { status: 503, flags: FLAG.UR },
  "remote refused stream reset": { status: 503, flags: FLAG.UR },
  "remote error with CONNECT request": { status: 503, flags: FLAG.UR },
};

function answer(status: number, body: string, flags: number, details: string): FailureAnswer {
  return { status, body, flags, details, headers: "", close: false };
}

export function answerTo(failure: Failure): FailureAnswer {
  switch (failure.kind) {
    case "route_not_found":
      return answer(404, "", FLAG.NR, "route_not_found");
    case "cluster_not_found":
      return answer(failure.status, "", FLAG.NC, "cluster_not_found");
    case "no_healthy_upstream":
      return answer(
        503,
        "no healthy upstream",
        FLAG.UH,
        failure.problem === undefined ? "no_healthy_upstream" : `dns_resolution_failure{${failure.problem}}`,
      );
    case "maintenance":
      return answer(503, "maintenance mode", FLAG.UO, "maintenance_mode");
    case "reset": {
      const reset = RESET[failure.reason];
      const body = `${PREFIX}${failure.retried ? "retried and the latest " : ""}reset reason: ${failure.reason}`;
      const why = failure.transport === undefined || failure.transport === "" ? failure.reason : `${failure.reason}|${failure.transport}`;
      return {
        ...answer(reset.status, body, reset.flags, `upstream_reset_before_response_started{${why.replaceAll(" ", "_")}}`),
        headers: failure.reason === "overflow" ? "x-envoy-overloaded: true\r\n" : "",
      };
    }
    case "upstream_timeout":
      return answer(504, "upstream request timeout", FLAG.UT, "response_timeout");
    case "per_try_timeout":
      return answer(504, "upstream request timeout", FLAG.UT, "upstream_per_try_timeout");
    case "per_try_idle_timeout":
      return answer(504, "upstream request timeout", FLAG.UT, "upstream_per_try_idle_timeout");
    case "stream_idle_timeout":
      return { ...answer(failure.requestComplete ? 504 : 408, "stream timeout", FLAG.SI, "stream_idle_timeout"), close: true };
    case "max_duration": {
      const { requestComplete: complete } = failure;
      const own = answer(complete ? 504 : 408, "downstream duration timeout", 0, "max_duration_timeout");
      return { ...own, grpcStatus: DEADLINE_EXCEEDED, close: !complete };
    }
    case "request_timeout":
      return { ...answer(408, "request timeout", 0, "request_overall_timeout"), close: true };
    case "codec":
      return { ...answer(failure.status, REASON[failure.status] ?? "", FLAG.DPE, failure.details), close: true };
    case "overload":
      // Envoy says nothing of when to come again.
      return { ...answer(503, "envoy overloaded", 0, "overload"), headers: "retry-after: 1\r\n" };
    case "missing_host":
      return { ...answer(400, "", 0, "missing_host_header"), close: true };
    case "upgrade_refused":
      return answer(403, "", 0, "upgrade_failed");
    case "path_refused":
      return { ...answer(400, "", 0, "path_normalization_failed"), close: true };
    case "no_path":
      return answer(404, "", 0, "absolute_path_rejected");
    case "no_filter_config":
      return answer(500, "", FLAG.NFCF, "no_filter_config_found");
    case "empty_host":
      return answer(400, "Empty host header", 0, "empty_host_header");
    case "dns_resolution_failure":
      return answer(503, "DNS resolution failure", FLAG.DF, `dns_resolution_failure{${failure.problem}}`);
    case "dns_cache_overflow":
      return answer(503, "DNS cache overflow", 0, "dns_cache_overflow");
    case "dns_pending_overflow":
      return answer(503, "Dynamic forward proxy pending request overflow", 0, "dynamic_forward_proxy_pending_request_overflow");
    case "fault_abort":
      return { ...answer(failure.httpStatus, "fault filter abort", FLAG.FI, "fault_filter_abort"), grpcStatus: failure.grpcStatus };
  }
}

export const REASON: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  102: "Processing",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  207: "Multi-Status",
  208: "Already Reported",
  226: "IM Used",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  305: "Use Proxy",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Payload Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  418: "I'm a teapot",
  421: "Misdirected Request",
  422: "Unprocessable Entity",
  423: "Locked",
  424: "Failed Dependency",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  506: "Variant Also Negotiates",
  507: "Insufficient Storage",
  508: "Loop Detected",
  510: "Not Extended",
  511: "Network Authentication Required",
};
