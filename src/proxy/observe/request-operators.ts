// `%…%` operators that take an argument about the request: headers, path and query, and the name it was asked for by.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter
import type { Operator } from "./format.ts";
import type { StreamInfo } from "./stream-info.ts";

type Lookup = (info: StreamInfo, name: string) => string | undefined;

const LOOKUPS: ReadonlyMap<string, Lookup> = new Map<string, Lookup>([
  ["REQ", (info, name) => info.requestHeader(name)],
  ["REQUEST_HEADER", (info, name) => info.requestHeader(name)],
  ["REQ_WITHOUT_QUERY", (info, name) => withoutQuery(info.requestHeader(name))],
  ["RESP", (info, name) => info.responseHeader(name)],
  ["RESPONSE_HEADER", (info, name) => info.responseHeader(name)],
  ["TRAILER", (info, name) => info.responseTrailer(name)],
  ["RESPONSE_TRAILER", (info, name) => info.responseTrailer(name)],
]);

function withoutQuery(path: string | undefined): string | undefined {
  return path?.split("?")[0];
}

/** undefined = it is no such operator, or its argument is none. */
export function requestOperator(name: string, argument: string | undefined): Operator | undefined {
  const lookup = LOOKUPS.get(name);
  if (lookup !== undefined) return argument === undefined ? undefined : header(lookup, argument);
  switch (name) {
    case "PATH":
      return path(argument ?? "");
    case "QUERY_PARAM":
      return argument === undefined ? undefined : (info) => queryParameter(info.requestHeader(":path") ?? "", argument);
    case "QUERY_PARAMS":
      // Envoy 1.40 decodes nothing either way.
      return ["", "ORIG", "DECODED"].includes(argument ?? "") ? (info) => queryOf(info.requestHeader(":path") ?? "") : undefined;
    case "REQUESTED_SERVER_NAME":
      return serverName(argument ?? "");
    default:
      return undefined;
  }
}

/** `REQ(a?b)`: b where a is missing. */
function header(lookup: Lookup, argument: string): Operator | undefined {
  const [main = "", alternative, more] = argument.toLowerCase().split("?");
  if (main === "" || more !== undefined) return undefined;
  if (alternative === undefined || alternative === "") return (info) => lookup(info, main);
  return (info) => lookup(info, main) ?? lookup(info, alternative);
}

const originalPath = (info: StreamInfo): string | undefined => info.requestHeader("x-envoy-original-path");
const pathNow = (info: StreamInfo): string | undefined => info.requestHeader(":path");
const PATHS: ReadonlyMap<string, (info: StreamInfo) => string | undefined> = new Map([
  ["ORIG", originalPath],
  ["PATH", pathNow],
  ["ORIG_OR_PATH", (info) => originalPath(info) ?? pathNow(info)],
]);

function path(argument: string): Operator | undefined {
  const [query = "", source = "", more] = argument.split(":");
  const read = PATHS.get(source === "" ? "ORIG_OR_PATH" : source);
  if (read === undefined || more !== undefined) return undefined;
  if (query === "" || query === "WQ") return read;
  return query === "NQ" ? (info) => withoutQuery(read(info)) : undefined;
}

function queryOf(full: string): string | undefined {
  const question = full.indexOf("?");
  return question < 0 ? undefined : full.slice(question + 1);
}

/** The first of that name, percent-decoded. */
function queryParameter(full: string, name: string): string | undefined {
  for (const part of (queryOf(full) ?? "").split("&")) {
    const equals = part.indexOf("=");
    const key = equals < 0 ? part : part.slice(0, equals);
    if (part !== "" && decoded(key) === name) return equals < 0 ? "" : decoded(part.slice(equals + 1));
  }
  return undefined;
}

/** One char per byte. What is no escape stays. */
function decoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const originalHost = (info: StreamInfo): string | undefined => info.requestHeader("x-envoy-original-host");
const hostNow = (info: StreamInfo): string | undefined => info.requestHeader(":authority");
const HOSTS: ReadonlyMap<string, (info: StreamInfo) => string | undefined> = new Map([
  ["ORIG", originalHost],
  ["HOST", hostNow],
  ["ORIG_OR_HOST", (info) => originalHost(info) ?? hostNow(info)],
]);

function serverName(argument: string): Operator | undefined {
  const [preference = "", source = "", more] = argument.split(":");
  const host = HOSTS.get(source === "" ? "ORIG_OR_HOST" : source);
  if (host === undefined || more !== undefined) return undefined;
  const sni = (info: StreamInfo): string | undefined => (info.requestedServerName === "" ? undefined : info.requestedServerName);
  switch (preference) {
    case "":
    case "SNI_ONLY":
      return sni;
    case "SNI_FIRST":
      return (info) => sni(info) ?? host(info);
    case "HOST_FIRST":
      return (info) => host(info) ?? sni(info);
    default:
      return undefined;
  }
}
