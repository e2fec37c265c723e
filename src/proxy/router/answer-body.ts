// How an upstream's body goes to the caller: as it came, in chunks where it lasted until the close, or without chunks for HTTP/1.0.
import { BODY_NONE, BODY_UNTIL_CLOSE } from "../http1/body.ts";
import { Dechunker } from "../http1/dechunk.ts";
import type { Head } from "../http1/head.ts";
import type { Http1Connection, ResponseStart } from "../upstream/pool/http1-connection.ts";
import type { Exchange } from "./exchange.ts";
import { type ResponseShape, responseText } from "./response-out.ts";

/** Smaller parts are copied into a string: cheaper than holding the read buffer. */
const COPY_BELOW = 2048;

const dechunkers = new WeakMap<Exchange, Dechunker>();

function framing(exchange: Exchange, connection: Http1Connection, head: Head): ResponseShape["framing"] {
  const mode = connection.body.mode;
  if (mode === BODY_UNTIL_CLOSE) {
    if (exchange.caller.minor === 0) return "close";
    exchange.bodyForm = "to-chunks";
    return "chunked";
  }
  if (!head.chunked) return "as-is";
  if (mode === BODY_NONE) return exchange.head.method === "HEAD" ? "as-is" : "none";
  if (exchange.caller.minor === 1) return "as-is";
  exchange.bodyForm = "from-chunks";
  dechunkers.set(exchange, new Dechunker());
  return "close";
}

/**
 * Writes the head, and the body with it when it is all here and small: then undefined. Else what of the body (or of head and body in one)
 * is to be written next.
 */
function begin(
  exchange: Exchange,
  connection: Http1Connection,
  start: ResponseStart,
  says: Pick<ResponseShape, "serviceTimeMs" | "attemptCount">,
): Buffer | undefined {
  const { caller } = exchange;
  const { head, bytes, data, bodyAt, forwardEnd } = start;
  const shape = framing(exchange, connection, head);
  if (shape === "close") caller.keep = false;
  const text = responseText(exchange, head, {
    serviceTimeMs: says.serviceTimeMs,
    attemptCount: says.attemptCount,
    framing: shape,
    upgrade: false,
  });
  const plain = shape === "as-is" || shape === "none";
  if (start.complete && forwardEnd <= bytes.length && plain) {
    const end = tail(exchange, connection);
    exchange.bytesSent += forwardEnd - bodyAt;
    caller.conn.writeStr(forwardEnd > bodyAt ? text + bytes.slice(bodyAt, forwardEnd) + end : text + end);
    return undefined;
  }
  const joined = plain && forwardEnd > bodyAt ? connection.conn.prepend(text, data, { from: bodyAt, to: forwardEnd }) : undefined;
  if (joined !== undefined) {
    exchange.bytesSent -= text.length;
    return joined;
  }
  caller.conn.writeStr(text);
  return data.subarray(bodyAt, forwardEnd);
}

/** True when the bytes have left. */
function write(exchange: Exchange, view: Buffer): boolean {
  const { conn } = exchange.caller;
  exchange.bytesSent += view.length;
  switch (exchange.bodyForm) {
    case "as-is":
      if (view.length < COPY_BELOW && conn.pending() < COPY_BELOW) {
        conn.writeStr(view.toString("latin1"));
        return true;
      }
      return conn.writeSub(view);
    case "to-chunks": {
      conn.writeStr(view.length.toString(16) + "\r\n");
      const free = conn.writeSub(view);
      conn.writeStr("\r\n");
      return free;
    }
    case "from-chunks": {
      let free = true;
      for (const part of dechunkers.get(exchange)?.feed(view) ?? []) free = conn.writeSub(part) && free;
      return free;
    }
  }
}

/** What ends a chunked body whose trailers were held back; "" = its end went out with it. */
function tail(exchange: Exchange, connection: Http1Connection): string {
  const { trailers } = connection.body;
  if (trailers === undefined || exchange.bodyForm !== "as-is") return "";
  return (exchange.config.enableTrailers ? trailers : "") + "\r\n";
}

/** Ends a body that lasted until the upstream closed. */
function closingChunk(exchange: Exchange): string {
  return exchange.bodyForm === "to-chunks" ? "0\r\n\r\n" : "";
}

export const answerBody = { begin, write, tail, closingChunk };
