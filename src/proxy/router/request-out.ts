// The request as it goes upstream, in either HTTP version: which lines stay behind, what the proxy adds, and the list where a rule edits headers.
import {
  H_CLIENT_CERT,
  H_CODING,
  H_CONNECTION,
  H_ENVOY,
  H_EXPECT,
  H_FORWARDED_FOR,
  H_FORWARDED_PROTO,
  H_HOP,
  H_REFERER,
  H_HOST,
  H_LENGTH,
  H_REQUEST_ID,
  H_TE,
  H_UPGRADE,
} from "../http/header-kinds.ts";
import type { HeaderList } from "../http/header-list.ts";
import { isSocketPath } from "../transport/socket-path.ts";
import { applyMutations, type CompiledMutations } from "./header-mutation.ts";
import type { Exchange } from "./exchange.ts";

export interface RequestPlan {
  readonly mutations: readonly CompiledMutations[];
  /** `x-envoy-decorator-operation`, undefined = none. */
  readonly decorator: string | undefined;
  /** The same as a line of HTTP/1, "" = none. */
  readonly decoratorLine: string;
  readonly includeAttemptCount: boolean;
  /** The upstream is told what path and host were before a rewrite. */
  readonly tellsOriginals: boolean;
  /** Rewrites the path; undefined = it stays. */
  readonly rewritePath: ((path: string) => string) | undefined;
  readonly appendXForwardedHost: boolean;
  /** The chosen cluster's own Host, which nobody is told of; the route's comes on top of it. */
  readonly clusterHost: string | undefined;
}

/** Does this line stay behind? Everything that the proxy writes itself, and what only concerns the caller's connection. */
export function isRequestLineCut(exchange: Exchange, plan: RequestPlan, kind: number, line: number): boolean {
  const { head } = exchange;
  switch (kind) {
    case H_HOP:
    case H_CONNECTION:
    case H_UPGRADE:
      return true;
    case H_TE:
      return !head.trailersWanted;
    case H_REQUEST_ID:
    case H_FORWARDED_FOR:
    case H_FORWARDED_PROTO:
    case H_CLIENT_CERT:
      return true;
    case H_REFERER:
      return head.badReferer;
    case H_HOST:
      return !head.pristine;
    case H_EXPECT:
      return head.expect && !exchange.config.proxy100Continue;
    case H_ENVOY: {
      const name = head.nameAt(line);
      if (head.forged.has(name)) return true;
      if (name === "x-envoy-attempt-count") return plan.includeAttemptCount;
      if (name === "x-envoy-decorator-operation") return plan.decorator !== undefined || exchange.config.tracing === "ingress";
      if (name === "x-envoy-original-path") return exchange.originalPath !== undefined;
      return false;
    }
    default:
      return false;
  }
}

/** The names and values that the proxy itself says, in front of the attempt count. */
export function addedHeaders(exchange: Exchange, plan: RequestPlan, add: (name: string, value: string) => void): void {
  const { head, config } = exchange;
  if (head.requestId !== "") add("x-request-id", head.requestId);
  if (head.forwardedFor !== "") add("x-forwarded-for", head.forwardedFor);
  if (head.forwardedProto !== "") add("x-forwarded-proto", head.forwardedProto);
  if (head.clientCert !== "") add("x-forwarded-client-cert", head.clientCert);
  if (exchange.edge && !isSocketPath(exchange.clientIp)) add("x-envoy-external-address", exchange.clientIp);
  if (plan.decorator !== undefined) add("x-envoy-decorator-operation", plan.decorator);
  if (exchange.expectedTimeoutMs > 0) add("x-envoy-expected-rq-timeout-ms", String(exchange.expectedTimeoutMs));
  if (config.via !== "") add("via", config.via);
}

/** The same as lines of HTTP/1: written out, because this runs for every request that is forwarded as it came. */
export function addedText(exchange: Exchange, plan: RequestPlan): string {
  const { head, config } = exchange;
  let out = "";
  if (head.requestId !== "") out += "x-request-id: " + head.requestId + "\r\n";
  if (head.forwardedFor !== "") out += "x-forwarded-for: " + head.forwardedFor + "\r\n";
  if (head.forwardedProto === "http") out += "x-forwarded-proto: http\r\n";
  else if (head.forwardedProto !== "") out += "x-forwarded-proto: " + head.forwardedProto + "\r\n";
  if (head.clientCert !== "") out += "x-forwarded-client-cert: " + head.clientCert + "\r\n";
  if (exchange.edge && !isSocketPath(exchange.clientIp)) out += "x-envoy-external-address: " + exchange.clientIp + "\r\n";
  out += plan.decoratorLine;
  if (exchange.expectedTimeoutMs > 0) out += "x-envoy-expected-rq-timeout-ms: " + exchange.expectedTimeoutMs + "\r\n";
  if (config.via !== "") out += "via: " + config.via + "\r\n";
  return out;
}

