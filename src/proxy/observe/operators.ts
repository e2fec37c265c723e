// What each `%…%` operator says. Those that Envoy has and this proxy cannot answer are refused by name.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter
import { hostname } from "node:os";
import { err, ok, type Result } from "../../kit/index.ts";
import { addressOperator, withoutPort } from "./address-operators.ts";
import type { Operator } from "./format.ts";
import { grpcStatusText, type GrpcStatusStyle } from "./grpc-status.ts";
import { requestOperator } from "./request-operators.ts";
import { flagText, flagTextLong } from "./response-flags.ts";
import { compileTime } from "./time-format.ts";
import { certificateTime, TLS_OPERATORS } from "./tls-operators.ts";

function text(value: string): string | undefined {
  return value === "" ? undefined : value;
}

const whole = (value: number | undefined): number | undefined => (value === undefined ? undefined : Math.floor(value));

const HOSTNAME = hostname();
const none: Operator = () => undefined;

const PLAIN: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["PROTOCOL", (i) => text(i.protocol)],
  ["UPSTREAM_PROTOCOL", (i) => text(i.upstreamProtocol)],
  ["RESPONSE_CODE", (i) => i.status],
  ["RESPONSE_FLAGS", (i) => flagText(i)],
  ["RESPONSE_FLAGS_LONG", (i) => flagTextLong(i)],
  ["RESPONSE_CODE_DETAILS", (i) => text(i.details)],
  ["CONNECTION_TERMINATION_DETAILS", (i) => text(i.terminationDetails)],
  ["UPSTREAM_TRANSPORT_FAILURE_REASON", (i) => text(i.transportFailure)],
  ["BYTES_RECEIVED", (i) => i.bytesReceived],
  ["BYTES_SENT", (i) => i.bytesSent],
  // QUIC's.
  ["BYTES_RETRANSMITTED", () => 0],
  ["PACKETS_RETRANSMITTED", () => 0],
  ["ROUNDTRIP_DURATION", none],
  ["DURATION", (i) => Math.floor(i.durationMs())],
  ["REQUEST_DURATION", (i) => whole(i.requestEndMs)],
  ["REQUEST_TX_DURATION", (i) => whole(i.requestSentMs)],
  ["RESPONSE_DURATION", (i) => whole(i.responseStartMs)],
  ["RESPONSE_TX_DURATION", (i) => (i.responseStartMs === undefined ? undefined : Math.floor(i.durationMs() - i.responseStartMs))],
  ["UPSTREAM_HOST", (i) => text(i.upstreamHost)],
  ["UPSTREAM_HOST_NAME", (i) => text(i.upstreamHostname) ?? text(i.upstreamHost)],
  ["UPSTREAM_HOST_NAME_WITHOUT_PORT", (i) => text(withoutPort(i.upstreamHostname)) ?? text(withoutPort(i.upstreamHost))],
  ["UPSTREAM_CLUSTER", (i) => text(i.upstreamStatName)],
  ["UPSTREAM_CLUSTER_RAW", (i) => text(i.upstreamCluster)],
  ["UPSTREAM_REQUEST_ATTEMPT_COUNT", (i) => i.upstreamAttempts],
  ["ROUTE_NAME", (i) => text(i.routeName)],
  // No route here has virtual clusters.
  ["VIRTUAL_CLUSTER_NAME", none],
  ["GRPC_STATUS", grpcStatus("CAMEL_STRING")],
  ["GRPC_STATUS_NUMBER", grpcStatus("NUMBER")],
  ["FILTER_CHAIN_NAME", (i) => text(i.filterChainName)],
  ["CONNECTION_ID", (i) => i.connectionId],
  ["STREAM_ID", (i) => text(i.streamId)],
  ["UNIQUE_ID", () => crypto.randomUUID()],
  ["ACCESS_LOG_TYPE", (i) => i.logType],
  ["HOSTNAME", () => HOSTNAME],
  // Said only while an answer of the proxy's own is written, which no log is.
  ["LOCAL_REPLY_BODY", () => ""],
  // Nothing here sets any.
  ["CUSTOM_FLAGS", () => ""],
  // Nobody traces.
  ["TRACE_ID", none],
  ["SPAN_ID", none],
  ...Object.entries(TLS_OPERATORS),
]);

