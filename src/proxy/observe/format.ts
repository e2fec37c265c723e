// Envoy's `%…%` operators, compiled once to closures: access logs and header values share them.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
import { err, ok, type Result } from "../../kit/index.ts";
import { grpcStatusText, type GrpcStatusStyle } from "./grpc-status.ts";
import { flagText, flagTextLong } from "./response-flags.ts";
import type { StreamInfo } from "./stream-info.ts";
import { certificateTime, TLS_OPERATORS } from "./tls-operators.ts";

/** A string, a number, or undefined where there is nothing to say. */
export type Operator = (info: StreamInfo) => string | number | undefined;

export interface Format {
  /** The text, `missing` standing for what is not there. */
  render(info: StreamInfo, missing: string): string;
  /** The only operator when the format is nothing else: JSON logs keep its type. */
  readonly single: Operator | undefined;
}

function text(value: string): string | undefined {
  return value === "" ? undefined : value;
}

function hostOnly(address: string): string | undefined {
  const colon = address.lastIndexOf(":");
  return text(colon < 0 ? address : address.slice(0, colon));
}

function portOnly(address: string): string | undefined {
  const colon = address.lastIndexOf(":");
  return colon < 0 ? undefined : address.slice(colon + 1);
}

const GRPC_STYLES: ReadonlySet<string> = new Set<GrpcStatusStyle>(["CAMEL_STRING", "SNAKE_STRING", "NUMBER"]);

function grpcStatus(style: GrpcStatusStyle): Operator {
  return ({ grpcStatus: code }) => (code === undefined ? undefined : grpcStatusText(code, style));
}

const PLAIN: Readonly<Record<string, Operator>> = {
  PROTOCOL: (i) => text(i.protocol),
  RESPONSE_CODE: (i) => i.status,
  RESPONSE_FLAGS: (i) => flagText(i),
  RESPONSE_FLAGS_LONG: (i) => flagTextLong(i),
  RESPONSE_CODE_DETAILS: (i) => text(i.details),
  CONNECTION_TERMINATION_DETAILS: (i) => text(i.terminationDetails),
  UPSTREAM_TRANSPORT_FAILURE_REASON: (i) => text(i.transportFailure),
  BYTES_RECEIVED: (i) => i.bytesReceived,
  BYTES_SENT: (i) => i.bytesSent,
  DURATION: (i) => Math.floor(i.durationMs()),
  RESPONSE_DURATION: (i) => (i.responseStartMs === undefined ? undefined : Math.floor(i.responseStartMs)),
  UPSTREAM_HOST: (i) => text(i.upstreamHost),
  UPSTREAM_REMOTE_ADDRESS: (i) => text(i.upstreamHost),
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (i) => hostOnly(i.upstreamHost),
  UPSTREAM_REMOTE_PORT: (i) => portOnly(i.upstreamHost),
  UPSTREAM_CLUSTER: (i) => text(i.upstreamCluster),
  UPSTREAM_CLUSTER_RAW: (i) => text(i.upstreamCluster),
  UPSTREAM_LOCAL_ADDRESS: (i) => text(i.upstreamLocalAddress),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: (i) => i.upstreamAttempts,
  DOWNSTREAM_LOCAL_ADDRESS: (i) => text(i.downstreamLocalAddress),
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: (i) => hostOnly(i.downstreamLocalAddress),
  DOWNSTREAM_LOCAL_PORT: (i) => portOnly(i.downstreamLocalAddress),
  DOWNSTREAM_REMOTE_ADDRESS: (i) => text(i.clientAddress),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (i) => hostOnly(i.clientAddress),
  DOWNSTREAM_REMOTE_PORT: (i) => portOnly(i.clientAddress),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: (i) => text(i.downstreamRemoteAddress),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: (i) => hostOnly(i.downstreamRemoteAddress),
  REQUESTED_SERVER_NAME: (i) => text(i.requestedServerName),
  ROUTE_NAME: (i) => text(i.routeName),
  VIRTUAL_CLUSTER_NAME: () => undefined,
  GRPC_STATUS: grpcStatus("CAMEL_STRING"),
  GRPC_STATUS_NUMBER: grpcStatus("NUMBER"),
  FILTER_CHAIN_NAME: (i) => text(i.filterChainName),
  CONNECTION_ID: (i) => i.connectionId,
  START_TIME: (i) => new Date(i.startWallMs).toISOString(),
  ...TLS_OPERATORS,
};

