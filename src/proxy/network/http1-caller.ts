// The answering half of a caller's HTTP/1 connection. A body goes out as it came where the upstream framed it alike, in chunks where its end is only
// told, and without chunks for HTTP/1.0. Head and small body leave in one write.
import { type AnswerHead, mayTunnel, type Trailers, trailerText } from "../http/message.ts";
import { Dechunker } from "../http1/dechunk.ts";
import { Head } from "../http1/head.ts";
import type { AnswerNotes, Caller, WholeAnswer } from "../router/caller.ts";
import type { Exchange } from "../router/exchange.ts";
import type { AnswerStart, UpstreamStream } from "../upstream/pool/upstream-stream.ts";
import type { Arrival } from "./arrival.ts";
import { type Conn, HIGH_WATER, TEXT_BELOW } from "./conn.ts";
import { type AnswerShape, answerText, statusLine } from "./http1-answer-text.ts";

/** How an upstream's body becomes the caller's. */
type BodyForm = "as-is" | "to-chunks" | "from-chunks";

export abstract class Http1Caller implements Caller {
  conn!: Conn;
  readonly arrival: Arrival;
  /** HTTP/1.minor of the request. */
  protected minor = 1;
  /** The connection goes on after this answer. */
  protected keep = true;
  protected exchange: Exchange | undefined = undefined;
  private form: BodyForm = "as-is";
  /** The upstream's own chunks pass; their end was held back where there may be trailers. */
  private rawChunks = false;
  private dechunker: Dechunker | undefined = undefined;
  /** Counts the body of an answer that comes in chunks. */
  private chunkedFrom: UpstreamStream | undefined = undefined;

  constructor(arrival: Arrival) {
    this.arrival = arrival;
  }

  abstract readonly bodyPending: boolean;
  abstract readonly chunked: boolean;
  abstract responseDone(now: number): void;
  abstract abort(): void;
  protected abstract enterTunnel(): void;

  pauseRequest(): void {
    this.conn.pause();
  }

  resumeRequest(): void {
    this.conn.resume();
  }

  whenFlushed(fn: () => void): void {
    this.conn.whenFlushed(fn);
  }

  sayContinue(): void {
    if (this.minor === 1) this.conn.writeStr("HTTP/1.1 100 Continue\r\n\r\n");
  }

  informational(head: AnswerHead): void {
    if (this.minor === 0) return;
    if (head instanceof Head) this.conn.writeStr(head.text.slice(0, head.end + 4));
    else this.conn.writeStr(statusLine(1, head.status) + head.toList(() => false).text() + "\r\n");
  }

  sendWhole({ status, list, body, close }: WholeAnswer): void {
    const exchange = this.exchange as Exchange;
    // Bytes of a body that nobody will read would be taken for the next request.
    if (close || this.bodyPending || mayTunnel(exchange.head) || exchange.manager.env.draining()) this.keep = false;
    const bodiless = status === 204 || status === 304;
    if (!bodiless) list.push("content-length", String(body.length));
    if (!this.keep) list.push("connection", "close");
    else if (this.minor === 0) list.push("connection", "keep-alive");
    const payload = exchange.head.method === "HEAD" || bodiless ? "" : body;
    exchange.bytesSent += payload.length;
    this.conn.writeStr(statusLine(this.minor, status) + list.text() + "\r\n" + payload);
  }