/** Is there something that the head cannot be forwarded under as it came? */
export function needsList(exchange: Exchange, plan: RequestPlan, hostRewrite: string | undefined): boolean {
  if (plan.mutations.length > 0 || plan.rewritePath !== undefined || hostRewrite !== undefined || plan.clusterHost !== undefined)
    return true;
  return exchange.grpcTimeout !== "" || exchange.head.forwardedPort !== "" || exchange.requestList !== undefined;
}

/** The headers after the route's operations, without framing and host; path and host are in the exchange then. Made once, whatever tries follow. */
export function requestList(exchange: Exchange, plan: RequestPlan, hostRewrite: string | undefined): HeaderList {
  if (exchange.requestList !== undefined) {
    if (hostRewrite !== undefined) exchange.authority = hostRewrite;
    return exchange.requestList;
  }
  const { head } = exchange;
  const list = head.toList(
    (kind, line) => kind === H_HOST || kind === H_LENGTH || kind === H_CODING || isRequestLineCut(exchange, plan, kind, line),
  );
  addedHeaders(exchange, plan, (name, value) => list.push(name, value));
  if (head.forwardedPort !== "") list.set("x-forwarded-port", head.forwardedPort);
  if (exchange.grpcTimeout !== "") list.set("grpc-timeout", exchange.grpcTimeout);
  if (plan.includeAttemptCount) list.push(ATTEMPT_COUNT, "1");
  editAsFirstTry(plan.mutations, list, exchange);
  takePseudoHeaders(exchange, list);
  if (plan.includeAttemptCount) takeAttemptCount(exchange, list);
  if (plan.rewritePath !== undefined) {
    exchange.originalPath = exchange.path;
    if (plan.tellsOriginals) list.set("x-envoy-original-path", exchange.path);
    exchange.path = plan.rewritePath(exchange.path);
  }
  if (plan.clusterHost !== undefined) exchange.authority = plan.clusterHost;
  if (hostRewrite !== undefined) {
    if (plan.appendXForwardedHost) appendForwardedHost(list, exchange.authority);
    if (plan.tellsOriginals) list.set("x-envoy-original-host", exchange.authority);
    exchange.authority = hostRewrite;
  }
  exchange.requestList = list;
  return list;
}

const ATTEMPT_COUNT = "x-envoy-attempt-count";

/** Rules are applied once, before an endpoint is chosen, and see the first try's number. */
function editAsFirstTry(mutations: readonly CompiledMutations[], list: HeaderList, exchange: Exchange): void {
  const tries = exchange.upstreamAttempts;
  exchange.upstreamAttempts = 1;
  applyMutations(mutations, list, exchange);
  exchange.upstreamAttempts = tries;
}

/** Each try says its own number, unless a rule took the header away or wrote its own: that holds for the first try. */
function takeAttemptCount(exchange: Exchange, list: HeaderList): void {
  const lines = list.lines(ATTEMPT_COUNT);
  if (lines.length === 1 && lines[0] === "1") list.remove(ATTEMPT_COUNT);
  else exchange.ownAttemptCount = true;
}

/** What the first try's list says, said anew for another try. */
export function refreshList(exchange: Exchange, plan: RequestPlan): void {
  const list = exchange.requestList;
  if (list === undefined) return;
  if (plan.includeAttemptCount) list.remove(ATTEMPT_COUNT);
  exchange.ownAttemptCount = false;
  if (exchange.expectedTimeoutMs > 0) list.set("x-envoy-expected-rq-timeout-ms", String(exchange.expectedTimeoutMs));
  if (exchange.grpcTimeout !== "") list.set("grpc-timeout", exchange.grpcTimeout);
}

/** Not twice in a row. */
function appendForwardedHost(list: HeaderList, host: string): void {
  if (host === "") return;
  const known = list.get("x-forwarded-host") ?? "";
  if (known === "") list.set("x-forwarded-host", host);
  else if (known.split(",").at(-1) !== host) list.set("x-forwarded-host", `${known},${host}`);
}

/** What is no header of its own once it goes out. */
function isFraming(name: string): boolean {
  return name.charCodeAt(0) === 58 || name === "host" || name === "content-length" || name === "transfer-encoding";
}

/** A rule may set host and path by name. */
function takePseudoHeaders(exchange: Exchange, list: HeaderList): void {
  if (!list.names.some(isFraming)) return;
  for (const name of ["host", ":authority"]) {
    const authority = list.get(name);
    if (authority === undefined) continue;
    exchange.authority = authority;
    list.remove(name);
  }
  const path = list.get(":path");
  if (path !== undefined) {
    exchange.path = path;
    list.remove(":path");
  }
  for (const name of [":method", ":scheme", "content-length", "transfer-encoding"]) list.remove(name);
}
