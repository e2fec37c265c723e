// One request of a caller's HTTP/2 connection: its stream, read by the route's layers and answered through them. A connection uses one for many requests.
import { trailerFields, type AnswerHead, type Trailers } from "../http/message.ts";
import { http2Field, pushFields, statusField } from "../http/http2-fields.ts";
import { Http2RequestHead } from "../http/http2-head.ts";
import { Dechunker } from "../http1/dechunk.ts";
import { H2 } from "../http2/frames.ts";
import type { Http2Header } from "../http2/header.ts";
import type { Http2Stream, ReceivedBlock, ResetCause, StreamUser } from "../http2/stream.ts";
import { FLAG } from "../observe/response-flags.ts";
import type { AnswerNotes, Caller, WholeAnswer } from "../router/caller.ts";
import { Exchange } from "../router/exchange.ts";
import { respond } from "../router/respond.ts";
import type { AnswerStart, UpstreamStream } from "../upstream/pool/upstream-stream.ts";
import type { Arrival } from "./arrival.ts";
import type { ConnectionManager } from "./connection-manager.ts";
import { finishExchange } from "./finish-exchange.ts";
import { answerFields } from "./http2-answer-fields.ts";
import { routeRequest } from "./route-request.ts";
import { Timer } from "./timer-wheel.ts";

const NOTHING = Buffer.alloc(0);
const EMPTY_BLOCK: ReceivedBlock = {
  headers: [],
  pseudo: 0,
  method: "",
  path: "",
  scheme: "",
  authority: "",
  protocol: "",
  status: 0,
  contentLength: -1,
};

export interface CallerOwner {
  readonly arrival: Arrival;
  /** The caller may be used for another stream. */
  onCallerFree(caller: Http2Caller): void;
  /** No more requests on this connection. */
  drain(): void;
}

export class Http2Caller implements Caller, StreamUser {
  readonly arrival: Arrival;
  readonly chunked = false;
  private readonly owner: CallerOwner;
  private readonly exchange = new Exchange();
  private stream!: Http2Stream;
  private over = true;
  /** An upgrade or CONNECT: its bytes are held back until the upstream takes them. */
  private tunnel = false;
  private dechunker: Dechunker | undefined = undefined;
  private readonly timer = new Timer(() => this.onRequestTimeout());

  constructor(owner: CallerOwner) {
    this.owner = owner;
    this.arrival = owner.arrival;
  }

  get bodyPending(): boolean {
    return !this.stream.remoteEnded;
  }

  begin(stream: Http2Stream, block: ReceivedBlock, manager: ConnectionManager): void {
    const { env, config } = manager;
    const now = stream.openedAt;
    this.take(stream, block, manager, now);
    this.tunnel = block.method === "CONNECT";
    if (this.tunnel) stream.pause();
    if (config.requestTimeoutMs > 0 && !stream.remoteEnded) env.wheel.arm(this.timer, now + config.requestTimeoutMs, now);
    routeRequest(this.exchange);
  }

  private take(stream: Http2Stream, block: ReceivedBlock, manager: ConnectionManager, now: number): void {
    this.stream = stream;
    stream.user = this;
    this.over = false;
    this.dechunker = undefined;
    manager.stats.rqTotal.value++;
    manager.stats.rqHttp2Total.value++;
    manager.stats.rqActive.value++;
    this.exchange.begin(this, manager, new Http2RequestHead(block), now);
  }

  /** A request that is answered with a reset, and logged: its head is more than the limits allow. */
  refuse(stream: Http2Stream, manager: ConnectionManager): void {
    const { exchange } = this;
    this.take(stream, EMPTY_BLOCK, manager, manager.env.clock.now());
    exchange.flags = FLAG.DR;
    exchange.details = stream.details;
    stream.reset(H2.INTERNAL_ERROR);
    this.end();
  }

  /** A request that was malformed, so that its stream is gone already. */
  logMalformed(manager: ConnectionManager, details: string): void {
    const { exchange } = this;
    const { stats, env } = manager;
    stats.rqTotal.value++;
    stats.rqHttp2Total.value++;
    stats.rqActive.value++;
    exchange.begin(this, manager, new Http2RequestHead(EMPTY_BLOCK), env.clock.now());
    exchange.flags = FLAG.DPE;
    exchange.details = details;
    finishExchange(exchange, env.clock.now());
    this.owner.onCallerFree(this);
  }

  // What the caller sends.

  onHeaders(): void {}

  onData(data: Buffer, endStream: boolean): void {
    const { exchange } = this;
    exchange.bytesReceived += data.length;
    if (endStream) this.disarm();
    exchange.taker?.onRequestData(data, { from: 0, to: data.length, complete: endStream }, undefined);
  }

  onTrailers(block: ReceivedBlock): void {
    this.disarm();
    this.exchange.taker?.onRequestData(NOTHING, { from: 0, to: 0, complete: true }, block.headers);
  }

