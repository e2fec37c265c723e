// Answers of our own: one place that says what a Failure, a redirect or a direct response is, for HTTP and for gRPC callers.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/local_reply
import { HeaderList } from "../http/header-list.ts";
import { answerTo, type Failure } from "../observe/failure.ts";
import { grpcMessage, grpcStatusOf } from "../observe/grpc-status.ts";
import { finishAnswer } from "./answer-out.ts";
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
  const answer = answerTo(failure);
  const silent = exchange.config.suppressEnvoyHeaders && answer.headers.startsWith("x-envoy-");
  sendLocal(exchange, silent ? { ...answer, headers: "" } : answer);
}

export function sendLocal(exchange: Exchange, answer: LocalAnswer): void {
  const { caller, grpcCaller } = exchange;
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
    // A status that the route's operations set stays.
    if (list.get("grpc-status") === undefined) list.push("grpc-status", String(answer.grpcStatus ?? grpcStatusOf(answer.status)));
    if (answer.body !== "") list.set("grpc-message", grpcMessage(answer.body));
  }
  if (body !== "" && list.get("content-type") === undefined) list.push("content-type", "text/plain");
  finishAnswer(exchange, list, false);
  exchange.responded = true;
  caller.sendWhole({ status, list, body, close: answer.close });
  caller.responseDone(exchange.manager.env.clock.now());
}