const GRPC_STYLES: ReadonlySet<string> = new Set<GrpcStatusStyle>(["CAMEL_STRING", "SNAKE_STRING", "NUMBER"]);

function grpcStatus(style: GrpcStatusStyle): Operator {
  return ({ grpcStatus: code }) => (code === undefined ? undefined : grpcStatusText(code, style));
}

/** What no filter of this proxy writes: known, and always empty. */
const UNWRITTEN: ReadonlySet<string> = new Set(["DYNAMIC_METADATA", "FILTER_STATE", "UPSTREAM_FILTER_STATE", "PER_REQUEST_STATE"]);

const TIMES: ReadonlyMap<string, { readonly zone: "utc" | "local"; readonly emitted: boolean }> = new Map([
  ["START_TIME", { zone: "utc", emitted: false }],
  ["START_TIME_LOCAL", { zone: "local", emitted: false }],
  ["EMIT_TIME", { zone: "utc", emitted: true }],
  ["EMIT_TIME_LOCAL", { zone: "local", emitted: true }],
]);

/** Fails on an operator that is not known, or not with that argument. */
export function compileOperator(name: string, argument: string | undefined): Result<Operator> {
  if (TIMES.has(name) || (argument !== undefined && certificateTime(name) !== undefined)) return timeOperator(name, argument ?? "");
  if (name === "COALESCE") return coalesce(argument ?? "");
  const found =
    (argument === undefined ? PLAIN.get(name) : withArgument(name, argument)) ??
    addressOperator(name, argument) ??
    requestOperator(name, argument);
  if (found !== undefined) return ok(found);
  return err(`operator %${name}${argument === undefined ? "" : `(${argument})`}% is not supported`);
}

function withArgument(name: string, argument: string): Operator | undefined {
  switch (name) {
    case "GRPC_STATUS":
      return GRPC_STYLES.has(argument) ? grpcStatus(argument as GrpcStatusStyle) : undefined;
    case "RESPONSE_CODE_DETAILS":
      return argument === "ALLOW_WHITESPACES" ? PLAIN.get(name) : undefined;
    case "ENVIRONMENT": {
      const value = process.env[argument] ?? "-";
      return () => value;
    }
    case "METADATA":
      return argument.startsWith("DYNAMIC:") ? none : undefined;
    default:
      return UNWRITTEN.has(name) ? none : undefined;
  }
}

function timeOperator(name: string, pattern: string): Result<Operator> {
  const { zone, emitted } = TIMES.get(name) ?? { zone: "utc", emitted: false };
  const format = compileTime(pattern, zone);
  if (!format.ok) return err(`operator %${name}%: ${format.error}`);
  const write = format.value;
  const timeOf = certificateTime(name);
  if (timeOf === undefined) return ok((i) => write(emitted ? i.startWallMs + i.durationMs() : i.startWallMs));
  return ok((i) => {
    const time = timeOf(i);
    return time === undefined ? undefined : write(time);
  });
}

/** The first of several operators that has something to say. */
function coalesce(argument: string): Result<Operator> {
  const problem = err('operator %COALESCE% takes {"operators": [...]}');
  let parsed: unknown;
  try {
    parsed = JSON.parse(argument);
  } catch {
    return problem;
  }
  const { operators } = (parsed ?? {}) as { readonly operators?: unknown };
  if (!Array.isArray(operators) || operators.length === 0) return problem;
  const compiled: Operator[] = [];
  for (const one of operators as unknown[]) {
    const {
      command,
      param,
      max_length: limit,
    } = (typeof one === "string" ? { command: one } : (one ?? {})) as Readonly<Record<string, unknown>>;
    if (typeof command !== "string" || (param !== undefined && typeof param !== "string")) return problem;
    if (limit !== undefined && (typeof limit !== "number" || limit <= 0)) return problem;
    const made = compileOperator(command, param);
    if (!made.ok) return made;
    compiled.push(limit === undefined ? made.value : limited(made.value, limit));
  }
  return ok((info) => {
    for (const one of compiled) {
      const value = one(info);
      if (value !== undefined && value !== "") return value;
    }
    return undefined;
  });
}

/** At most so many characters of a text. */
export function limited(inner: Operator, limit: number): Operator {
  return (info) => {
    const value = inner(info);
    return typeof value === "string" ? value.slice(0, limit) : value;
  };
}
