// The answer's head as the caller gets it: the upstream's own text with lines cut out and lines added, or a list where a rule edits headers.
import { H_CODING, H_CONNECTION, H_ENVOY, H_HOP, H_LENGTH, H_SERVER, H_SERVICE_TIME, H_UPGRADE, type Head } from "../http1/head.ts";
import { REASON } from "../observe/failure.ts";
import type { Exchange } from "./exchange.ts";
import { applyMutations } from "./header-mutation.ts";

export interface ResponseShape {
  /** Milliseconds for x-envoy-upstream-service-time; undefined = not said. */
  readonly serviceTimeMs: number | undefined;
  readonly attemptCount: number | undefined;
  /** The body has no length of its own: it is sent in chunks, or until the connection closes. */
  readonly framing: "as-is" | "chunked" | "close" | "none";
  readonly upgrade: boolean;
}

function isCut(kind: number, exchange: Exchange, shape: ResponseShape): boolean {
  switch (kind) {
    case H_HOP:
    case H_CONNECTION:
    case H_ENVOY:
      return true;
    case H_UPGRADE:
      return !shape.upgrade;
    case H_CODING:
      return shape.framing !== "as-is";
    case H_SERVICE_TIME:
      return shape.serviceTimeMs !== undefined;
    case H_SERVER:
      return exchange.config.serverHeader === "OVERWRITE";
    default:
      return false;
  }
}

/** The whole head with its empty line. */
export function responseText(exchange: Exchange, head: Head, shape: ResponseShape): string {
  const { caller } = exchange;
  exchange.responseText = head.text;
  const version = caller.minor === 1 && head.minor === 1 ? "" : caller.minor === 1 ? "HTTP/1.1" : "HTTP/1.0";
  if (exchange.responseMutations.length > 0) return editedText(exchange, head, shape);
  const text = head.text;
  let out = version;
  let from = version === "" ? 0 : 8;
  let server = false;
  for (let i = 0; i < head.specials; i++) {
    const line = head.special[i] as number;
    const kind = head.kind[line] as number;
    if (kind === H_SERVER) server = true;
    if (!isCut(kind, exchange, shape)) continue;
    const at = head.lineStart(line);
    if (at > from) out += text.slice(from, at);
    from = head.lineEnd(line);
  }
  out += text.slice(from, head.end + 2);
  if (exchange.config.serverHeader === "OVERWRITE" || (!server && exchange.config.serverHeader === "APPEND_IF_ABSENT"))
    out += exchange.manager.serverLine;
  if (!head.hasDate) out += exchange.manager.env.dateLine(exchange.startMs);
  if (shape.serviceTimeMs !== undefined) out += "x-envoy-upstream-service-time: " + shape.serviceTimeMs + "\r\n";
  return out + closingLines(exchange, shape);
}

function closingLines(exchange: Exchange, shape: ResponseShape): string {
  const { caller } = exchange;
  let out = "";
  if (shape.attemptCount !== undefined) out += "x-envoy-attempt-count: " + shape.attemptCount + "\r\n";
  if (exchange.config.via !== "") out += "via: " + exchange.config.via + "\r\n";
  if (exchange.config.alwaysSetRequestIdInResponse) out += "x-request-id: " + exchange.head.requestId + "\r\n";
  if (shape.framing === "chunked") out += "transfer-encoding: chunked\r\n";
  if (shape.upgrade) return out + "connection: Upgrade\r\n\r\n";
  if (caller.keep) return caller.minor === 1 ? out + "\r\n" : out + "connection: keep-alive\r\n\r\n";
  return out + "connection: close\r\n\r\n";
}

function editedText(exchange: Exchange, head: Head, shape: ResponseShape): string {
  const { config, caller } = exchange;
  const list = head.toList((kind) => isCut(kind, exchange, shape) || kind === H_LENGTH || kind === H_CODING);
  if (config.serverHeader === "OVERWRITE" || (config.serverHeader === "APPEND_IF_ABSENT" && list.get("server") === undefined))
    list.set("server", config.serverName);
  if (!head.hasDate) list.push("date", exchange.manager.env.dateLine(exchange.startMs).slice(6, -2));
  if (shape.serviceTimeMs !== undefined) list.push("x-envoy-upstream-service-time", String(shape.serviceTimeMs));
  applyMutations(exchange.responseMutations, list, exchange);
  list.remove("content-length");
  list.remove("transfer-encoding");
  exchange.responseList = list;
  const eol = head.text.indexOf("\r\n");
  const framing =
    shape.framing !== "as-is"
      ? ""
      : head.chunked
        ? "transfer-encoding: chunked\r\n"
        : head.contentLength >= 0
          ? `content-length: ${head.contentLength}\r\n`
          : "";
  const lengthOnly = shape.framing === "none" && head.contentLength >= 0 ? `content-length: ${head.contentLength}\r\n` : "";
  return `HTTP/1.${caller.minor}${head.text.slice(8, eol)}\r\n${list.text()}${framing}${lengthOnly}${closingLines(exchange, shape)}`;
}

/** The start line of an answer of our own. */
export function statusLine(exchange: Exchange, status: number): string {
  return `HTTP/1.${exchange.caller.minor} ${status} ${REASON[status] ?? "Unknown"}\r\n`;
}
