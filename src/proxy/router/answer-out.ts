// An upstream's answer as callers of any HTTP version get it: which lines stay behind, and what the proxy adds.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers
import { H_CODING, H_CONNECTION, H_ENVOY, H_HOP, H_LENGTH, H_SERVER, H_SERVICE_TIME, H_UPGRADE } from "../http/header-kinds.ts";
import type { HeaderList } from "../http/header-list.ts";
import type { AnswerHead } from "../http/message.ts";
import type { AnswerNotes } from "./caller.ts";
import type { Exchange } from "./exchange.ts";
import { applyMutations } from "./header-mutation.ts";

/** Does this line stay behind? Framing lines are decided where the body is. */
export function isAnswerLineCut(kind: number, exchange: Exchange, notes: AnswerNotes, upgrade: boolean): boolean {
  switch (kind) {
    case H_HOP:
    case H_CONNECTION:
    case H_CODING:
      return true;
    case H_ENVOY:
      return exchange.config.tracing === "egress" || decoratorOf(exchange) !== undefined;
    case H_UPGRADE:
      return !upgrade;
    case H_SERVICE_TIME:
      return notes.serviceTimeMs !== undefined;
    case H_SERVER:
      return exchange.config.serverHeader === "OVERWRITE";
    default:
      return false;
  }
}

/** What the caller's side is to call the request in its traces; on the way in only, and only where it has no name of its own for it. */
export function decoratorOf(exchange: Exchange): string | undefined {
  if (exchange.config.tracing !== "ingress") return undefined;
  const operation = exchange.route?.decorator;
  return operation === undefined || exchange.head.first("x-envoy-decorator-operation") !== undefined ? undefined : operation;
}

/** Hop-by-hop headers that a rule may have set: they are the proxy's own matter. Their lengths alone rule most names out. */
function isHopByHop(name: string): boolean {
  switch (name.length) {
    case 10:
      return name === "connection" || name === "keep-alive";
    case 14:
      return name === "content-length";
    case 16:
      return name === "proxy-connection";
    case 17:
      return name === "transfer-encoding";
    default:
      return false;
  }
}

/** The headers after the route's operations, without framing. */
export function answerList(exchange: Exchange, head: AnswerHead, notes: AnswerNotes, upgrade: boolean): HeaderList {
  const list = head.toList((kind) => kind === H_LENGTH || (kind !== H_SERVER && isAnswerLineCut(kind, exchange, notes, upgrade)));
  if (notes.serviceTimeMs !== undefined) list.push("x-envoy-upstream-service-time", String(notes.serviceTimeMs));
  for (const cookie of exchange.setCookies) list.push("set-cookie", cookie);
  if (notes.attemptCount !== undefined) list.set("x-envoy-attempt-count", String(notes.attemptCount));
  exchange.responseList = list;
  applyMutations(exchange.responseMutations, list, exchange);
  finishAnswer(exchange, list, upgrade);
  return list;
}

/** What no rule can take away: the last word of the connection manager on upstreams' answers and on our own. */
export function finishAnswer(exchange: Exchange, list: HeaderList, upgrade: boolean): void {
  const { config, manager } = exchange;
  list.removeWhere(isHopByHop);
  if (!upgrade) list.remove("upgrade");
  if (list.get("date") === undefined) list.push("date", manager.env.dateLine(exchange.startMs).slice(6, -2));
  if (config.serverHeader === "OVERWRITE" || (config.serverHeader === "APPEND_IF_ABSENT" && list.get("server") === undefined))
    list.set("server", config.serverName);
  const operation = decoratorOf(exchange);
  if (operation !== undefined) list.set("x-envoy-decorator-operation", operation);
  if (config.alwaysSetRequestIdInResponse && exchange.head.requestId !== "") list.set("x-request-id", exchange.head.requestId);
  if (config.via !== "") list.push("via", config.via);
}
