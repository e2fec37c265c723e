// What a request asks of a connection pool, and what it hears back. One shape for every kind of pool.
import type { Clock } from "../../../kit/index.ts";
import type { ClusterConfig } from "../../config/index.ts";
import type { TimerWheel } from "../../network/timer-wheel.ts";
import type { ResetReason } from "../../observe/failure.ts";
import type { ClientTransport } from "../../transport/client-transport.ts";
import type { Usage } from "../circuit-breaker.ts";
import type { ClusterStats } from "../cluster-stats.ts";
import type { RequestNames } from "../connection-names.ts";
import type { Host } from "../host.ts";
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

/** What a pool's connections speak; `tcp`: nothing, bytes only pass through. */
export type PoolKind = "http1" | "http2" | "tcp";

/** What a cluster gives to all its pools. */
export interface PoolContext {
  /** The cluster's config of the moment. */
  config(): ClusterConfig;
  /** How a connection to a host is opened; undefined = plain TCP. `alpn`: protocols to offer where the config has none. */
  transport(host: Host, names: RequestNames, alpn: readonly string[]): ClientTransport | undefined;
  readonly stats: ClusterStats;
  readonly usage: Usage;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
}
