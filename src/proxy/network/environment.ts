// What every part of the data plane is given: time, chance, the runtime config, clusters and statistics. One object, made once.
import type { Clock, Logger, Rng } from "../../kit/index.ts";
import type { RuntimeCell } from "../config/index.ts";
import type { AccessLogs } from "../observe/access-log.ts";
import type { Stats } from "../observe/stats.ts";
import type { Overload } from "../overload/index.ts";
import type { TlsContexts } from "../transport/tls-contexts.ts";
import type { ClusterManager } from "../upstream/cluster-manager.ts";
import type { TimerWheel } from "./timer-wheel.ts";

export interface Environment {
  readonly runtime: RuntimeCell;
  readonly clusters: ClusterManager;
  readonly tls: TlsContexts;
  readonly stats: Stats;
  readonly accessLogs: AccessLogs;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly wheel: TimerWheel;
  readonly overload: Overload;
  readonly logger: Logger;
  /** What stands in x-forwarded-for for a peer on loopback: this machine's own address. */
  readonly localAddress: string;
  /** Add to the monotonic clock for the time of day. */
  wallOffset(): number;
  /** The `date` header's line, made anew every second. */
  dateLine(now: number): string;
  /** Answers ask callers to close their connections. */
  draining(): boolean;
}
