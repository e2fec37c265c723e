// What a request asks of a connection pool, and what it hears back. One shape for every kind of pool.
import type { ResetReason } from "../../observe/failure.ts";
import type { UpstreamStream, UpstreamUser } from "./upstream-stream.ts";

/** A request that waits for, or has, a place on an upstream connection. */
export interface PoolRequest extends UpstreamUser {
  /** There is a place, and the request is its user now. */
  onPoolReady(stream: UpstreamStream): void;
  /** There will be none. `systemCode`: why no connection could be made, in the words of Envoy's logs. */
  onPoolFailure(reason: ResetReason, systemCode: string | undefined): void;
}

export interface ConnectionPool {
  /** A place at once, or undefined: then the request is told later, or has been told that it failed. */
  acquire(request: PoolRequest): UpstreamStream | undefined;
  /** The request no longer waits. */
  cancel(request: PoolRequest): void;
  /** Idle connections close, active ones finish their requests and close. */
  drain(): void;
  readonly active: number;
  readonly idle: number;
  readonly waiting: number;
}
