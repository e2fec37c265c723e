// A caller's HTTP/2 connection: its session, the requests that come on it, and how it ends. Envoy's HTTP connection manager over its HTTP/2 codec:
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_connection_management
import { createHttp2Session } from "../http2/session.ts";
import type { Http2Session, Http2Stream, ReceivedBlock, SessionEnd, SessionHandler } from "../http2/stream.ts";
import type { Arrival } from "./arrival.ts";
import type { Conn, ConnHandler } from "./conn.ts";
import type { ConnectionManager } from "./connection-manager.ts";
import { type CallerOwner, Http2Caller } from "./http2-caller.ts";
import { Timer } from "./timer-wheel.ts";

/** Callers that a connection keeps for its next requests. */
const MAX_SPARE = 64;

export class Http2Downstream implements ConnHandler, SessionHandler, CallerOwner {
  conn!: Conn;
  readonly arrival: Arrival;
  private manager: ConnectionManager;
  private readonly session: Http2Session;
  private requests = 0;
  private readonly spare: Http2Caller[] = [];
  private readonly idleTimer = new Timer(() => this.onIdleTimer());
  private readonly ageTimer = new Timer(() => this.onOldAge());

  constructor(arrival: Arrival, manager: ConnectionManager) {
    this.arrival = arrival;
    this.manager = manager;
    const { env, http2 } = manager;
    this.session = createHttp2Session({
      role: "server",
      limits: http2.limits,
      stats: http2.stats,
      handler: this,
      clock: env.clock,
      wheel: env.wheel,
    });
    manager.stats.cxHttp2Total.value++;
    manager.stats.cxHttp2Active.value++;
  }

  get busy(): boolean {
    return this.session.activeStreams > 0;
  }

  opened(): void {
    const { env, config } = this.manager;
    const now = env.clock.now();
    this.session.start(this.conn);
    if (config.idleTimeoutMs > 0) env.wheel.arm(this.idleTimer, now + config.idleTimeoutMs, now);
    if (config.maxConnectionDurationMs > 0) env.wheel.arm(this.ageTimer, now + config.maxConnectionDurationMs, now);
  }

  onData(data: Buffer, length: number): boolean {
    this.manager.stats.rxBytes.value += length;
    return this.session.onData(data, length);
  }

  onEnd(): void {
    this.session.onEnd();
  }

  onClose(code: string | undefined): void {
    this.session.onClose(code);
  }

  private nextManager(): ConnectionManager {
    const next = this.arrival.manager();
    // The listener went away or changed: this request is the first to see it.
    if (next === undefined) this.session.drain();
    else this.manager = next;
    return this.manager;
  }

  private takeCaller(): Http2Caller {
    return this.spare.pop() ?? new Http2Caller(this);
  }

  onRequest(stream: Http2Stream, block: ReceivedBlock): void {
    const manager = this.nextManager();
    this.takeCaller().begin(stream, block, manager);
    const { maxRequestsPerConnection } = manager.config;
    if (maxRequestsPerConnection <= 0 || ++this.requests !== maxRequestsPerConnection) return;
    manager.stats.cxMaxRequests.value++;
    this.session.drain();
  }

  onOversizedRequest(stream: Http2Stream): void {
    this.takeCaller().refuse(stream, this.nextManager());
  }

  onMalformedRequest(details: string): void {
    this.manager.stats.cxProtocolError.value++;
    this.takeCaller().logMalformed(this.manager, details);
  }

  onCallerFree(caller: Http2Caller): void {
    if (this.spare.length < MAX_SPARE) this.spare.push(caller);
  }

  onStreamClosed(): void {}
  onSettings(): void {}
  onGoAway(): void {}

  onClosed(end: SessionEnd): void {
    const { stats, env } = this.manager;
    stats.cxActive.value--;
    stats.cxHttp2Active.value--;
    if (end === "protocol" || end === "flood") stats.cxProtocolError.value++;
    env.wheel.remove(this.idleTimer);
    env.wheel.remove(this.ageTimer);
    this.spare.length = 0;
    this.arrival.onClosed();
  }

  /** No more requests: the caller is told, and what it has under way is answered. */
  drain(): void {
    this.session.drain();
  }

  private onIdleTimer(): void {
    const { session } = this;
    if (session.closed) return;
    const { env, config, stats } = this.manager;
    const now = env.clock.now();
    const due = session.activeStreams > 0 ? now + config.idleTimeoutMs : session.idleSince + config.idleTimeoutMs;
    if (now < due) {
      env.wheel.arm(this.idleTimer, due, now);
      return;
    }
    stats.cxIdleTimeout.value++;
    session.drain();
  }

  private onOldAge(): void {
    this.manager.stats.cxMaxDuration.value++;
    this.session.drain();
  }
}
