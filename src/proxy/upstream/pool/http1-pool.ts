// The connections to one host: idle ones are taken last in, first out; requests wait in order while new ones connect.
// Bounds are the cluster's circuit breakers: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/connection_pooling
import { dial } from "../../network/conn.ts";
import { Timer } from "../../network/timer-wheel.ts";
import type { ResetReason } from "../../observe/failure.ts";
import { canConnect, canQueue } from "../circuit-breaker.ts";
import type { RequestNames } from "../connection-names.ts";
import type { Host } from "../host.ts";
import { type ConnectionOwner, Http1Connection } from "./http1-connection.ts";
import type { ConnectionPool, PoolContext, PoolRequest } from "./pool.ts";

const HTTP1_ALPN: readonly string[] = ["http/1.1"];

export class Http1Pool implements ConnectionPool, ConnectionOwner {
  readonly host: Host;
  private readonly context: PoolContext;
  private readonly names: RequestNames;
  private readonly idleConnections: Http1Connection[] = [];
  private readonly all = new Set<Http1Connection>();
  private readonly pending = new Set<PoolRequest>();
  private connecting = 0;
  private draining = false;

  constructor(host: Host, context: PoolContext, names: RequestNames) {
    this.host = host;
    this.context = context;
    this.names = names;
  }

  get acceptsTrailers(): boolean {
    return this.context.config().http1Trailers;
  }

  get maxHeaders(): number {
    return this.context.config().maxHeadersCount;
  }

  get keepsHeaderCase(): boolean {
    return this.context.config().keepsHeaderCase;
  }

  get active(): number {
    return this.all.size - this.idleConnections.length;
  }

  get idle(): number {
    return this.idleConnections.length;
  }

  get waiting(): number {
    return this.pending.size;
  }

  acquire(request: PoolRequest): Http1Connection | undefined {
    const ready = this.idleConnections.pop();
    if (ready !== undefined) return ready;
    const { stats, usage } = this.context;
    const limits = this.context.config().breakers;
    if (!canQueue(usage, limits)) {
      stats.rqPendingOverflow.value++;
      request.onPoolFailure("overflow", undefined);
      return undefined;
    }
    stats.rqPendingTotal.value++;
    stats.rqPendingActive.value++;
    usage.pending++;
    this.pending.add(request);
    if (this.connecting < this.pending.size) {
      // One connection per host is always allowed, or a full cluster would starve its other hosts.
      if (canConnect(usage, limits) || this.all.size === 0) this.connect();
      else stats.cxOverflow.value++;
    }
    return undefined;
  }

  cancel(request: PoolRequest): void {
    if (this.pending.delete(request)) this.leftQueue();
  }

  drain(): void {
    this.draining = true;
    for (const connection of this.idleConnections.splice(0)) connection.conn.destroy();
  }

  private leftQueue(): void {
    this.context.usage.pending--;
    this.context.stats.rqPendingActive.value--;
  }

  private connect(): void {
    const { stats, usage, clock, wheel } = this.context;
    const config = this.context.config();
    const connection = new Http1Connection(this);
    this.all.add(connection);
    this.connecting++;
    usage.connections++;
    stats.cxTotal.value++;
    stats.cxHttp1Total.value++;
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
        transport: this.context.transport(this.host, this.names, HTTP1_ALPN),
        onConnect: (tls) => connection.onConnect(tls),
      },
      connection,
    );
    wheel.arm(connection.timer, now + config.connectTimeoutMs, now);
  }

  onConnected(connection: Http1Connection): void {
    this.connecting--;
    this.context.wheel.disarm(connection.timer);
    const { maxConnectionDurationMs } = this.context.config();
    if (maxConnectionDurationMs > 0) {
      const now = this.context.clock.now();
      connection.ageTimer = new Timer(() => this.onOldAge(connection));
      this.context.wheel.arm(connection.ageTimer, now + maxConnectionDurationMs, now);
    }
    this.offer(connection);
  }

  /** No more requests; the one under way is finished. */
  private onOldAge(connection: Http1Connection): void {
    this.context.stats.cxMaxDuration.value++;
    connection.retired = true;
    if (this.idleConnections.includes(connection)) connection.conn.destroy();
  }

  onReleased(connection: Http1Connection): void {
    const config = this.context.config();
    if (config.maxRequestsPerConnection > 0 && connection.uses >= config.maxRequestsPerConnection) {
      this.context.stats.cxMaxRequests.value++;
      connection.keep = false;
    }
    if (!connection.keep || connection.retired || connection.closed || this.draining) {
      connection.conn.destroy();
      return;
    }
    this.offer(connection);
  }

  /** To the request that waits longest, else to the idle ones. */
  private offer(connection: Http1Connection): void {
    for (const request of this.pending) {
      this.pending.delete(request);
      this.leftQueue();
      request.onPoolReady(connection);
      return;
    }
    if (this.draining) {
      connection.conn.destroy();
      return;
    }
    const now = this.context.clock.now();
    connection.idleAt = now;
    this.idleConnections.push(connection);
    const { idleTimeoutMs } = this.context.config();
    if (idleTimeoutMs > 0) this.context.wheel.arm(connection.timer, now + idleTimeoutMs, now);
  }

  /** The connection's only timer: connect time-out until it is connected, then idle time-out. */
  onConnectTimeout(connection: Http1Connection): void {
    if (connection.connected) {
      if (connection.user !== undefined) return;
      const now = this.context.clock.now();
      const due = connection.idleAt + this.context.config().idleTimeoutMs;
      if (now < due) {
        this.context.wheel.arm(connection.timer, due, now);
        return;
      }
      this.context.stats.cxIdleTimeout.value++;
      connection.conn.destroy();
      return;
    }
    this.context.stats.cxConnectTimeout.value++;
    connection.conn.destroy();
    connection.closed = true;
    this.onConnectFailure(connection, "connection timeout", undefined);
  }

  onConnectFailure(connection: Http1Connection, reason: ResetReason, systemCode: string | undefined): void {
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

  onClosed(connection: Http1Connection): void {
    const at = this.idleConnections.indexOf(connection);
    if (at >= 0) this.idleConnections.splice(at, 1);
    this.forget(connection);
    if (this.pending.size > this.connecting && canConnect(this.context.usage, this.context.config().breakers)) this.connect();
  }

  private forget(connection: Http1Connection): void {
    if (!this.all.delete(connection)) return;
    this.context.wheel.remove(connection.timer);
    if (connection.ageTimer !== undefined) this.context.wheel.remove(connection.ageTimer);
    this.context.usage.connections--;
    this.context.stats.cxActive.value--;
    this.context.stats.cxDestroy.value++;
    this.host.stats.cxActive--;
  }

  countReceived(bytes: number): void {
    this.context.stats.rxBytes.value += bytes;
  }

  countSent(bytes: number): void {
    this.context.stats.txBytes.value += bytes;
  }
}
