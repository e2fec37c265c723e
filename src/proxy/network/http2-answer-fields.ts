// An answer's head in HTTP/2: the upstream's own fields where that spoke HTTP/2 too and no rule edits them, else built from a list.
import { Http2AnswerHead } from "../http/http2-head.ts";
import { http2Field, pushFields, serviceTimeField, statusField } from "../http/http2-fields.ts";
import { H_OTHER, H_SERVER } from "../http/header-kinds.ts";
import type { AnswerHead } from "../http/message.ts";
import type { Http2Header } from "../http2/header.ts";
import { answerList, decoratorOf, isAnswerLineCut } from "../router/answer-out.ts";
import type { AnswerNotes } from "../router/caller.ts";
import type { Exchange } from "../router/exchange.ts";

/** A 101 is a 200 here (RFC 8441 section 5). */
export function answerFields(exchange: Exchange, head: AnswerHead, notes: AnswerNotes): Http2Header[] {
  const out: Http2Header[] = [statusField(head.status === 101 ? 200 : head.status)];
  if (!(head instanceof Http2AnswerHead) || exchange.responseMutations.length > 0) {
    pushFields(answerList(exchange, head, notes, false), out);
    if (head.contentLength >= 0) out.push(http2Field("content-length", String(head.contentLength)));
    return out;
  }
  exchange.responseHead = head;
  const { config, manager } = exchange;
  const { headers, pseudo } = head;
  let server = false;
  for (let i = pseudo; i < headers.length; i++) {
    const header = headers[i] as Http2Header;
    const kind = header.responseKind;
    if (kind !== H_OTHER) {
      if (kind === H_SERVER) server = true;
      if (isAnswerLineCut(kind, exchange, notes, false)) continue;
    }
    out.push(header);
  }
  if (config.serverHeader === "OVERWRITE" || (!server && config.serverHeader === "APPEND_IF_ABSENT"))
    out.push(http2Field("server", config.serverName));
  if (!head.hasDate) out.push(http2Field("date", manager.env.dateLine(exchange.startMs).slice(6, -2)));
  if (notes.serviceTimeMs !== undefined) out.push(serviceTimeField(notes.serviceTimeMs));
  if (exchange.setCookies.length > 0) for (const cookie of exchange.setCookies) out.push(http2Field("set-cookie", cookie));
  if (notes.attemptCount !== undefined) out.push(http2Field("x-envoy-attempt-count", String(notes.attemptCount)));
  const operation = decoratorOf(exchange);
  if (operation !== undefined) out.push(http2Field("x-envoy-decorator-operation", operation));
  if (config.via !== "") out.push(http2Field("via", config.via));
  if (config.alwaysSetRequestIdInResponse && exchange.head.requestId !== "") out.push(http2Field("x-request-id", exchange.head.requestId));
  return out;
}
