// A request in HTTP/1. Where no rule edits headers and the caller spoke HTTP/1 too, it is the caller's own text with lines cut out and lines added.
import { Head } from "../http1/head.ts";
import type { HeaderList } from "../http/header-list.ts";
import type { OutgoingRequest } from "../http/outgoing-request.ts";
import type { Exchange } from "./exchange.ts";
import { addedText, isRequestLineCut, needsList, type RequestPlan, requestList } from "./request-out.ts";

/** The head without `x-envoy-attempt-count` and the empty line, which each attempt adds. */
export function requestText(exchange: Exchange, plan: RequestPlan, hostRewrite: string | undefined, out: OutgoingRequest): string {
  const { head } = exchange;
  if (!(head instanceof Head) || head.duplicates || head.keepsCase || needsList(exchange, plan, hostRewrite))
    return listText(exchange, requestList(exchange, plan, hostRewrite), exchange.authority, out);
  const text = head.text;
  let lines = "";
  let from = 0;
  if (!head.pristine) {
    lines = requestLine(exchange, exchange.authority) + hostLine(exchange.authority);
    from = text.indexOf("\r\n") + 2;
  }
  for (let i = 0; i < head.specials; i++) {
    const line = head.special[i] as number;
    if (!isRequestLineCut(exchange, plan, head.kind[line] as number, line)) continue;
    const at = head.lineStart(line);
    if (at > from) lines += text.slice(from, at);
    from = head.lineEnd(line);
  }
  const length = head.contentLength < 0 && !head.chunked ? emptyLine(head.method, out) : "";
  return lines + text.slice(from, head.end + 2) + addedText(exchange, plan) + length + upgradeLines(out);
}

/** The same with other headers and under another host. */
export function listText(exchange: Exchange, list: HeaderList, authority: string, out: OutgoingRequest): string {
  const framing = list.respelled(framingLine(exchange, out));
  return requestLine(exchange, authority) + list.respelled(hostLine(authority)) + list.text() + framing + upgradeLines(out);
}

function requestLine(exchange: Exchange, authority: string): string {
  const { method } = exchange.head;
  return `${method} ${method === "CONNECT" ? authority : exchange.path} HTTP/1.1\r\n`;
}

function hostLine(authority: string): string {
  return `host: ${authority}\r\n`;
}

function upgradeLines({ upgrade }: OutgoingRequest): string {
  return upgrade === "" ? "" : `connection: Upgrade\r\nupgrade: ${upgrade}\r\n`;
}

/** Requests of these kinds have no body unless they say so (RFC 9110 section 8.6). */
const BODILESS: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "TRACE", "CONNECT"]);

/** The body is framed as it came, whatever a rule did to the headers. */
function framingLine(exchange: Exchange, out: OutgoingRequest): string {
  const { head, caller } = exchange;
  if (head.contentLength >= 0) return `content-length: ${head.contentLength}\r\n`;
  if (caller.chunked) return "transfer-encoding: chunked\r\n";
  if (!out.whole && out.upgrade === "" && head.method !== "CONNECT" && !(head instanceof Head)) return "transfer-encoding: chunked\r\n";
  return emptyLine(head.method, out);
}

/** That there is no body, where one might be waited for. */
function emptyLine(method: string, out: OutgoingRequest): string {
  return method === "GET" || out.upgrade !== "" || BODILESS.has(method) ? "" : "content-length: 0\r\n";
}
