// An answer's head in HTTP/1: the upstream's own text with lines cut out and lines added where that spoke HTTP/1 too, else built from a list.
import { H_CODING, H_SERVER } from "../http/header-kinds.ts";
import type { AnswerHead } from "../http/message.ts";
import { forSmallNumbers } from "../http/small-numbers.ts";
import { Head } from "../http1/head.ts";
import { REASON } from "../observe/failure.ts";
import { answerList, decoratorOf, isAnswerLineCut } from "../router/answer-out.ts";
import type { AnswerNotes } from "../router/caller.ts";
import type { Exchange } from "../router/exchange.ts";

export interface AnswerShape {
  /** The connection's minor version, and whether it goes on. */
  readonly minor: number;
  readonly keep: boolean;
  /** `as-is`: framed as it came. `empty`: there is no body, and nothing else says so. `close`: it lasts until the connection closes. */
  readonly framing: "as-is" | "chunked" | "close" | "none" | "empty";
  readonly upgrade: boolean;
  /** What follows is a tunnel: nothing is said of the connection. */
  readonly tunnel: boolean;
}

/** The whole head with its empty line. */
export function answerText(exchange: Exchange, head: AnswerHead, notes: AnswerNotes, shape: AnswerShape): string {
  if (!(head instanceof Head)) return listedText(exchange, head, notes, shape);
  exchange.responseText = head.text;
  if (exchange.responseMutations.length > 0 || head.keepsCase) return listedText(exchange, head, notes, shape);
  const { config } = exchange;
  const text = head.text;
  let out = shape.minor === 1 && head.minor === 1 ? "" : `HTTP/1.${shape.minor}`;
  let from = out === "" ? 0 : 8;
  let server = false;
  for (let i = 0; i < head.specials; i++) {
    const line = head.special[i] as number;
    const kind = head.kind[line] as number;
    if (kind === H_SERVER) server = true;
    if (kind === H_CODING ? shape.framing === "as-is" : !isAnswerLineCut(kind, exchange, notes, shape.upgrade)) continue;
    const at = head.lineStart(line);
    if (at > from) out += text.slice(from, at);
    from = head.lineEnd(line);
  }
  out += text.slice(from, head.end + 2);
  if (config.serverHeader === "OVERWRITE" || (!server && config.serverHeader === "APPEND_IF_ABSENT")) out += exchange.manager.serverLine;
  if (!head.hasDate) out += exchange.manager.env.dateLine(exchange.startMs);
  if (notes.serviceTimeMs !== undefined) out += serviceTimeLine(notes.serviceTimeMs);
  if (exchange.setCookies.length > 0) for (const cookie of exchange.setCookies) out += "set-cookie: " + cookie + "\r\n";
  if (notes.attemptCount !== undefined) out += "x-envoy-attempt-count: " + notes.attemptCount + "\r\n";
  const operation = decoratorOf(exchange);
  if (operation !== undefined) out += "x-envoy-decorator-operation: " + operation + "\r\n";
  if (config.via !== "") out += "via: " + config.via + "\r\n";
  if (config.alwaysSetRequestIdInResponse) out += "x-request-id: " + exchange.head.requestId + "\r\n";
  return out + closingLines(shape);
}

/** Of whole milliseconds. */
const serviceTimeLine = forSmallNumbers((ms) => `x-envoy-upstream-service-time: ${ms}\r\n`);

function closingLines(shape: AnswerShape): string {
  const coding = shape.framing === "chunked" ? "transfer-encoding: chunked\r\n" : "";
  if (shape.upgrade) return coding + "connection: Upgrade\r\n\r\n";
  if (shape.tunnel) return coding + "\r\n";
  if (shape.keep) return shape.minor === 1 ? coding + "\r\n" : coding + "connection: keep-alive\r\n\r\n";
  return coding + "connection: close\r\n\r\n";
}

function listedText(exchange: Exchange, head: AnswerHead, notes: AnswerNotes, shape: AnswerShape): string {
  const list = answerList(exchange, head, notes, shape.upgrade);
  return statusLine(shape.minor, head.status, head) + list.text() + list.respelled(framingLines(head, shape)) + closingLines(shape);
}

function framingLines(head: AnswerHead, shape: AnswerShape): string {
  switch (shape.framing) {
    case "as-is":
      if (head instanceof Head && head.chunked) return "transfer-encoding: chunked\r\n";
      return head.contentLength >= 0 ? `content-length: ${head.contentLength}\r\n` : "";
    case "none":
      return head.contentLength >= 0 ? `content-length: ${head.contentLength}\r\n` : "";
    case "empty":
      return "content-length: 0\r\n";
    default:
      return "";
  }
}

/** With the upstream's own reason phrase where it sent one. */
export function statusLine(minor: number, status: number, head?: AnswerHead): string {
  const phrase = head instanceof Head ? head.text.slice(13, head.text.indexOf("\r\n")) : (REASON[status] ?? "Unknown");
  return `HTTP/1.${minor} ${status} ${phrase}\r\n`;
}
