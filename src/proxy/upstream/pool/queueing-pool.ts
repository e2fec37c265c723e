// What HTTP pools do alike: requests that find no place wait in order while connections are made, as far as the cluster's circuit breakers allow.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/connection_pooling
import type { ResetReason } from "../../observe/failure.ts";
import { canConnect, canQueue } from "../circuit-breaker.ts";
import { HostPool, type PooledConnection } from "./host-pool.ts";
import type { PoolRequest } from "./pool.ts";

export interface QueuedConnection extends PooledConnection {
  /** Its pool has heard of its end. */
  closed: boolean;
}

export abstract class QueueingPool<C extends QueuedConnection> extends HostPool<C> {
  protected readonly all = new Set<C>();
  protected readonly pending = new Set<PoolRequest>();
  protected connecting = 0;
  protected draining = false;

  abstract readonly idle: number;
  /** Requests that a connection is taken to carry while it is being made. */
  protected abstract readonly requestsEach: number;
  protected abstract create(): C;
  protected abstract readonly alpn: readonly string[];

  get active(): number {
    return this.all.size - this.idle;
  }

  get waiting(): number {
    return this.pending.size;
  }

  cancel(request: PoolRequest): void {
    this.unqueue(request);
  }

  protected queue(request: PoolRequest): void {
    const { stats, usage } = this.context;
    if (!canQueue(usage, this.context.config().breakers)) {
      stats.rqPendingOverflow.value++;
      request.onPoolFailure("overflow", undefined);
      return;
    }
    stats.rqPendingTotal.value++;
    stats.rqPendingActive.value++;
    usage.pending++;
    this.pending.add(request);
    this.connectForWaiting();
  }

  /** False = it was not waiting. */
  private unqueue(request: PoolRequest): boolean {
    if (!this.pending.delete(request)) return false;
    this.context.usage.pending--;
    this.context.stats.rqPendingActive.value--;
    return true;
  }

  /** The request that has waited longest waits no more. */
  protected next(): PoolRequest | undefined {
    for (const request of this.pending) {
      this.unqueue(request);
      return request;
    }
    return undefined;
  }

  protected connectForWaiting(): void {
    const { stats, usage } = this.context;
    if (this.connecting * this.requestsEach >= this.pending.size) return;
    const full = !canConnect(usage, this.context.config().breakers);
    if (full) stats.cxOverflow.value++;
    // One connection per host is always allowed, or a full cluster would starve its other hosts.
    if (!full || this.all.size === 0) this.connect();
  }

  private connect(): void {
    const connection = this.create();
    this.all.add(connection);
    this.connecting++;
    this.dial(connection, this.alpn);
  }

  protected onConnectTimeout(connection: C): void {
    this.context.stats.cxConnectTimeout.value++;
    connection.closed = true;
    connection.conn.destroy();
    this.onConnectFailure(connection, "connection timeout", undefined);
  }

  onConnectFailure(connection: C, reason: ResetReason, systemCode: string | undefined): void {
    this.connecting--;
    this.countConnectFailure();
    this.forget(connection);
    // Whoever waits for this host is told at once: it can try another one.
    for (const request of [...this.pending]) {
      if (!this.unqueue(request)) continue;
      this.context.stats.rqPendingFailure.value++;
      request.onPoolFailure(reason, systemCode);
    }
  }

  /** Its end may leave requests without a connection that would take them. */
  protected lost(connection: C): void {
    this.forget(connection);
    this.connectForWaiting();
  }

  private forget(connection: C): void {
    if (this.all.delete(connection)) this.countClosed(connection);
  }
}
