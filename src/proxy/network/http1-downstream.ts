// A caller's HTTP/1.1 connection: reads one request at a time, strictly in order, and hands it to the route's layers.
// Envoy's HTTP connection manager and codec: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_connection_management
import { BODY_BROKEN, BODY_CHUNKED, BODY_LENGTH, Body } from "../http1/body.ts";
import { Head } from "../http1/head.ts";
import { readRequestHead } from "../http1/request-head.ts";
import { lastRead, RequestReader } from "../http1/request-reader.ts";
import { Exchange } from "../router/exchange.ts";
import { respond } from "../router/respond.ts";
import { FLAG } from "../observe/response-flags.ts";
import type { Arrival } from "./arrival.ts";
import type { ConnectionManager, ConnectionManagerStats } from "./connection-manager.ts";
import type { ConnHandler } from "./conn.ts";
import { finishExchange } from "./finish-exchange.ts";
import { Http1Caller } from "./http1-caller.ts";
import { Http2Downstream } from "./http2-downstream.ts";
import { routeRequest } from "./route-request.ts";
import { Timer } from "./timer-wheel.ts";

/** A head that is not complete after this long is an attack, where the config has no limit of its own. */
const HEAD_TIMEOUT_MS = 10_000;

type State = "idle" | "body" | "waiting" | "tunnel" | "closing";

/** What a request needs and an idle connection does not: used again last in, first out, so that it is still in the processor's cache. */
const spareHeads: Head[] = [];
const spareExchanges: Exchange[] = [];
const MAX_SPARE = 64;

export class Http1Downstream extends Http1Caller implements ConnHandler {
  private manager: ConnectionManager;
  private state: State = "idle";
  private readonly reader = new RequestReader();
  /** Bytes of later requests, not looked at before this one is answered. */
  private rest: Buffer | undefined = undefined;
  private readonly body = new Body();
  private head: Head | undefined = undefined;
  private closed = false;
  private reading = false;
  private requests = 0;
  /** It has had its time: the next answer is the last. */
  private aged = false;
  private ageTimer: Timer | undefined = undefined;
  private lastEnd = 0;
  private readonly timer = new Timer(() => this.onTimer());

  constructor(arrival: Arrival, manager: ConnectionManager) {
    super(arrival);
    this.manager = manager;
  }

  get bodyPending(): boolean {
    return this.state === "body";
  }
  get chunked(): boolean {
    return this.head?.chunked === true;
  }
  get busy(): boolean {
    return this.state !== "idle" || this.reader.begun;
  }

  opened(): void {
    const { env } = this.manager;
    const now = env.clock.now();
    this.lastEnd = now;
    const { idleTimeoutMs, maxConnectionDurationMs } = this.manager.config;
    if (idleTimeoutMs > 0) env.wheel.arm(this.timer, now + idleTimeoutMs, now);
    if (maxConnectionDurationMs <= 0) return;
    this.ageTimer = new Timer(() => this.onOldAge());
    env.wheel.arm(this.ageTimer, now + maxConnectionDurationMs, now);
  }

  /** The caller learns with its next answer; where it asks for nothing more, the connection closes when the time for that is over. */
  private onOldAge(): void {
    if (this.aged) {
      this.drain();
      return;
    }
    const { env, config, stats } = this.manager;
    const now = env.clock.now();
    stats.cxMaxDuration.value++;
    this.aged = true;
    this.keep = false;
    env.wheel.arm(this.ageTimer as Timer, now + config.drainTimeoutMs, now);
  }

  onData(data: Buffer, length: number): boolean {
    this.manager.stats.rxBytes.value += length;
    switch (this.state) {
      case "idle":
        this.readRequest(data, length);
        break;
      case "body":
        this.readBody(data.subarray(0, length), 0);
        break;
      case "tunnel":
        this.passThrough(data, length);
        break;
      case "waiting":
        this.rest = Buffer.concat(this.rest === undefined ? [data.subarray(0, length)] : [this.rest, data.subarray(0, length)]);
        this.conn.pause();
        break;
      case "closing":
        break;
    }
    return true;
  }

  private readRequest(data: Buffer, length: number): void {
    switch (this.reader.feed(data, length, this.manager.maxHeadBytes)) {
      case "head":
        this.beginRequest();
        break;
      case "more":
        this.waitForHead();
        break;
      case "empty":
        break;
      case "preface":
        if (this.requests === 0 && this.manager.config.codec === "AUTO" && this.arrival.alpn === "") this.becomeHttp2();
        else this.refuse(400, "http1.codec_error");
        break;
      case "too large":
        this.refuse(431, "http1.headers_too_large");
        break;
      case "broken":
        this.refuse(400, "http1.codec_error");
        break;
    }
  }

  private waitForHead(): void {
    if (this.reading) return;
    this.reading = true;
    const { env, config } = this.manager;
    const now = env.clock.now();
    const limit = config.requestHeadersTimeoutMs > 0 ? config.requestHeadersTimeoutMs : HEAD_TIMEOUT_MS;
    env.wheel.arm(this.timer, now + limit, now);
  }

