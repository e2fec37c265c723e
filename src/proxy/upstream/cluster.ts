// A cluster: its config of the moment, its hosts with their pools, and the picker published for them.
import type { Clock, Rng } from "../../kit/index.ts";
import type { ClusterConfig, EndpointConfig } from "../config/index.ts";
import type { TimerWheel } from "../network/timer-wheel.ts";
import type { Stats } from "../observe/stats.ts";
import type { ClientTransport } from "../transport/client-transport.ts";
import { createSslStats, type SslStats } from "../transport/ssl-stats.ts";
import type { TlsContexts } from "../transport/tls-contexts.ts";
import { createUsage, type Usage } from "./circuit-breaker.ts";
import { CLUSTER_TAG, type ClusterStats, createClusterStats } from "./cluster-stats.ts";
import { followsRequest, NO_REQUEST, type RequestNames } from "./connection-names.ts";
import { createHost, drainHost, type Host, hostName } from "./host.ts";
import { createPicker } from "./host-set.ts";
import { chooseTransport } from "./transport-choice.ts";
import { EMPTY_PICKER, type Picker } from "./lb/picker.ts";
import { Http1Pool } from "./pool/http1-pool.ts";
import { Http2Pool } from "./pool/http2-pool.ts";
import type { ConnectionPool, PoolContext } from "./pool/pool.ts";

export interface ClusterContext {
  readonly stats: Stats;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly wheel: TimerWheel;
  readonly tls: TlsContexts;
}

/** Pools of one host that requests tell apart; where there would be more, idle ones go. */
const MAX_POOLS = 256;

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
  /** A request's pool depends on more than its host. */
  followsRequest = false;
  private sslStats: SslStats | undefined = undefined;

  constructor(config: ClusterConfig, context: ClusterContext) {
    this.name = config.name;
    this.config = config;
    this.context = context;
    this.stats = createClusterStats(context.stats, config.altStatName === "" ? config.name : config.altStatName);
    this.poolContext = {
      config: () => this.config,
      transport: (host, names, alpn) => this.transport(host, names, alpn),
      stats: this.stats,
      usage: this.usage,
      clock: context.clock,
      wheel: context.wheel,
    };
  }

  get hostList(): readonly Host[] {
    return [...this.hosts.values()];
  }

  pool(host: Host, http2: boolean): ConnectionPool {
    return http2 ? (host.http2Pool ??= this.createPool(host, NO_REQUEST, true)) : (host.pool ??= this.createPool(host, NO_REQUEST, false));
  }

  private createPool(host: Host, names: RequestNames, http2: boolean): ConnectionPool {
    return http2 ? new Http2Pool(host, this.poolContext, names) : new Http1Pool(host, this.poolContext, names);
  }

  /** Where `followsRequest`. */
  poolFor(host: Host, names: RequestNames, http2: boolean): ConnectionPool {
    const pools = (host.poolsByName ??= new Map());
    const key = http2 ? `2\n${names.key}` : names.key;
    let pool = pools.get(key);
    if (pool === undefined) {
      if (pools.size >= MAX_POOLS) dropUnused(pools);
      pools.set(key, (pool = this.createPool(host, names, http2)));
    }
    return pool;
  }

  /** How a new connection to a host is opened; undefined = plain TCP. `alpn`: protocols to offer where the config has none. */
  transport(host: Host, names: RequestNames, alpn: readonly string[]): ClientTransport | undefined {
    const { transport } = host;
    if (transport === undefined) return undefined;
    const { tls, proxyProtocol } = transport;
    return {
      tls: tls === undefined ? undefined : (this.context.tls.client(tls) ?? "missing"),
      proxyProtocol,
      names: { sni: names.sni ?? tls?.sni ?? "", sans: names.sans, alpn, addresses: names.addresses },
      now: () => this.context.clock.wall(),
      stats: (this.sslStats ??= createSslStats(this.context.stats, { prefix: "cluster", tag: CLUSTER_TAG, value: this.statName })),
    };
  }

  private get statName(): string {
    return this.config.altStatName === "" ? this.name : this.config.altStatName;
  }

  /** Hosts that stay keep their connections; those that left finish what they have. */
  update(config: ClusterConfig, endpoints: readonly ResolvedEndpoint[], overprovisioning: number): void {
    this.config = config;
    this.followsRequest = followsRequest(config);
    const next = new Map<string, Host>();
    for (const { endpoint, address } of endpoints) {
      const name = hostName(address, endpoint.port);
      if (next.has(name)) continue;
      const host = this.hosts.get(name) ?? createHost(endpoint, address);
      const transport = chooseTransport(config, endpoint.transportMatch);
      // What was opened for another transport must not carry another request.
      if (host.transport?.key !== transport?.key) drainHost(host);
      host.config = endpoint;
      host.transport = transport;
      next.set(name, host);
    }
    for (const [name, host] of this.hosts) if (!next.has(name)) drainHost(host);
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
    for (const host of this.hosts.values()) drainHost(host);
    this.context.stats.drop(CLUSTER_TAG, this.name);
  }
}

function dropUnused(pools: Map<string, ConnectionPool>): void {
  for (const [key, pool] of pools) {
    if (pool.active > 0 || pool.waiting > 0) continue;
    pool.drain();
    pools.delete(key);
  }
}
