// Answers of our own: one place that turns a Failure, a redirect or a direct response into bytes, for HTTP and for gRPC callers.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/local_reply
import { HeaderList } from "../http1/header-list.ts";
import { answerTo, type Failure, grpcStatusOf } from "../observe/failure.ts";
import type { Exchange } from "./exchange.ts";
import { applyMutations } from "./header-mutation.ts";
import { statusLine } from "./response-out.ts";

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
  const { caller, config } = exchange;
  exchange.flags |= answer.flags;
  exchange.details = answer.details;
  // Bytes of a body that nobody will read would be taken for the next request.
  if (answer.close || caller.bodyPending || exchange.manager.env.draining()) caller.keep = false;

  // Order as in Envoy: the route's operations first, so that what follows cannot be taken away by them.
  const grpc = exchange.head.grpc;
  const list = new HeaderList();
  for (const line of answer.headers.split("\r\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) list.push(line.slice(0, colon), line.slice(colon + 2));
  }
  applyMutations(exchange.responseMutations, list, exchange);
  const body = grpc ? "" : answer.body;
  const status = grpc ? 200 : answer.status;
  const bodiless = status === 204 || status === 304;
  exchange.status = status;
  if (grpc) {
    list.set("content-type", "application/grpc");
    list.set("grpc-status", String(answer.grpcStatus ?? grpcStatusOf(answer.status)));
    if (answer.body !== "") list.set("grpc-message", percentEncode(answer.body));
  }
  list.remove("transfer-encoding");
  list.remove("content-length");
  if (!bodiless) list.push("content-length", String(body.length));
  if (body !== "" && list.get("content-type") === undefined) list.push("content-type", "text/plain");
  if (list.get("date") === undefined) list.push("date", exchange.manager.env.dateLine(exchange.startMs).slice(6, -2));
  if (config.serverHeader !== "PASS_THROUGH") list.set("server", config.serverName);
  if (config.alwaysSetRequestIdInResponse && exchange.head.requestId !== "") list.push("x-request-id", exchange.head.requestId);
  if (!caller.keep) list.push("connection", "close");
  else if (caller.minor === 0) list.push("connection", "keep-alive");
  exchange.responseList = list;
  exchange.responded = true;
  const payload = exchange.head.method === "HEAD" || bodiless ? "" : body;
  exchange.bytesSent += payload.length;
  caller.conn.writeStr(statusLine(exchange, status) + list.text() + "\r\n" + payload);
  caller.responseDone();
}

/** grpc-message: percent-encoded where it is not printable ASCII. */
function percentEncode(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}
