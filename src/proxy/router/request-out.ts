// The request as it goes upstream. Where no rule edits headers it is the caller's own text with lines cut out and lines added; else a list.
import {
  H_CLIENT_CERT,
  H_CODING,
  H_CONNECTION,
  H_ENVOY,
  H_FORWARDED_FOR,
  H_FORWARDED_PROTO,
  H_HOP,
  H_HOST,
  H_LENGTH,
  H_REQUEST_ID,
  H_TE,
  H_UPGRADE,
  type Head,
} from "../http1/head.ts";
import { applyMutations, type CompiledMutations } from "./header-mutation.ts";
import type { Exchange } from "./exchange.ts";

export interface RequestPlan {
  readonly mutations: readonly CompiledMutations[];
  /** `x-envoy-decorator-operation`, undefined = none. */
  readonly decorator: string | undefined;
  /** `x-envoy-expected-rq-timeout-ms`; undefined = no time-out. */
  readonly expectedTimeoutMs: number | undefined;
  readonly includeAttemptCount: boolean;
  /** Rewrites the path; undefined = it stays. */
  readonly rewritePath: ((path: string) => string) | undefined;
  readonly appendXForwardedHost: boolean;
}

/** Does this line stay behind? Everything that the proxy writes itself, and what only concerns the caller's connection. */
function isCut(exchange: Exchange, plan: RequestPlan, kind: number, line: number): boolean {
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
      return true;
    case H_HOST:
      return !head.pristine;
    case H_CLIENT_CERT:
      return exchange.config.forwardClientCert !== "ALWAYS_FORWARD_ONLY";
    case H_ENVOY: {
      const name = head.nameAt(line);
      if (head.forged.has(name)) return true;
      if (name === "x-envoy-attempt-count") return plan.includeAttemptCount;
      if (name === "x-envoy-decorator-operation") return plan.decorator !== undefined;
      if (name === "x-envoy-original-path") return exchange.originalPath !== undefined;
      return false;
    }
    default:
      return false;
  }
}

/** The head without `x-envoy-attempt-count` and the empty line, which each attempt adds. */
export function requestText(exchange: Exchange, plan: RequestPlan, hostRewrite: string | undefined, upgrade: boolean): string {
  const { head } = exchange;
  if (plan.mutations.length > 0 || plan.rewritePath !== undefined || hostRewrite !== undefined || head.duplicates)
    return editedText(exchange, plan, hostRewrite, upgrade);

  const text = head.text;
  let out: string;
  let from: number;
  if (head.pristine) {
    out = "";
    from = 0;
  } else {
    out = `${head.method} ${requestTarget(exchange)} HTTP/1.1\r\nhost: ${exchange.authority}\r\n`;
    from = text.indexOf("\r\n") + 2;
  }
  for (let i = 0; i < head.specials; i++) {
    const line = head.special[i] as number;
    if (!isCut(exchange, plan, head.kind[line] as number, line)) continue;
    const at = head.lineStart(line);
    if (at > from) out += text.slice(from, at);
    from = head.lineEnd(line);
  }
  return out + text.slice(from, head.end + 2) + addedLines(exchange, plan, upgrade);
}

function requestTarget(exchange: Exchange): string {
  return exchange.head.method === "CONNECT" ? exchange.authority : exchange.path;
}

/** What the proxy itself says, in front of the attempt count. */
function addedLines(exchange: Exchange, plan: RequestPlan, upgrade: boolean): string {
  const { head, config } = exchange;
  let out = "";
  if (head.requestId !== "") out += "x-request-id: " + head.requestId + "\r\n";
  if (head.forwardedFor !== "") out += "x-forwarded-for: " + head.forwardedFor + "\r\n";
  if (head.forwardedProto !== "") out += "x-forwarded-proto: " + head.forwardedProto + "\r\n";
  if (exchange.edge) out += "x-envoy-external-address: " + addressOnly(exchange.clientAddress) + "\r\n";
  if (plan.decorator !== undefined) out += "x-envoy-decorator-operation: " + plan.decorator + "\r\n";
  if (plan.expectedTimeoutMs !== undefined) out += "x-envoy-expected-rq-timeout-ms: " + plan.expectedTimeoutMs + "\r\n";
  if (config.via !== "") out += "via: " + config.via + "\r\n";
  if (upgrade) out += "connection: Upgrade\r\nupgrade: " + head.upgrade + "\r\n";
  return out;
}

function addressOnly(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

function editedText(exchange: Exchange, plan: RequestPlan, hostRewrite: string | undefined, upgrade: boolean): string {
  const { head } = exchange;
  const list = head.toList((kind, line) => kind === H_HOST || kind === H_LENGTH || kind === H_CODING || isCut(exchange, plan, kind, line));
  if (head.requestId !== "") list.push("x-request-id", head.requestId);
  if (head.forwardedFor !== "") list.push("x-forwarded-for", head.forwardedFor);
  if (head.forwardedProto !== "") list.push("x-forwarded-proto", head.forwardedProto);
  if (exchange.edge) list.push("x-envoy-external-address", addressOnly(exchange.clientAddress));
  if (plan.decorator !== undefined) list.push("x-envoy-decorator-operation", plan.decorator);
  if (plan.expectedTimeoutMs !== undefined) list.push("x-envoy-expected-rq-timeout-ms", String(plan.expectedTimeoutMs));
  if (exchange.config.via !== "") list.push("via", exchange.config.via);
  applyMutations(plan.mutations, list, exchange);
  takePseudoHeaders(exchange, list);
  if (plan.rewritePath !== undefined) {
    exchange.originalPath = exchange.path;
    list.set("x-envoy-original-path", exchange.path);
    exchange.path = plan.rewritePath(exchange.path);
  }
  if (hostRewrite !== undefined) {
    if (plan.appendXForwardedHost) list.push("x-forwarded-host", exchange.authority);
    list.set("x-envoy-original-host", exchange.authority);
    exchange.authority = hostRewrite;
  }
  exchange.requestList = list;
  return (
    `${head.method} ${requestTarget(exchange)} HTTP/1.1\r\nhost: ${exchange.authority}\r\n${list.text()}` +
    framingLine(head) +
    (upgrade ? `connection: Upgrade\r\nupgrade: ${head.upgrade}\r\n` : "")
  );
}

/** A rule may set host and path by name. */
function takePseudoHeaders(exchange: Exchange, list: { get(name: string): string | undefined; remove(name: string): void }): void {
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

/** The body is framed as it came, whatever a rule did to the headers. */
function framingLine(head: Head): string {
  if (head.chunked) return "transfer-encoding: chunked\r\n";
  return head.contentLength >= 0 ? `content-length: ${head.contentLength}\r\n` : "";
}