  private takeHead(): Head {
    const head = this.head ?? spareHeads.pop() ?? new Head();
    this.head = head;
    head.keepsCase = this.manager.config.keepsHeaderCase;
    return head;
  }

  private beginExchange(head: Head, now: number): Exchange {
    const exchange = this.exchange ?? spareExchanges.pop() ?? new Exchange();
    this.exchange = exchange;
    exchange.begin(this, this.manager, head, now);
    return exchange;
  }

  private beginRequest(): void {
    const { data, length, bytes, found } = lastRead;
    const next = this.arrival.manager();
    // The listener went away or changed: this request is the first to see it.
    if (next !== undefined) this.manager = next;
    const { manager } = this;
    const { env, stats, config } = manager;
    const head = this.takeHead();
    const now = env.clock.now();
    this.reading = false;
    this.keep = true;
    this.minor = 1;
    this.countRequest(stats);
    const status = readRequestHead(head, found, lastRead, manager.rules);
    const { bodyAt } = found;
    if (status !== 0) {
      this.refuseHead(head, status, now);
      return;
    }
    const exchange = this.beginExchange(head, now);
    this.minor = head.minor;
    this.keep = (head.minor === 1 ? !head.close : head.keepAlive && !head.close) && next !== undefined && !this.aged && !env.draining();
    if (config.maxRequestsPerConnection > 0 && this.requests >= config.maxRequestsPerConnection) this.usedUp();
    if (head.chunked || head.contentLength > 0) {
      if (!head.chunked && length - bodyAt === head.contentLength && length === bytes.length) {
        exchange.bodyText = bytes.slice(bodyAt);
        exchange.bytesReceived = head.contentLength;
        this.state = "waiting";
      } else {
        this.state = "body";
        this.body.start(head.chunked ? BODY_CHUNKED : BODY_LENGTH, head.contentLength);
      }
    } else {
      this.state = "waiting";
      if (length > bodyAt) {
        this.rest = Buffer.from(data.subarray(bodyAt, length));
        this.conn.pause();
      }
    }
    if (this.state === "waiting" && exchange.bodyText === "" && head.contentLength <= 0 && config.requestTimeoutMs === 0) {
      routeRequest(exchange);
      return;
    }
    if (config.requestTimeoutMs > 0 && this.state === "body") env.wheel.arm(this.timer, now + config.requestTimeoutMs, now);
    routeRequest(exchange);
    if (this.state === "body" && length > bodyAt) this.readBody(data.subarray(0, length), bodyAt);
  }

  private usedUp(): void {
    this.keep = false;
    this.manager.stats.cxMaxRequests.value++;
  }

  private countRequest(stats: ConnectionManagerStats): void {
    if (this.requests++ === 0) {
      stats.cxHttp1Total.value++;
      stats.cxHttp1Active.value++;
    }
    stats.rqTotal.value++;
    stats.rqHttp1Total.value++;
    stats.rqActive.value++;
  }

  private readBody(chunk: Buffer, from: number): void {
    const exchange = this.exchange as Exchange;
    const stop = this.body.feed(chunk, from, chunk.length);
    if (stop === BODY_BROKEN) {
      this.brokenBody(exchange);
      return;
    }
    const to = this.body.forwardEnd;
    const complete = stop >= 0;
    exchange.bytesReceived = this.body.payload;
    if (complete) {
      this.state = "waiting";
      if (stop < chunk.length) {
        this.rest = Buffer.from(chunk.subarray(stop));
        this.conn.pause();
      }
    }
    const { trailers } = this.body;
    const end = trailers === undefined || exchange.config.enableTrailers ? trailers : "";
    exchange.taker?.onRequestData(chunk, { from, to, complete }, end);
  }

  private passThrough(data: Buffer, length: number): void {
    const exchange = this.exchange as Exchange;
    exchange.bytesReceived += length;
    exchange.taker?.onRequestData(data, { from: 0, to: length, complete: false }, undefined);
  }

  private brokenBody(exchange: Exchange): void {
    this.manager.stats.cxProtocolError.value++;
    exchange.taker?.onCallerGone();
    exchange.flags = (exchange.flags & ~FLAG.DC) | FLAG.DPE;
    if (exchange.responded) this.abort();
    else respond(exchange, { kind: "codec", status: 400, details: "http1.codec_error" });
  }

  private refuseHead(head: Head, status: number, now: number): void {
    this.manager.stats.cxProtocolError.value++;
    this.minor = head.minor === 0 && this.manager.rules.acceptHttp10 ? 0 : 1;
    this.answerRefusal(head, { status, details: head.refusal, now });
  }

  /** Nothing of the head is told: it is none. */
  private answerRefusal(head: Head, { status, details, now }: { status: number; details: string; now: number }): void {
    head.blank();
    const exchange = this.beginExchange(head, now);
    this.state = "waiting";
    respond(exchange, { kind: "codec", status, details });
  }

