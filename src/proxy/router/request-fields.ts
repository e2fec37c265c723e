// A request in HTTP/2. Where no rule edits headers and the caller spoke HTTP/2 too, it is made of the caller's own fields.
import { http2Field, isHttp1Only, uniqueField } from "../http/http2-fields.ts";
import { Http2RequestHead } from "../http/http2-head.ts";
import { H_OTHER } from "../http/header-kinds.ts";
import type { HeaderList } from "../http/header-list.ts";
import type { Http2Header } from "../http2/header.ts";
import type { Exchange } from "./exchange.ts";
import { addedHeaders, isRequestLineCut, needsList, type RequestPlan, requestList } from "./request-out.ts";

/** Pseudo headers and fields without `x-envoy-attempt-count`, which each attempt adds. */
export function requestFields(exchange: Exchange, plan: RequestPlan, hostRewrite: string | undefined, upgrade: boolean): Http2Header[] {
  const { head } = exchange;
  if (!(head instanceof Http2RequestHead) || head.duplicates || needsList(exchange, plan, hostRewrite))
    return listFields(exchange, requestList(exchange, plan, hostRewrite), exchange.authority, upgrade);
  const out: Http2Header[] = [];
  const { headers, pseudo } = head;
  if (head.pristine && !upgrade && head.method !== "CONNECT") for (let i = 0; i < pseudo; i++) out.push(headers[i] as Http2Header);
  else pushPseudo(exchange, exchange.authority, upgrade, out);
  for (let i = pseudo; i < headers.length; i++) {
    const header = headers[i] as Http2Header;
    if (header.requestKind !== H_OTHER && isRequestLineCut(exchange, plan, header.requestKind, i - pseudo)) continue;
    out.push(header);
  }
  addedHeaders(exchange, plan, (name, value) => out.push(name === "x-request-id" ? uniqueField(name, value) : http2Field(name, value)));
  return out;
}

/** The same with other headers and under another host. */
export function listFields(exchange: Exchange, list: HeaderList, authority: string, upgrade: boolean): Http2Header[] {
  const { head } = exchange;
  const out: Http2Header[] = [];
  pushPseudo(exchange, authority, upgrade, out);
  for (let i = 0; i < list.names.length; i++) {
    const name = list.names[i] as string;
    if (!isHttp1Only(name) && (name !== "te" || head.trailersWanted)) out.push(http2Field(name, list.values[i] as string));
  }
  if (head.contentLength >= 0 && !upgrade) out.push(http2Field("content-length", String(head.contentLength)));
  return out;
}

function pushPseudo(exchange: Exchange, authority: string, upgrade: boolean, out: Http2Header[]): void {
  const { head } = exchange;
  if (upgrade || head.method === "CONNECT") {
    out.push(http2Field(":method", "CONNECT"));
    if (upgrade) out.push(http2Field(":protocol", head.upgrade));
    out.push(http2Field(":authority", authority));
    if (!upgrade) return;
  } else out.push(http2Field(":method", head.method), http2Field(":authority", authority));
  out.push(http2Field(":scheme", head.scheme), http2Field(":path", exchange.path));
}
