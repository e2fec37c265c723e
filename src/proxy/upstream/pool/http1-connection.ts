// One upstream HTTP/1.1 connection: reads responses strictly, one request at a time, and says whether it may be used again.
import type { Trailers } from "../../http/message.ts";
import type { OutgoingRequest } from "../../http/outgoing-request.ts";
import { BODY_BROKEN, BODY_CHUNKED, BODY_LENGTH, BODY_NONE, BODY_UNTIL_CLOSE, Body, type BodyMode } from "../../http1/body.ts";
import { findHead } from "../../http1/find-head.ts";
import { Head } from "../../http1/head.ts";
import { readResponseHead } from "../../http1/response-head.ts";
import { type Conn, type ConnHandler, HIGH_WATER } from "../../network/conn.ts";
import { Timer } from "../../network/timer-wheel.ts";
import type { ResetReason } from "../../observe/failure.ts";
import type { TlsInfo } from "../../transport/tls-info.ts";
import type { AnswerStart, BodyFraming, UpstreamStream, UpstreamUser } from "./upstream-stream.ts";

/** Messages up to this size are handled as one string. */
const SMALL = 16_384;
const FIRST_LOOK = 4096;
const MAX_HEAD = 81_920;
const MAX_INFORMATIONAL = 16;
/** A connection that had been idle this long and dies without an answer was most likely closed before our request reached it. */
const IDLE_RACE_MS = 200;
const FRAMING: Readonly<Record<BodyMode, BodyFraming>> = {
  [BODY_NONE]: "none",
  [BODY_LENGTH]: "length",
  [BODY_CHUNKED]: "chunked",
  [BODY_UNTIL_CLOSE]: "plain",
};

export interface ConnectionOwner {
  /** The cluster takes trailers in HTTP/1. */
  readonly acceptsTrailers: boolean;
  /** Header lines that an answer may have. */
  readonly maxHeaders: number;
  /** Answers' header names keep their letters' case. */
  readonly keepsHeaderCase: boolean;
  onConnected(connection: Http1Connection): void;
  onConnectFailure(connection: Http1Connection, reason: ResetReason, systemCode: string | undefined): void;
  onClosed(connection: Http1Connection): void;
  onReleased(connection: Http1Connection, now: number): void;
  onTimer(connection: Http1Connection): void;
  countReceived(bytes: number): void;
  countSent(bytes: number): void;
}

// Responses are read synchronously, so one head serves every connection.
const RESPONSE = new Head();
const NOTHING = Buffer.alloc(0);
const start: { -readonly [K in keyof AnswerStart]: AnswerStart[K] } = {
  head: RESPONSE,
  framing: "none",
  bytes: "",
  data: NOTHING,
  bodyAt: 0,
  forwardEnd: 0,
  complete: false,
};

export class Http1Connection implements ConnHandler, UpstreamStream {
  readonly owner: ConnectionOwner;
  conn!: Conn;
  user: UpstreamUser | undefined = undefined;
  readonly body = new Body();
  connected = false;
  closed = false;
  /** May be used again when this response is over. */
  keep = true;
  /** It has had its time: it takes no more requests. */
  retired = false;
  ageTimer: Timer | undefined = undefined;
  uses = 0;
  /** Response bytes of the request under way. */
  received = 0;
  idleAt = 0;
  /** How long it had been idle before the request under way. */
  idleMs = 0;
  localAddress = "";
  tls: TlsInfo | undefined = undefined;
  readonly lasting = true;
  readonly timer: Timer;
  private inBody = false;
  private tunnel = false;
  private partial: Buffer | undefined = undefined;
  private informational = 0;

  constructor(owner: ConnectionOwner) {
    this.owner = owner;
    this.timer = new Timer(() => owner.onTimer(this));
  }

  attach(user: UpstreamUser, now: number): void {
    this.user = user;
    this.idleMs = now - this.idleAt;
    this.uses++;
    this.received = 0;
    this.informational = 0;
  }

  get outraced(): boolean {
    return this.uses > 1 && this.received === 0 && this.idleMs >= IDLE_RACE_MS;
  }

  get payload(): number {
    return this.body.payload;
  }

  get trailers(): Trailers {
    const { trailers } = this.body;
    return trailers === undefined || this.owner.acceptsTrailers ? trailers : "";
  }

  send(request: OutgoingRequest): void {
    const end = request.attempts > 0 ? "x-envoy-attempt-count: " + request.attempts + "\r\n\r\n" : "\r\n";
    const text = request.text + end + request.bodyText;
    this.conn.writeStr(text);
    this.owner.countSent(text.length);
  }

  write(part: Buffer): boolean {
    this.conn.writeCopy(part);
    this.owner.countSent(part.length);
    return this.conn.pending() <= HIGH_WATER;
  }

  finish(part: Buffer, text: string): void {
    if (part.length > 0) this.write(part);
    if (text !== "") this.conn.writeStr(text);
    if (this.tunnel) this.conn.end();
  }

  whenWritable(fn: () => void): void {
    this.conn.whenFlushed(fn);
  }

  resume(): void {
    this.conn.resume();
  }

  prepend(text: string, { data, bodyAt, forwardEnd }: AnswerStart): Buffer | undefined {
    return this.conn.prepend(text, data, { from: bodyAt, to: forwardEnd });
  }

  release(reusable: boolean, now: number): void {
    this.user = undefined;
    this.inBody = false;
    if (!reusable) this.keep = false;
    this.owner.onReleased(this, now);
  }

