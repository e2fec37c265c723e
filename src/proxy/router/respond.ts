// Answers of our own: one place that says what a Failure, a redirect or a direct response is, for HTTP and for gRPC callers.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/local_reply
import { HeaderList } from "../http/header-list.ts";
import { answerTo, type Failure } from "../observe/failure.ts";
import { grpcMessage, grpcStatusOf } from "../observe/grpc-status.ts";
import type { Exchange } from "./exchange.ts";
import { applyMutations } from "./header-mutation.ts";

export interface LocalAnswer {
  readonly status: number;
  /** One byte per char. */
  readonly body: string;
  readonly details: string;
  readonly flags: number;
  /** Header lines with CRLF each. */
  readonly headers: string;
  /** For gRPC callers; undefined: what the status stands for. */
  readonly grpcStatus?: number | undefined;
  readonly close: boolean;
}

export function respond(exchange: Exchange, failure: Failure): void {
  sendLocal(exchange, answerTo(failure));
}

export function sendLocal(exchange: Exchange, answer: LocalAnswer): void {
  const { caller, config, head, grpcCaller } = exchange;
  exchange.flags |= answer.flags;
  exchange.details = answer.details;

  // Order as in Envoy: the route's operations first, so that what follows cannot be taken away by them.
  const list = new HeaderList();
  for (const line of answer.headers.split("\r\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) list.push(line.slice(0, colon), line.slice(colon + 2));
  }
  exchange.responseList = list;
  applyMutations(exchange.responseMutations, list, exchange);
  const body = grpcCaller ? "" : answer.body;
  const status = grpcCaller ? 200 : answer.status;
  exchange.status = status;
  if (grpcCaller) {
    list.set("content-type", "application/grpc");
    list.set("grpc-status", String(answer.grpcStatus ?? grpcStatusOf(answer.status)));
    if (answer.body !== "") list.set("grpc-message", grpcMessage(answer.body));
  }
  list.remove("transfer-encoding");
  list.remove("content-length");
  if (body !== "" && list.get("content-type") === undefined) list.push("content-type", "text/plain");
  if (list.get("date") === undefined) list.push("date", exchange.manager.env.dateLine(exchange.startMs).slice(6, -2));
  if (config.serverHeader !== "PASS_THROUGH") list.set("server", config.serverName);
  if (config.alwaysSetRequestIdInResponse && head.requestId !== "") list.push("x-request-id", head.requestId);
  exchange.responded = true;
  caller.sendWhole({ status, list, body, close: answer.close });
  caller.responseDone();
}
