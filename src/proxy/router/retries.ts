// The retries of one request: how many there were, which hosts they hit, and their place in the cluster's budget.
import type { Environment } from "../network/environment.ts";
import { Timer } from "../network/timer-wheel.ts";
import { FLAG } from "../observe/response-flags.ts";
import type { RetryPolicy } from "../config/index.ts";
import { canRetry } from "../upstream/circuit-breaker.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { Host } from "../upstream/host.ts";
import type { Exchange } from "./exchange.ts";
import { backoffMs } from "./retry.ts";

export class Retries {
  count = 0;
  private tried: Host[] = [];
  /** Counted in the cluster's budget. */
  private booked: Cluster | undefined = undefined;
  private readonly timer: Timer;

  constructor(again: () => void) {
    this.timer = new Timer(again);
  }

  start(): void {
    this.count = 0;
    if (this.tried.length > 0) this.tried = [];
  }

  failedAt(host: Host | undefined): void {
    if (host !== undefined) this.tried.push(host);
  }

  pickHost(cluster: Cluster, policy: RetryPolicy | undefined): Host | undefined {
    let host = cluster.pick();
    if (policy === undefined || !policy.avoidPreviousHosts || this.tried.length === 0) return host;
    for (let i = 1; i < policy.hostSelectionMaxAttempts && host !== undefined && this.tried.includes(host); i++) host = cluster.pick();
    return host;
  }

  /** May there be another try? Says so in flags and statistics when there were enough. */
  allowed(exchange: Exchange, cluster: Cluster, policy: RetryPolicy): boolean {
    if (this.count >= policy.numRetries) {
      exchange.flags |= FLAG.URX;
      cluster.stats.rqRetryLimit.value++;
      return false;
    }
    if (this.booked === undefined && !canRetry(cluster.usage, cluster.config.breakers)) {
      cluster.stats.rqRetryOverflow.value++;
      return false;
    }
    return true;
  }

  schedule(cluster: Cluster, policy: RetryPolicy, env: Environment): void {
    if (this.booked === undefined) {
      this.booked = cluster;
      cluster.usage.retries++;
    }
    this.count++;
    cluster.stats.rqRetry.value++;
    const now = env.clock.now();
    env.wheel.arm(this.timer, now + backoffMs(policy, this.count, () => env.rng.random()), now);
  }

  end(): void {
    this.timer.at = 0;
    if (this.booked === undefined) return;
    this.booked.usage.retries--;
    this.booked = undefined;
  }
}
