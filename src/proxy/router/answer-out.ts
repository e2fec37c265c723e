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
    case H_ENVOY:
    case H_CODING:
      return true;
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

/** The headers after the route's operations, without framing. */
export function answerList(exchange: Exchange, head: AnswerHead, notes: AnswerNotes, upgrade: boolean): HeaderList {
  const { config, manager } = exchange;
  const list = head.toList((kind) => kind === H_LENGTH || isAnswerLineCut(kind, exchange, notes, upgrade));
  if (notes.serviceTimeMs !== undefined) list.push("x-envoy-upstream-service-time", String(notes.serviceTimeMs));
  for (const cookie of exchange.setCookies) list.push("set-cookie", cookie);
  exchange.responseList = list;
  applyMutations(exchange.responseMutations, list, exchange);
  list.remove("content-length");
  list.remove("transfer-encoding");
  // After the route's operations, which so cannot take them away.
  if (config.serverHeader === "OVERWRITE" || (config.serverHeader === "APPEND_IF_ABSENT" && list.get("server") === undefined))
    list.set("server", config.serverName);
  if (list.get("date") === undefined) list.push("date", manager.env.dateLine(exchange.startMs).slice(6, -2));
  if (notes.attemptCount !== undefined) list.push("x-envoy-attempt-count", String(notes.attemptCount));
  if (config.via !== "") list.push("via", config.via);
  if (config.alwaysSetRequestIdInResponse) list.push("x-request-id", exchange.head.requestId);
  return list;
}