  abandon(): void {
    this.user = undefined;
    this.keep = false;
    this.conn.destroy();
  }

  onConnect(tls: TlsInfo | undefined): void {
    this.tls = tls;
    this.connected = true;
    this.localAddress = this.conn.localText;
    this.owner.onConnected(this);
  }

  onData(data: Buffer, length: number): boolean {
    const user = this.user;
    this.owner.countReceived(length);
    if (user === undefined) {
      // Bytes that nobody asked for: never to be taken for the next response.
      this.keep = false;
      this.conn.destroy();
      return true;
    }
    this.received += length;
    if (this.inBody) return this.feed(user, data, length);
    return this.readHead(user, data, length);
  }

  private readHead(user: UpstreamUser, data: Buffer, length: number): boolean {
    let buf = data;
    let n = length;
    if (this.partial !== undefined) {
      buf = Buffer.concat([this.partial, data.subarray(0, length)]);
      n = buf.length;
      this.partial = undefined;
    }
    for (;;) {
      let bytes = buf.toString("latin1", 0, n > SMALL ? FIRST_LOOK : n);
      let found = findHead(bytes);
      if (found.end < 0 && bytes.length < n) {
        bytes = buf.toString("latin1", 0, Math.min(n, MAX_HEAD));
        found = findHead(bytes);
      }
      if (found.end < 0) {
        if (n >= MAX_HEAD || !mayBecomeAnswer(bytes)) return this.broken();
        this.partial = Buffer.from(buf.subarray(0, n));
        return true;
      }
      const head = RESPONSE;
      head.keepsCase = this.owner.keepsHeaderCase;
      start.bytes = bytes;
      start.data = buf;
      if (!readResponseHead(head, found, start) || head.lines > this.owner.maxHeaders) return this.broken();
      const { bodyAt } = found;
      if (head.status < 200 && head.status !== 101) {
        if (++this.informational > MAX_INFORMATIONAL) return this.broken();
        user.onInformational(head);
        buf = buf.subarray(bodyAt, n);
        n -= bodyAt;
        if (n === 0) return true;
        continue;
      }
      return this.begin(user, bodyAt, n);
    }
  }

  /** `start` holds the bytes. */
  private begin(user: UpstreamUser, bodyAt: number, n: number): boolean {
    const head = RESPONSE;
    const body = this.body;
    const { data } = start;
    this.keep = head.minor === 1 ? !head.close : head.keepAlive && !head.close;
    this.tunnel = head.status === 101 || (user.connects === true && head.status < 300);
    if (this.tunnel) {
      body.start(BODY_UNTIL_CLOSE, 0);
      this.keep = false;
    } else if (user.expectsNoBody || head.status === 204 || head.status === 304) body.start(BODY_NONE, 0);
    else if (head.chunked) body.start(BODY_CHUNKED, 0);
    else if (head.contentLength >= 0) body.start(BODY_LENGTH, head.contentLength);
    else {
      body.start(BODY_UNTIL_CLOSE, 0);
      this.keep = false;
    }
    const stop = body.feed(data, bodyAt, n);
    if (stop === BODY_BROKEN) return this.broken();
    if (stop >= 0 && stop < n) this.keep = false;
    this.inBody = stop < 0;
    start.framing = FRAMING[body.mode];
    start.bodyAt = bodyAt;
    start.forwardEnd = body.forwardEnd;
    start.complete = stop >= 0;
    // `data` may be a copy of ours; then the read buffer itself is free in any case.
    return user.onAnswer(this, start);
  }

  private feed(user: UpstreamUser, data: Buffer, length: number): boolean {
    const stop = this.body.feed(data, 0, length);
    if (stop === BODY_BROKEN) return this.broken();
    const complete = stop >= 0;
    if (complete) {
      this.inBody = false;
      if (stop < length) this.keep = false;
    }
    return user.onAnswerData(this, data, { from: 0, to: this.body.forwardEnd, complete });
  }

  private broken(): boolean {
    const user = this.user;
    this.user = undefined;
    this.keep = false;
    this.conn.destroy();
    user?.onUpstreamReset(this, "protocol error", undefined);
    return true;
  }

  onEnd(): void {
    const user = this.user;
    this.keep = false;
    // A body that lasts until the close is over, and its user gives the connection back.
    if (user !== undefined && this.inBody && this.body.mode === BODY_UNTIL_CLOSE) {
      this.inBody = false;
      user.onAnswerData(this, NOTHING, { from: 0, to: 0, complete: true });
    } else this.conn.destroy();
  }

  onClose(code: string | undefined): void {
    if (this.closed) return;
    this.closed = true;
    const user = this.user;
    this.user = undefined;
    if (!this.connected) {
      this.owner.onConnectFailure(this, "remote connection failure", code);
      return;
    }
    this.owner.onClosed(this);
    // A head or a body that stops short breaks the protocol (Envoy: premature half close).
    const short = this.partial !== undefined || (this.inBody && this.body.mode !== BODY_UNTIL_CLOSE);
    user?.onUpstreamReset(this, short ? "protocol error" : "connection termination", code);
  }
}

const VERSION = "HTTP/1.";

/** What speaks another protocol is not waited for. */
function mayBecomeAnswer(bytes: string): boolean {
  return bytes.length < VERSION.length ? VERSION.startsWith(bytes) : bytes.startsWith(VERSION);
}