  beginAnswer(stream: UpstreamStream, start: AnswerStart, notes: AnswerNotes): Buffer | undefined {
    const exchange = this.exchange as Exchange;
    const { head, bytes, data, bodyAt, forwardEnd } = start;
    const upgrade = head.status === 101;
    const connect = exchange.head.method === "CONNECT";
    const tunnel = upgrade || (connect && head.status < 300);
    // Answered before the request was all here: what is left of it must not be read as the next one.
    if (this.bodyPending || mayTunnel(exchange.head) || exchange.manager.env.draining()) this.keep = false;
    const framing = tunnel ? this.openTunnel() : this.frame(stream, start);
    if (framing === "close") this.keep = false;
    const text = answerText(exchange, head, notes, { minor: this.minor, keep: this.keep, framing, upgrade, tunnel });
    if (tunnel) {
      this.conn.writeStr(text);
      this.enterTunnel();
      return data.subarray(bodyAt, forwardEnd);
    }
    const plain = this.form === "as-is";
    if (plain && start.complete && forwardEnd <= bytes.length) {
      const end = this.ending(stream.trailers);
      exchange.bytesSent = this.chunkedFrom?.payload ?? forwardEnd - bodyAt;
      this.conn.writeStr(forwardEnd > bodyAt ? text + bytes.slice(bodyAt, forwardEnd) + end : text + end);
      return undefined;
    }
    const joined = plain && forwardEnd > bodyAt ? stream.prepend(text, start) : undefined;
    if (joined !== undefined) {
      if (this.chunkedFrom === undefined) exchange.bytesSent -= text.length;
      return joined;
    }
    this.conn.writeStr(text);
    return data.subarray(bodyAt, forwardEnd);
  }

  private openTunnel(): "none" {
    this.form = "as-is";
    this.chunkedFrom = undefined;
    this.rawChunks = false;
    return "none";
  }

  private frame(stream: UpstreamStream, { framing, head, complete }: AnswerStart): AnswerShape["framing"] {
    this.form = "as-is";
    this.chunkedFrom = framing === "chunked" ? stream : undefined;
    this.rawChunks = framing === "chunked" && this.minor === 1;
    switch (framing) {
      case "length":
        return "as-is";
      case "none":
        if ((this.exchange as Exchange).head.method !== "HEAD") return "none";
        return head.version === "HTTP/2" && head.contentLength < 0 && this.minor === 1 ? "chunked" : "as-is";
      case "chunked":
        if (this.minor === 1) return "as-is";
        this.form = "from-chunks";
        this.dechunker = new Dechunker();
        return "close";
      case "plain":
        if (head.contentLength >= 0) return "as-is";
        if (complete) return "empty";
        if (this.minor === 0) return "close";
        this.form = "to-chunks";
        return "chunked";
    }
  }

  writeAnswer(view: Buffer, lasting: boolean): boolean {
    const { conn } = this;
    const exchange = this.exchange as Exchange;
    exchange.bytesSent = this.chunkedFrom?.payload ?? exchange.bytesSent + view.length;
    switch (this.form) {
      case "as-is":
        return this.writeBytes(view, lasting);
      case "to-chunks": {
        if (view.length === 0) return true;
        if (view.length < TEXT_BELOW) {
          conn.writeStr(view.length.toString(16) + "\r\n" + view.toString("latin1") + "\r\n");
          return conn.pending() <= HIGH_WATER;
        }
        conn.writeStr(view.length.toString(16) + "\r\n");
        const free = this.writeBytes(view, lasting);
        conn.writeStr("\r\n");
        return free;
      }
      case "from-chunks": {
        let free = true;
        for (const part of this.dechunker?.feed(view) ?? []) free = this.writeBytes(part, lasting) && free;
        return free;
      }
    }
  }

  private writeBytes(view: Buffer, lasting: boolean): boolean {
    if (lasting) return this.conn.writePart(view);
    this.conn.writeCopy(view);
    return this.conn.pending() <= HIGH_WATER;
  }

  endAnswer(view: Buffer, lasting: boolean, trailers: Trailers): boolean {
    const free = view.length === 0 || this.writeAnswer(view, lasting);
    const end = this.ending(trailers);
    if (end !== "") this.conn.writeStr(end);
    return free;
  }

  /** What ends the body; "" = its end went out with it. */
  private ending(trailers: Trailers): string {
    const exchange = this.exchange as Exchange;
    exchange.responseTrailers = trailers;
    const lines = exchange.config.enableTrailers ? trailerText(trailers) : "";
    if (this.form === "to-chunks") return "0\r\n" + lines + "\r\n";
    return this.rawChunks && typeof trailers === "string" ? lines + "\r\n" : "";
  }
}
