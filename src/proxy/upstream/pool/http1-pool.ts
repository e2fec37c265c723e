// The HTTP/1 connections to one host: each carries one request at a time; idle ones are taken last in, first out.
import { Timer } from "../../network/timer-wheel.ts";
import { type ConnectionOwner, Http1Connection } from "./http1-connection.ts";
import type { ConnectionPool, PoolRequest } from "./pool.ts";
import { QueueingPool } from "./queueing-pool.ts";

const HTTP1_ALPN: readonly string[] = ["http/1.1"];

export class Http1Pool extends QueueingPool<Http1Connection> implements ConnectionPool, ConnectionOwner {
  protected readonly alpn = HTTP1_ALPN;
  protected readonly requestsEach = 1;
  private readonly idleConnections: Http1Connection[] = [];

  get acceptsTrailers(): boolean {
    return this.context.config().http1Trailers;
  }

  get maxHeaders(): number {
    return this.context.config().maxHeadersCount;
  }

  get keepsHeaderCase(): boolean {
    return this.context.config().keepsHeaderCase;
  }

  get idle(): number {
    return this.idleConnections.length;
  }

  acquire(request: PoolRequest): Http1Connection | undefined {
    const ready = this.idleConnections.pop();
    if (ready === undefined) this.queue(request);
    return ready;
  }

  drain(): void {
    this.draining = true;
    for (const connection of this.idleConnections.splice(0)) connection.conn.destroy();
  }

  protected create(): Http1Connection {
    this.context.stats.cxHttp1Total.value++;
    return new Http1Connection(this);
  }

  onConnected(connection: Http1Connection): void {
    this.connecting--;
    const { maxConnectionDurationMs } = this.context.config();
    const now = this.context.clock.now();
    if (maxConnectionDurationMs > 0) {
      connection.ageTimer = new Timer(() => this.onOldAge(connection));
      this.context.wheel.arm(connection.ageTimer, now + maxConnectionDurationMs, now);
    }
    this.offer(connection, now);
  }

  /** No more requests; the one under way is finished. */
  private onOldAge(connection: Http1Connection): void {
    this.context.stats.cxMaxDuration.value++;
    connection.retired = true;
    if (this.idleConnections.includes(connection)) connection.conn.destroy();
  }

  onReleased(connection: Http1Connection, now: number): void {
    const config = this.context.config();
    if (config.maxRequestsPerConnection > 0 && connection.uses >= config.maxRequestsPerConnection) {
      this.context.stats.cxMaxRequests.value++;
      connection.keep = false;
    }
    if (!connection.keep || connection.retired || connection.closed || this.draining) {
      connection.conn.destroy();
      return;
    }
    this.offer(connection, now);
  }

  /** To the request that waits longest, else to the idle ones. */
  private offer(connection: Http1Connection, now: number): void {
    const request = this.next();
    if (request !== undefined) {
      request.onPoolReady(connection);
      return;
    }
    if (this.draining) {
      connection.conn.destroy();
      return;
    }
    connection.idleAt = now;
    this.idleConnections.push(connection);
    const { idleTimeoutMs } = this.context.config();
    if (idleTimeoutMs > 0) this.context.wheel.arm(connection.timer, now + idleTimeoutMs, now);
  }

  /** The connection's only timer: connect time-out until it is connected, then idle time-out. */
  onTimer(connection: Http1Connection): void {
    if (!connection.connected) {
      this.onConnectTimeout(connection);
      return;
    }
    if (connection.user !== undefined) return;
    const now = this.context.clock.now();
    const due = connection.idleAt + this.context.config().idleTimeoutMs;
    if (now < due) {
      this.context.wheel.arm(connection.timer, due, now);
      return;
    }
    this.context.stats.cxIdleTimeout.value++;
    connection.conn.destroy();
  }

  onClosed(connection: Http1Connection): void {
    const at = this.idleConnections.indexOf(connection);
    if (at >= 0) this.idleConnections.splice(at, 1);
    this.lost(connection);
  }
}
