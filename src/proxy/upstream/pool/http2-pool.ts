// The HTTP/2 connections to one host: requests share the first that has room, and wait in order while one connects.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/connection_pooling
import { http2Limits } from "../../http2/limits.ts";
import type { SessionEnd } from "../../http2/stream.ts";
import { dial } from "../../network/conn.ts";
import type { ResetReason } from "../../observe/failure.ts";
import { canConnect, canQueue } from "../circuit-breaker.ts";
import type { RequestNames } from "../connection-names.ts";
import type { Host } from "../host.ts";
import { Http2Connection, type Http2ConnectionOwner } from "./http2-connection.ts";
import type { Http2UpstreamStream } from "./http2-stream.ts";
import type { ConnectionPool, PoolContext, PoolRequest } from "./pool.ts";

/** Requests that a connection is taken to carry before its peer has said how many it takes. */
const FIRST_STREAMS = 100;
const HTTP2_ALPN: readonly string[] = ["h2"];

export class Http2Pool implements ConnectionPool, Http2ConnectionOwner {
  private readonly host: Host;
  private readonly context: PoolContext;
  private readonly names: RequestNames;
  private readonly all = new Set<Http2Connection>();
  private readonly pending = new Set<PoolRequest>();
  private connecting = 0;
  private draining = false;

  constructor(host: Host, context: PoolContext, names: RequestNames) {
    this.host = host;
    this.context = context;
    this.names = names;
  }

  get active(): number {
    return this.all.size - this.idle;
  }

  get idle(): number {
    let idle = 0;
    for (const connection of this.all) if (connection.connected && connection.session.activeStreams === 0) idle++;
    return idle;
  }

  get waiting(): number {
    return this.pending.size;
  }

  acquire(request: PoolRequest): Http2UpstreamStream | undefined {
    for (const connection of this.all) if (connection.room > 0) return connection.createStream();
    const { stats, usage } = this.context;
    const { breakers } = this.context.config();
    if (!canQueue(usage, breakers)) {
      stats.rqPendingOverflow.value++;
      request.onPoolFailure("overflow", undefined);
      return undefined;
    }
    stats.rqPendingTotal.value++;
    stats.rqPendingActive.value++;
    usage.pending++;
    this.pending.add(request);
    this.connectForWaiting();
    return undefined;
  }

  cancel(request: PoolRequest): void {
    if (this.pending.delete(request)) this.leftQueue();
  }

  drain(): void {
    this.draining = true;
    if (this.pending.size === 0) for (const connection of [...this.all]) connection.retire();
  }

  private leftQueue(): void {
    this.context.usage.pending--;
    this.context.stats.rqPendingActive.value--;
  }

  private connectForWaiting(): void {
    const { stats, usage } = this.context;
    const config = this.context.config();
    const streams = Math.min(config.http2.maxConcurrentStreams ?? FIRST_STREAMS, FIRST_STREAMS);
    const each = config.maxRequestsPerConnection > 0 ? Math.min(streams, config.maxRequestsPerConnection) : streams;
    if (this.connecting * each >= this.pending.size) return;
    // One connection per host is always allowed, or a full cluster would starve its other hosts.
    if (canConnect(usage, config.breakers) || this.all.size === 0) this.connect();
    else stats.cxOverflow.value++;
  }

  private connect(): void {
    const { stats, usage, clock, wheel } = this.context;
    const config = this.context.config();
    const connection = new Http2Connection({
      owner: this,
      limits: http2Limits(config.http2),
      stats: stats.http2(),
      clock,
      wheel,
      maxRequests: config.maxRequestsPerConnection,
    });
    this.all.add(connection);
    this.connecting++;
    usage.connections++;
    stats.cxTotal.value++;
    stats.cxHttp2Total.value++;
    stats.cxActive.value++;
    this.host.stats.cxTotal++;
    this.host.stats.cxActive++;
    const now = clock.now();
    connection.openedAt = now;
    connection.conn = dial(
      {
        host: this.host.address,
        port: this.host.port,
        localAddress: config.sourceAddress,
        keepalive: config.tcpKeepalive,
        transport: this.context.transport(this.host, this.names, HTTP2_ALPN),
        onConnect: (tls) => {
          this.onConnected(connection);
          connection.onConnect(tls);
        },
      },
      connection,
    );
    wheel.arm(connection.timer, now + config.connectTimeoutMs, now);
  }

  private onConnected(connection: Http2Connection): void {
    const { clock, wheel } = this.context;
    const { idleTimeoutMs, maxConnectionDurationMs } = this.context.config();
    const now = clock.now();
    this.connecting--;
    wheel.disarm(connection.timer);
    if (idleTimeoutMs > 0) wheel.arm(connection.timer, now + idleTimeoutMs, now);
    if (maxConnectionDurationMs > 0) wheel.arm(connection.ageTimer, now + maxConnectionDurationMs, now);
  }

  onRoom(connection: Http2Connection): void {
    for (const request of this.pending) {
      if (connection.room <= 0) {
        this.connectForWaiting();
        return;
      }
      this.pending.delete(request);
      this.leftQueue();
      request.onPoolReady(connection.createStream());
    }
    if (this.draining) this.drain();
  }

  onTimer(connection: Http2Connection): void {
    const { stats, clock, wheel } = this.context;
    if (connection.closed) return;
    if (connection.connected) {
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
      return;
    }
    stats.cxConnectTimeout.value++;
    connection.closed = true;
    connection.conn.destroy();
    this.onConnectFailure(connection, "connection timeout", undefined);
  }

  onConnectFailure(connection: Http2Connection, reason: ResetReason, systemCode: string | undefined): void {
    this.connecting--;
    this.context.stats.cxConnectFail.value++;
    this.host.stats.cxConnectFail++;
    this.forget(connection);
    // Whoever waits for this host is told at once: it can try another one.
    for (const request of [...this.pending]) {
      if (!this.pending.delete(request)) continue;
      this.leftQueue();
      this.context.stats.rqPendingFailure.value++;
      request.onPoolFailure(reason, systemCode);
    }
  }

  onClosed(connection: Http2Connection, end: SessionEnd): void {
    if (end === "protocol" || end === "flood") this.context.stats.cxProtocolError.value++;
    this.forget(connection);
    if (this.pending.size > 0) this.connectForWaiting();
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

  private forget(connection: Http2Connection): void {
    if (!this.all.delete(connection)) return;
    const { wheel, usage, stats } = this.context;
    wheel.remove(connection.timer);
    wheel.remove(connection.ageTimer);
    usage.connections--;
    stats.cxActive.value--;
    stats.cxDestroy.value++;
    this.host.stats.cxActive--;
  }

  countReceived(bytes: number): void {
    this.context.stats.rxBytes.value += bytes;
  }

  countSent(bytes: number): void {
    this.context.stats.txBytes.value += bytes;
  }
}
