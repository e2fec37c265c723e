// A cluster: its config of the moment, its hosts with their pools, and the picker published for them.
import type { Clock, Rng } from "../../kit/index.ts";
import type { ClusterConfig, EndpointConfig } from "../config/index.ts";
import type { TimerWheel } from "../network/timer-wheel.ts";
import type { Stats } from "../observe/stats.ts";
import { createUsage, type Usage } from "./circuit-breaker.ts";
import { CLUSTER_TAG, type ClusterStats, createClusterStats } from "./cluster-stats.ts";
import { createHost, type Host, hostName } from "./host.ts";
import { createPicker } from "./host-set.ts";
import { EMPTY_PICKER, type Picker } from "./lb/picker.ts";
import { Http1Pool, type PoolContext } from "./pool/http1-pool.ts";
import type { ConnectionPool } from "./pool/pool.ts";

export interface ClusterContext {
  readonly stats: Stats;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly wheel: TimerWheel;
}

/** An endpoint with the address it stands for; a name can stand for several. */
export interface ResolvedEndpoint {
  readonly endpoint: EndpointConfig;
  readonly address: string;
}

export class Cluster {
  readonly name: string;
  readonly stats: ClusterStats;
  readonly usage: Usage = createUsage();
  config: ClusterConfig;
  picker: Picker = EMPTY_PICKER;
  private hosts = new Map<string, Host>();
  private readonly context: ClusterContext;
  private readonly poolContext: PoolContext;

  constructor(config: ClusterConfig, context: ClusterContext) {
    this.name = config.name;
    this.config = config;
    this.context = context;
    this.stats = createClusterStats(context.stats, config.altStatName === "" ? config.name : config.altStatName);
    this.poolContext = { config: () => this.config, stats: this.stats, usage: this.usage, clock: context.clock, wheel: context.wheel };
  }

  get hostList(): readonly Host[] {
    return [...this.hosts.values()];
  }

  pool(host: Host): ConnectionPool {
    return host.pool ?? (host.pool = new Http1Pool(host, this.poolContext));
  }

  /** Hosts that stay keep their connections; those that left finish what they have. */
  update(config: ClusterConfig, endpoints: readonly ResolvedEndpoint[], overprovisioning: number): void {
    this.config = config;
    const next = new Map<string, Host>();
    for (const { endpoint, address } of endpoints) {
      const name = hostName(address, endpoint.port);
      if (next.has(name)) continue;
      const known = this.hosts.get(name);
      if (known === undefined) next.set(name, createHost(endpoint, address));
      else {
        known.config = endpoint;
        next.set(name, known);
      }
    }
    for (const [name, host] of this.hosts) if (!next.has(name)) host.pool?.drain();
    this.hosts = next;
    const hosts = [...next.values()];
    this.stats.membershipTotal.value = hosts.length;
    this.stats.membershipHealthy.value = hosts.filter((host) => host.config.healthy).length;
    this.picker = createPicker({ config, hosts, overprovisioning, random: () => this.context.rng.random() });
  }

  pick(): Host | undefined {
    return this.picker.pick();
  }

  /** The cluster is gone from the config: nothing new starts, what runs ends by itself. */
  remove(): void {
    this.picker = EMPTY_PICKER;
    for (const host of this.hosts.values()) host.pool?.drain();
    this.context.stats.drop(CLUSTER_TAG, this.name);
  }
}
