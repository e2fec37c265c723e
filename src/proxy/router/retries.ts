// The retries of one request: how many there were, which hosts they hit, and their place in the cluster's budget. To the balancer it is what
// the request has to say.
import type { RetryPolicy } from "../config/index.ts";
import type { Hash64 } from "../hash/index.ts";
import type { Environment } from "../network/environment.ts";
import { Timer } from "../network/timer-wheel.ts";
import { FLAG } from "../observe/response-flags.ts";
import { canRetry } from "../upstream/circuit-breaker.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { Host } from "../upstream/host.ts";
import type { PickContext } from "../upstream/lb/picker.ts";
import { type PriorityLoads, type PriorityState, shareOut } from "../upstream/lb/priority-loads.ts";
import type { Exchange } from "./exchange.ts";
import { cookieIssuer, type HashOf, requestAsItGoes } from "./hash-policy.ts";
import { backoffMs } from "./retry.ts";

const IDLE_RACES = 4;
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH"]);

export class Retries implements PickContext {
  count = 0;
  hash: Hash64 | undefined = undefined;
  private readonly exchange: Exchange;
  private idleRaces = 0;
  private tried: Host[] = [];
  /** Counted in the cluster's budget. */
  private booked: Cluster | undefined = undefined;
  private policy: RetryPolicy | undefined = undefined;
  /** Priorities that tries have failed at, and the load shared out among the others. */
  private readonly excluded = new Set<number>();
  private shared: PriorityLoads | undefined = undefined;
  private readonly again: () => void;
  private timer: Timer | undefined = undefined;

  constructor(exchange: Exchange, again: () => void) {
    this.exchange = exchange;
    this.again = again;
  }

  start(policy: RetryPolicy | undefined): void {
    this.count = 0;
    this.idleRaces = 0;
    this.policy = policy;
    this.hash = undefined;
    if (this.tried.length > 0) this.tried = [];
    if (this.shared === undefined) return;
    this.shared = undefined;
    this.excluded.clear();
  }

  /** Again at once, and as if the last try had not been: its connection had ended before the request came, which did nothing there. */
  afterRace(): boolean {
    if (this.idleRaces >= IDLE_RACES || !SAFE.has(this.exchange.head.method)) return false;
    this.idleRaces++;
    this.exchange.upstreamAttempts--;
    return true;
  }

  /** At every try, as Envoy does: a caller without a cookie gets one for each. */
  hashKey(cluster: Cluster, hashOf: HashOf | undefined): void {
    if (cluster.hashes && hashOf !== undefined) this.hash = hashOf(requestAsItGoes(this.exchange), cookieIssuer(this.exchange));
  }

  failedAt(host: Host | undefined): void {
    if (host !== undefined) this.tried.push(host);
  }

  pickHost(cluster: Cluster): Host | undefined {
    const { policy } = this;
    const plain =
      this.tried.length === 0 || policy === undefined || (!policy.avoidPreviousHosts && policy.previousPriorities === undefined);
    return plain && !cluster.asksForContext ? cluster.pick() : cluster.pick(this);
  }

  get moreHosts(): number {
    const { policy } = this;
    return policy?.avoidPreviousHosts === true && this.tried.length > 0 ? policy.hostSelectionMaxAttempts : 0;
  }

  wasTried(host: Host): boolean {
    return this.tried.includes(host);
  }

  get destination(): string | undefined {
    return this.exchange.caller.arrival.originalDestination;
  }

  get target(): string | undefined {
    return this.exchange.authority === "" ? undefined : this.exchange.authority;
  }

  header(name: string): string | undefined {
    return this.exchange.head.first(name);
  }

  /** Every so many tries, the priorities tried so far are left out: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_routing#retry-semantics */
  shareAnew(state: PriorityState): PriorityLoads {
    const every = this.policy?.previousPriorities;
    if (every === undefined || this.tried.length < every) return state.loads;
    if (this.tried.length % every !== 0) return this.shared ?? state.loads;
    for (const host of this.tried) this.excluded.add(host.config.priority);
    let availability = this.stillAvailable(state);
    if (availability === undefined) {
      // All of them were tried: it begins again.
      this.excluded.clear();
      this.tried = [];
      availability = this.stillAvailable(state);
    }
    if (availability === undefined) return state.loads;
    this.shared = shareOut(availability);
    return this.shared;
  }

  private stillAvailable({ priorities, availability }: PriorityState): PriorityState["availability"] | undefined {
    const left = (parts: readonly number[]): number[] => parts.map((part, i) => (this.excluded.has(priorities[i] as number) ? 0 : part));
    const rest = { healthy: left(availability.healthy), degraded: left(availability.degraded) };
    return [...rest.healthy, ...rest.degraded].some((part) => part > 0) ? rest : undefined;
  }

  /** May there be another try? Says so in flags and statistics when there were enough. */
  allowed(exchange: Exchange, cluster: Cluster, policy: RetryPolicy): boolean {
    if (this.count >= policy.numRetries) {
      exchange.flags |= FLAG.URX;
      cluster.stats.rqRetryLimit.value++;
      return false;
    }
    if (this.booked === undefined && !canRetry(cluster.usage, cluster.config.breakers, cluster.retryWindow)) {
      exchange.flags |= FLAG.UO;
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
    this.timer ??= new Timer(this.again);
    env.wheel.arm(this.timer, now + backoffMs(policy, this.count, () => env.rng.random()), now);
  }

  end(): void {
    if (this.timer !== undefined) this.timer.at = 0;
    if (this.booked === undefined) return;
    this.booked.usage.retries--;
    this.booked = undefined;
  }
}
