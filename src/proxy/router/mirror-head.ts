// A mirrored request's head: what the request goes upstream with, and what Envoy adds to a copy.
import { HeaderList } from "../http/header-list.ts";
import { OutgoingRequest } from "../http/outgoing-request.ts";
import type { Exchange } from "./exchange.ts";
import { listFields } from "./request-fields.ts";
import { type RequestPlan, requestList } from "./request-out.ts";
import { listText } from "./request-text.ts";

/** After the request itself was prepared: the route's operations are done. */
export function copiedHeaders(exchange: Exchange, plan: RequestPlan): HeaderList {
  const { requestList: edited } = exchange;
  const from = edited ?? requestList(exchange, plan, undefined);
  exchange.requestList = edited;
  const list = new HeaderList();
  list.spellings = from.spellings;
  for (let i = 0; i < from.names.length; i++) list.push(from.names[i] as string, from.values[i] as string);
  const { localAddress } = exchange.manager.env;
  const forwardedFor = list.get("x-forwarded-for");
  list.set("x-envoy-internal", "true");
  list.set("x-forwarded-for", forwardedFor === undefined ? localAddress : `${forwardedFor},${localAddress}`);
  return list;
}

export interface CopyForm {
  readonly list: HeaderList;
  readonly authority: string;
  readonly http2: boolean;
  readonly upgrade: boolean;
  readonly attempts: number;
}

export function copiedRequest(exchange: Exchange, { list, authority, http2, upgrade, attempts }: CopyForm): OutgoingRequest {
  const out = new OutgoingRequest();
  out.bodyText = exchange.bodyText;
  out.upgrade = upgrade ? exchange.head.upgrade : "";
  out.whole = !upgrade && !exchange.bodyPending;
  out.attempts = attempts;
  if (http2) out.fields = listFields(exchange, list, authority, upgrade);
  else out.text = listText(exchange, list, authority, out);
  return out;
}

/** `-shadow` behind the host's name, in front of its port. */
export function shadowHost(authority: string): string {
  const [, host = authority, port = ""] = /^(\[[^\]]*\]|[^:]*)(:\d*)?$/.exec(authority) ?? [];
  return `${host}-shadow${port}`;
}
