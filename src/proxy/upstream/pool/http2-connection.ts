// One upstream HTTP/2 connection: how it is opened, how many requests it still takes, and how it ends.
import { createHttp2Session } from "../../http2/session.ts";
import type { Http2Limits } from "../../config/index.ts";
import type { Http2Session, Http2Stats, SessionEnd, SessionHandler } from "../../http2/stream.ts";
import type { Clock } from "../../../kit/index.ts";
import type { Conn, ConnHandler } from "../../network/conn.ts";
import { Timer, type TimerWheel } from "../../network/timer-wheel.ts";
import type { ResetReason } from "../../observe/failure.ts";
import type { TlsInfo } from "../../transport/tls-info.ts";
import { Http2UpstreamStream, type StreamOwner } from "./http2-stream.ts";

export interface Http2ConnectionOwner {
  onConnected(connection: Http2Connection): void;
  /** There may be room for more requests: connected, a stream closed, or the peer allows more. */
  onRoom(connection: Http2Connection): void;
  onConnectFailure(connection: Http2Connection, reason: ResetReason, systemCode: string | undefined): void;
  onClosed(connection: Http2Connection, end: SessionEnd): void;
  /** The connection's timer: connect time-out until it is connected, then idle time-out. */
  onTimer(connection: Http2Connection): void;
  onGoAway(): void;
  /** It has had its time. */
  onOldAge(): void;
  /** It has had all the requests that it may have. */
  onUsedUp(): void;
  countReceived(bytes: number): void;
  countSent(bytes: number): void;
}

export interface Http2ConnectionOptions {
  readonly owner: Http2ConnectionOwner;
  readonly limits: Http2Limits;
  readonly stats: Http2Stats;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** Requests that it takes before it is closed; 0 = any number. */
  readonly maxRequests: number;
}

export class Http2Connection implements ConnHandler, SessionHandler, StreamOwner {
  readonly session: Http2Session;
  conn!: Conn;
  connected = false;
  private retired = false;
  /** Its owner has heard of its end. */
  closed = false;
  uses = 0;
  received = 0;
  localAddress = "";
  tls: TlsInfo | undefined = undefined;
  readonly timer: Timer;
  readonly ageTimer: Timer;
  private readonly owner: Http2ConnectionOwner;
  private readonly maxRequests: number;

  constructor(options: Http2ConnectionOptions) {
    const { owner } = options;
    this.owner = owner;
    this.maxRequests = options.maxRequests;
    this.timer = new Timer(() => owner.onTimer(this));
    this.ageTimer = new Timer(() => {
      owner.onOldAge();
      this.retire();
    });
    this.session = createHttp2Session({ ...options, role: "client", handler: this });
  }

  /** How many more requests it takes now. */
  get room(): number {
    const { session } = this;
    if (!this.connected || this.retired || session.goingAway) return 0;
    const streams = session.maxConcurrentStreams - session.activeStreams;
    return this.maxRequests > 0 ? Math.min(streams, this.maxRequests - this.uses) : streams;
  }

  createStream(): Http2UpstreamStream {
    return new Http2UpstreamStream(this);
  }

  /** No new requests; it closes when those under way are done. */
  retire(): void {
    this.retired = true;
    if (!this.connected) this.conn.destroy();
    else if (this.session.activeStreams === 0) this.session.drain();
  }

  onConnect(tls: TlsInfo | undefined): void {
    this.tls = tls;
    this.connected = true;
    this.owner.onConnected(this);
    this.localAddress = this.conn.localText;
    this.session.start(this.conn);
    this.owner.onRoom(this);
  }

  onData(data: Buffer, length: number): boolean {
    this.received += length;
    this.owner.countReceived(length);
    return this.session.onData(data, length);
  }

  onEnd(): void {
    if (this.connected) this.session.onEnd();
    else this.conn.destroy();
  }

  onClose(code: string | undefined): void {
    if (this.closed) return;
    if (this.connected) {
      this.session.onClose(code);
      return;
    }
    this.closed = true;
    this.owner.onConnectFailure(this, "remote connection failure", code);
  }

  // What streams and session report.

  onOpened(): void {
    this.uses++;
    if (this.uses !== this.maxRequests) return;
    this.owner.onUsedUp();
    this.retire();
  }

  countSent(bytes: number): void {
    this.owner.countSent(bytes);
  }

  onRequest(): void {}
  onOversizedRequest(): void {}
  onMalformedRequest(): void {}

  onStreamClosed(): void {
    if (this.retired) this.retire();
    else this.owner.onRoom(this);
  }

  onSettings(): void {
    this.owner.onRoom(this);
  }

  onGoAway(): void {
    if (!this.retired) this.owner.onGoAway();
  }

  onClosed(end: SessionEnd): void {
    if (this.closed) return;
    this.closed = true;
    this.owner.onClosed(this, end);
  }
}