  onReset(_code: number, cause: ResetCause): void {
    if (this.over) return;
    const { exchange } = this;
    exchange.taker?.onCallerGone();
    if (cause === "connection") {
      exchange.manager.stats.cxDestroyRemoteActive.value++;
      if (exchange.flags === 0) exchange.flags = FLAG.DC;
    } else {
      exchange.manager.stats.rqRxReset.value++;
      exchange.flags = (exchange.flags & ~FLAG.DC) | (cause === "protocol" ? FLAG.DPE : FLAG.DR);
      exchange.details = this.stream.details === "" ? "http2.remote_reset" : this.stream.details;
    }
    this.end();
  }

  onWritable(): void {}

  pauseRequest(): void {
    this.stream.pause();
  }

  resumeRequest(): void {
    this.stream.resume();
  }

  // What it is answered.

  private sendHead(block: readonly Http2Header[], endStream: boolean): void {
    if (this.exchange.manager.env.draining()) this.owner.drain();
    this.stream.sendHeaders(block, endStream);
  }

  sendWhole({ status, list, body }: WholeAnswer): void {
    const { exchange, stream } = this;
    const block: Http2Header[] = [statusField(status)];
    pushFields(list, block);
    const bodiless = body === "" || status === 204 || status === 304;
    if (!bodiless) block.push(http2Field("content-length", String(body.length)));
    const silent = bodiless || exchange.head.method === "HEAD";
    this.sendHead(block, silent);
    if (silent) return;
    exchange.bytesSent += body.length;
    stream.sendText(body, true);
  }

  sayContinue(): void {
    this.stream.sendHeaders([statusField(100)], false);
  }

  informational(head: AnswerHead): void {
    const block: Http2Header[] = [statusField(head.status)];
    pushFields(
      head.toList(() => false),
      block,
    );
    this.stream.sendHeaders(block, false);
  }

  beginAnswer(upstream: UpstreamStream, start: AnswerStart, notes: AnswerNotes): Buffer | undefined {
    const { exchange, stream } = this;
    const { head, framing, complete, bytes, data, bodyAt, forwardEnd } = start;
    const block = answerFields(exchange, head, notes);
    const length = forwardEnd - bodyAt;
    if (framing === "chunked") this.dechunker = new Dechunker();
    else if (complete && (length === 0 || forwardEnd <= bytes.length) && upstream.trailers === undefined) {
      this.sendHead(block, length === 0);
      exchange.bytesSent += length;
      if (length > 0) stream.sendText(bytes.slice(bodyAt, forwardEnd), true);
      this.openTunnel();
      return undefined;
    }
    this.sendHead(block, false);
    this.openTunnel();
    return length === 0 ? NOTHING : data.subarray(bodyAt, forwardEnd);
  }

  private openTunnel(): void {
    if (this.tunnel) this.stream.resume();
  }

  writeAnswer(view: Buffer): boolean {
    if (this.dechunker === undefined) return this.writeData(view);
    let free = true;
    for (const part of this.dechunker.feed(view)) free = this.writeData(part);
    return free;
  }

  private writeData(view: Buffer): boolean {
    this.exchange.bytesSent += view.length;
    return view.length === 0 || this.stream.sendData(view, false);
  }

  endAnswer(view: Buffer, _lasting: boolean, trailers: Trailers): boolean {
    const { exchange, stream, dechunker } = this;
    exchange.responseTrailers = trailers;
    const fields = trailerFields(trailers);
    if (dechunker !== undefined || fields.length > 0) {
      if (view.length > 0) this.writeAnswer(view);
      if (fields.length > 0) stream.sendTrailers(fields);
      else stream.sendData(NOTHING, true);
    } else {
      exchange.bytesSent += view.length;
      stream.sendData(view, true);
    }
    // What waits is a copy of its own.
    return true;
  }

  whenFlushed(fn: () => void): void {
    this.stream.whenFlushed(fn);
  }

  responseDone(now: number): void {
    const { stream } = this;
    // Both sides of a tunnel end for themselves: the caller's ends with the answer.
    if (this.tunnel && !stream.remoteEnded) stream.whenFlushed(() => stream.reset(H2.NO_ERROR));
    this.end(now);
  }

  abort(): void {
    this.stream.reset(this.tunnel ? H2.CONNECT_ERROR : H2.INTERNAL_ERROR);
    this.end();
  }

  /** The exchange is over; what its stream still holds leaves without us. */
  private end(now: number = this.exchange.manager.env.clock.now()): void {
    this.over = true;
    this.stream.user = undefined;
    this.dechunker = undefined;
    this.disarm();
    finishExchange(this.exchange, now);
    this.owner.onCallerFree(this);
  }

  private disarm(): void {
    this.timer.at = 0;
  }

  private onRequestTimeout(): void {
    if (this.over) return;
    const { exchange } = this;
    exchange.taker?.onCallerGone();
    exchange.flags &= ~FLAG.DC;
    if (exchange.responded) this.abort();
    else respond(exchange, { kind: "request_timeout" });
  }
}
