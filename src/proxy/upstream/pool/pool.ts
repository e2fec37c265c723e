// What a request asks of a connection pool, and what it hears back. One shape for every kind of pool.
import type { ResetReason } from "../../observe/failure.ts";

/** A request that waits for, or has, an upstream connection. */
export interface PoolRequest<C> {
  /** A connection is there: it is the request's own until it gives it back. */
  onPoolReady(connection: C): void;
  /** There will be none. */
  onPoolFailure(reason: ResetReason, systemCode: string | undefined): void;
}

export interface ConnectionPool<C> {
  /** A connection at once, or undefined: then the request is told later, or has been told that it failed. */
  acquire(request: PoolRequest<C>): C | undefined;
  /** The request no longer waits. */
  cancel(request: PoolRequest<C>): void;
  /** Idle connections close, active ones finish their request and close. */
  drain(): void;
  readonly active: number;
  readonly idle: number;
  readonly waiting: number;
}
