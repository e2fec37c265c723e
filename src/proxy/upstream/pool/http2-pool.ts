// The HTTP/2 connections to one host: requests share the first that has room.
import { http2Limits } from "../../http2/limits.ts";
import type { SessionEnd } from "../../http2/stream.ts";
import { Http2Connection, type Http2ConnectionOwner } from "./http2-connection.ts";
import type { Http2UpstreamStream } from "./http2-stream.ts";
import type { ConnectionPool, PoolRequest } from "./pool.ts";
import { QueueingPool } from "./queueing-pool.ts";

/** Requests that a connection is taken to carry before its peer has said how many it takes. */
const FIRST_STREAMS = 100;
const HTTP2_ALPN: readonly string[] = ["h2"];

export class Http2Pool extends QueueingPool<Http2Connection> implements ConnectionPool, Http2ConnectionOwner {
  protected readonly alpn = HTTP2_ALPN;

  protected get requestsEach(): number {
    const { http2, maxRequestsPerConnection } = this.context.config();
    const streams = Math.min(http2.maxConcurrentStreams ?? FIRST_STREAMS, FIRST_STREAMS);
    return maxRequestsPerConnection > 0 ? Math.min(streams, maxRequestsPerConnection) : streams;
  }

  get idle(): number {
    let idle = 0;
    for (const connection of this.all) if (connection.connected && connection.session.activeStreams === 0) idle++;
    return idle;
  }

  acquire(request: PoolRequest): Http2UpstreamStream | undefined {
    for (const connection of this.all) if (connection.room > 0) return connection.createStream();
    this.queue(request);
    return undefined;
  }

  drain(): void {
    this.draining = true;
    if (this.pending.size === 0) for (const connection of [...this.all]) connection.retire();
  }

  protected create(): Http2Connection {
    const { stats, clock, wheel } = this.context;
    const { http2, maxRequestsPerConnection } = this.context.config();
    stats.cxHttp2Total.value++;
    return new Http2Connection({
      owner: this,
      limits: http2Limits(http2),
      stats: stats.http2(),
      clock,
      wheel,
      maxRequests: maxRequestsPerConnection,
    });
  }

  onConnected(connection: Http2Connection): void {
    const { clock, wheel } = this.context;
    const { idleTimeoutMs, maxConnectionDurationMs } = this.context.config();
    const now = clock.now();
    this.connecting--;
    if (idleTimeoutMs > 0) wheel.arm(connection.timer, now + idleTimeoutMs, now);
    if (maxConnectionDurationMs > 0) wheel.arm(connection.ageTimer, now + maxConnectionDurationMs, now);
  }

  onRoom(connection: Http2Connection): void {
    while (this.pending.size > 0) {
      if (connection.room <= 0) {
        this.connectForWaiting();
        return;
      }
      this.next()?.onPoolReady(connection.createStream());
    }
    if (this.draining) this.drain();
  }

  onTimer(connection: Http2Connection): void {
    const { stats, clock, wheel } = this.context;
    if (connection.closed) return;
    if (!connection.connected) {
      this.onConnectTimeout(connection);
      return;
    }
    const { session } = connection;
    const { idleTimeoutMs } = this.context.config();
    const now = clock.now();
    const due = session.activeStreams > 0 ? now + idleTimeoutMs : session.idleSince + idleTimeoutMs;
    if (now < due) {
      wheel.arm(connection.timer, due, now);
      return;
    }
    stats.cxIdleTimeout.value++;
    connection.retire();
  }

  onClosed(connection: Http2Connection, end: SessionEnd): void {
    if (end === "protocol" || end === "flood") this.context.stats.cxProtocolError.value++;
    this.lost(connection);
  }

  onGoAway(): void {
    this.context.stats.cxCloseNotify.value++;
  }

  onOldAge(): void {
    this.context.stats.cxMaxDuration.value++;
  }

  onUsedUp(): void {
    this.context.stats.cxMaxRequests.value++;
  }
}