  private refuse(status: number, details: string): void {
    this.manager.stats.cxProtocolError.value++;
    this.countRequest(this.manager.stats);
    this.answerRefusal(this.takeHead(), { status, details, now: this.manager.env.clock.now() });
  }

  /** The connection's first bytes are HTTP/2's. */
  private becomeHttp2(): void {
    const { data, length } = lastRead;
    const next = new Http2Downstream(this.arrival, this.manager);
    this.manager.env.wheel.remove(this.timer);
    if (this.ageTimer !== undefined) this.manager.env.wheel.remove(this.ageTimer);
    this.closed = true;
    next.conn = this.conn;
    this.conn.handler = next;
    this.arrival.becomes(next);
    next.opened();
    next.onData(data, length);
  }

  protected enterTunnel(): void {
    this.state = "tunnel";
    const { rest } = this;
    if (rest === undefined) return;
    this.rest = undefined;
    this.conn.resume();
    this.passThrough(rest, rest.length);
  }

  responseDone(now: number): void {
    const exchange = this.exchange as Exchange;
    finishExchange(exchange, now);
    if (!this.keep) {
      this.close();
      return;
    }
    this.state = "idle";
    const { rest } = this;
    if (rest === undefined) {
      this.giveBack(exchange);
      const { idleTimeoutMs } = this.manager.config;
      this.lastEnd = now;
      if (idleTimeoutMs > 0) this.manager.env.wheel.arm(this.timer, now + idleTimeoutMs, now);
      return;
    }
    // The next request is read from a fresh stack: thousands of pipelined ones must not pile up.
    this.rest = undefined;
    setImmediate(() => {
      if (this.closed || this.state !== "idle") return;
      this.conn.resume();
      this.onData(rest, rest.length);
    });
  }

  private giveBack(exchange: Exchange): void {
    if (this.head === undefined || spareExchanges.length >= MAX_SPARE) return;
    spareHeads.push(this.head);
    spareExchanges.push(exchange);
    this.head = undefined;
    this.exchange = undefined;
  }

  abort(): void {
    finishExchange(this.exchange as Exchange, this.manager.env.clock.now());
    this.state = "closing";
    this.conn.reset();
  }

  /** Sends what is left, then waits a moment for the caller to close, so that it gets the answer and no reset. */
  private close(): void {
    this.state = "closing";
    this.keep = false;
    const { env, config } = this.manager;
    const now = env.clock.now();
    this.conn.end();
    this.conn.resume();
    env.wheel.arm(this.timer, now + (config.delayedCloseTimeoutMs > 0 ? config.delayedCloseTimeoutMs : 1000), now);
  }

  /** The listener goes: an idle connection closes, a busy one after its answer. */
  drain(): void {
    this.keep = false;
    if (!this.busy && !this.closed) this.close();
  }

  private onTimer(): void {
    if (this.closed) return;
    const { env, config } = this.manager;
    const now = env.clock.now();
    switch (this.state) {
      case "closing":
        this.conn.destroy();
        return;
      case "idle":
        if (this.reader.begun) this.refuse(408, "request_header_timeout");
        else if (config.idleTimeoutMs > 0 && now >= this.lastEnd + config.idleTimeoutMs) {
          this.manager.stats.cxIdleTimeout.value++;
          this.close();
        } else if (config.idleTimeoutMs > 0) env.wheel.arm(this.timer, this.lastEnd + config.idleTimeoutMs, now);
        return;
      case "body":
        if (config.requestTimeoutMs > 0) {
          const exchange = this.exchange as Exchange;
          exchange.taker?.onCallerGone();
          exchange.flags &= ~FLAG.DC;
          if (exchange.responded) this.abort();
          else respond(exchange, { kind: "request_timeout" });
        }
        return;
      default:
    }
  }

  onEnd(): void {
    switch (this.state) {
      case "idle":
      case "closing":
        this.conn.end();
        this.conn.destroy();
        break;
      case "tunnel":
        this.exchange?.taker?.onTunnelEnd();
        break;
      default:
        // Half of a connection is no caller: the request is given up, as Envoy does.
        this.conn.destroy();
    }
  }

  onClose(): void {
    if (this.closed) return;
    this.closed = true;
    const { stats, env } = this.manager;
    stats.cxActive.value--;
    if (this.requests > 0) stats.cxHttp1Active.value--;
    env.wheel.remove(this.timer);
    if (this.ageTimer !== undefined) env.wheel.remove(this.ageTimer);
    const { exchange } = this;
    if (exchange !== undefined && (this.state === "body" || this.state === "waiting" || this.state === "tunnel")) {
      stats.cxDestroyRemoteActive.value++;
      exchange.taker?.onCallerGone();
      if (exchange.flags === 0) exchange.flags = FLAG.DC;
      finishExchange(exchange, env.clock.now());
    }
    this.state = "closing";
    this.rest = undefined;
    this.reader.clear();
    this.arrival.onClosed();
  }
}