/** START_TIME with strftime letters; %f and %3f are fractions of a second. */
function formattedTime(pattern: string, timeOf: (info: StreamInfo) => number | undefined): Operator {
  return (info) => {
    const time = timeOf(info);
    if (time === undefined) return undefined;
    const iso = new Date(time).toISOString();
    return pattern.replace(/%(\d?)([YmdHMSfsTF%])/g, (_, digits: string, letter: string) => {
      switch (letter) {
        case "Y":
          return iso.slice(0, 4);
        case "m":
          return iso.slice(5, 7);
        case "d":
          return iso.slice(8, 10);
        case "H":
          return iso.slice(11, 13);
        case "M":
          return iso.slice(14, 16);
        case "S":
          return iso.slice(17, 19);
        case "T":
          return iso.slice(11, 19);
        case "F":
          return iso.slice(0, 10);
        case "s":
          return String(Math.floor(time / 1000));
        case "f":
          return (iso.slice(20, 23) + "000000").slice(0, digits === "" ? 9 : Number(digits));
        default:
          return "%";
      }
    });
  };
}

type Lookup = (info: StreamInfo, name: string) => string | undefined;

/** `REQ(a?b)`: b where a is missing. */
function header(lookup: Lookup, argument: string): Operator {
  const [main = "", alternative] = argument.toLowerCase().split("?");
  if (alternative === undefined) return (info) => lookup(info, main);
  return (info) => lookup(info, main) ?? lookup(info, alternative);
}

const requestHeader: Lookup = (info, name) => info.requestHeader(name);
const responseHeader: Lookup = (info, name) => info.responseHeader(name);

function operator(name: string, argument: string | undefined): Operator | undefined {
  if (argument === undefined) return PLAIN[name];
  switch (name) {
    case "REQ":
    case "REQUEST_HEADER":
      return header(requestHeader, argument);
    case "RESP":
    case "RESPONSE_HEADER":
      return header(responseHeader, argument);
    case "TRAILER":
    case "RESPONSE_TRAILER":
      return header((info, name) => info.responseTrailer(name), argument);
    case "GRPC_STATUS":
      return GRPC_STYLES.has(argument) ? grpcStatus(argument as GrpcStatusStyle) : undefined;
    case "START_TIME":
      return formattedTime(argument, (info) => info.startWallMs);
    case "DYNAMIC_METADATA":
    case "CLUSTER_METADATA":
    case "UPSTREAM_METADATA":
    case "FILTER_STATE":
      // No filter of this release writes any: known, and always empty.
      return () => undefined;
    case "DURATION":
      return PLAIN["DURATION"];
    case "ENVIRONMENT":
      return () => undefined;
    default: {
      const timeOf = certificateTime(name);
      return timeOf === undefined ? undefined : formattedTime(argument, timeOf);
    }
  }
}

const OPERATOR = /%(?:%|([A-Z0-9_]+)(?:\(([^)]*)\))?(?::(\d+))?%)/y;

/** Compiles a format, or names the operator that is not known. */
export function compileFormat(source: string): Result<Format> {
  const parts: (string | Operator)[] = [];
  let literal = "";
  let at = 0;
  while (at < source.length) {
    const percent = source.indexOf("%", at);
    if (percent < 0) {
      literal += source.slice(at);
      break;
    }
    literal += source.slice(at, percent);
    OPERATOR.lastIndex = percent;
    const match = OPERATOR.exec(source);
    if (match === null) return err(`incomplete operator at "${source.slice(percent, percent + 40)}"`);
    at = OPERATOR.lastIndex;
    const [, name, argument, limit] = match;
    if (name === undefined) {
      literal += "%";
      continue;
    }
    const made = operator(name, argument);
    if (made === undefined) return err(`operator %${name}% is not supported`);
    if (literal !== "") parts.push(literal);
    literal = "";
    parts.push(limit === undefined ? made : limited(made, Number(limit)));
  }
  if (literal !== "") parts.push(literal);
  const only = parts.length === 1 ? parts[0] : undefined;
  return ok({ render: (info, missing) => render(parts, info, missing), single: typeof only === "function" ? only : undefined });
}

function limited(inner: Operator, limit: number): Operator {
  return (info) => {
    const value = inner(info);
    return typeof value === "string" ? value.slice(0, limit) : value;
  };
}

function render(parts: readonly (string | Operator)[], info: StreamInfo, missing: string): string {
  let out = "";
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string | Operator;
    if (typeof part === "string") out += part;
    else {
      const value = part(info);
      out += value === undefined ? missing : value;
    }
  }
  return out;
}
