// A cluster: its config of the moment, its hosts with their pools, and the picker published for them.
import type { Clock, Logger, Rng } from "../../kit/index.ts";
import type { ClusterConfig, EndpointConfig, EndpointSet } from "../config/index.ts";
import type { TimerWheel } from "../network/timer-wheel.ts";
import type { Stats } from "../observe/stats.ts";
import type { ClientTransport } from "../transport/client-transport.ts";
import { createSslStats, type SslStats } from "../transport/ssl-stats.ts";
import type { TlsContexts } from "../transport/tls-contexts.ts";
import { createUsage, type Usage } from "./circuit-breaker.ts";
import { CLUSTER_TAG, type ClusterStats, createClusterStats } from "./cluster-stats.ts";
import { followsRequest, NO_REQUEST, type RequestNames } from "./connection-names.ts";
import type { CachedName, DnsCache, DnsCaches, Load } from "./dns/dns-cache.ts";
import { createHost, drainHost, type Host, hostName } from "./host.ts";
import { createPicker, hashes, type HostSet, NO_HOSTS } from "./host-set.ts";
import type { PickContext } from "./lb/picker.ts";
import type { LocalCluster } from "./lb/zones.ts";
import { MergeWindow } from "./merge-window.ts";
import { type Address, wantedAddress } from "./original-hosts.ts";
import { createDetector, type Detector } from "./outlier/detector.ts";
import { createOutlierStats } from "./outlier/outlier-stats.ts";
import { Http1Pool } from "./pool/http1-pool.ts";
import { Http2Pool } from "./pool/http2-pool.ts";
import type { ConnectionPool, PoolContext, PoolKind } from "./pool/pool.ts";
import { TcpPool } from "./pool/tcp-pool.ts";
import { createRequestWindow, type RequestWindow } from "./request-window.ts";
import { chooseTransport } from "./transport-choice.ts";

const POOLS = { http1: Http1Pool, http2: Http2Pool, tcp: TcpPool } as const;

export interface ClusterContext {
  readonly stats: Stats;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly wheel: TimerWheel;
  readonly tls: TlsContexts;
  readonly logger: Logger;
  readonly names: DnsCaches;
  /** `region/zone/sub_zone` of the proxy itself; "" = unknown. */
  readonly locality: string;
  /** Hosts of the cluster that the proxy is itself an endpoint of; undefined = it knows of none. */
  localHosts?(): readonly Host[] | undefined;
  /** Hosts came, went, or changed their health. */
  onRefresh?(cluster: Cluster): void;
}

/** Pools of one host that requests tell apart; where there would be more, idle ones go. */
const MAX_POOLS = 256;

/** An endpoint with the address it stands for; a name can stand for several. */
export interface ResolvedEndpoint {
  readonly endpoint: EndpointConfig;
  readonly address: string;
  /** The name it was found by: two names are two hosts, though they may have one address. */
  readonly by?: string;
  /** It stands for all of these; undefined = each address is a host. */
  readonly alternatives?: readonly string[];
}

type EndpointRules = Pick<EndpointSet, "overprovisioningFactor" | "weightedPriorityHealth">;

const DEFAULT_RULES: EndpointRules = { overprovisioningFactor: 140, weightedPriorityHealth: false };
/** Longer than any timer runs: Istio's inbound clusters forget nothing. */
const NEVER_MS = 2_147_483_647;
const HTTP_PORT = 80;
const HTTPS_PORT = 443;

export class Cluster {
  readonly name: string;
  readonly stats: ClusterStats;
  readonly usage: Usage = createUsage();
  config: ClusterConfig;
  picker: HostSet = NO_HOSTS;
  /** The picker wants to know about the request, at the first try too. */
  asksForContext = false;
  /** The picker places requests by their key. */
  hashes = false;
  /** A request's pool depends on more than its host. */
  followsRequest = false;
  /** Where the retry budget has an interval. */
  retryWindow: RequestWindow | undefined = undefined;
  private hosts = new Map<string, Host>();
  private rules: EndpointRules = DEFAULT_RULES;
  private detector: Detector | undefined = undefined;
  private readonly mergeWindow: MergeWindow;
  private cancelCleanup: (() => void) | undefined = undefined;
  private readonly unused = new Set<string>();
  private readonly context: ClusterContext;
  private readonly poolContext: PoolContext;
  private sslStats: SslStats | undefined = undefined;

  constructor(config: ClusterConfig, context: ClusterContext) {
    this.name = config.name;
    this.config = config;
    this.context = context;
    this.stats = createClusterStats(context.stats, this.statName);
    this.mergeWindow = new MergeWindow(context.clock, () => this.showHealth());
    this.poolContext = {
      config: () => this.config,
      transport: (host, names, alpn) => this.transport(host, names, alpn),
      stats: this.stats,
      usage: this.usage,
      clock: context.clock,
      wheel: context.wheel,
    };
    this.watchOutliers();
    this.countRequests();
  }

  get hostList(): readonly Host[] {
    return [...this.hosts.values()];
  }

  pool(host: Host, kind: PoolKind): ConnectionPool {
    return (host.pools[kind] ??= new POOLS[kind](host, this.poolContext, NO_REQUEST));
  }

  /** Where `followsRequest`. */
  poolFor(host: Host, names: RequestNames, kind: PoolKind): ConnectionPool {
    const pools = (host.poolsByName ??= new Map());
    const key = `${kind}\n${names.key}`;
    let pool = pools.get(key);
    if (pool === undefined) {
      if (pools.size >= MAX_POOLS) dropUnused(pools);
      pools.set(key, (pool = new POOLS[kind](host, this.poolContext, names)));
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

  /** Under which statistics and logs know it. */
  get statName(): string {
    return this.config.altStatName === "" ? this.name : this.config.altStatName;
  }

  /** Hosts that stay keep their connections; those that left finish what they have. */
  update(config: ClusterConfig, endpoints: readonly ResolvedEndpoint[], rules: EndpointRules = DEFAULT_RULES): void {
    const { outliers, breakers } = this.config;
    this.config = config;
    this.rules = rules;
    this.followsRequest = followsRequest(config);
    if (outliers !== config.outliers) this.watchOutliers();
    if (breakers.retryBudget?.intervalMs !== config.breakers.retryBudget?.intervalMs) this.countRequests();
    if (findsByRequest(config)) for (const host of this.hosts.values()) this.useTransport(host);
    else this.replaceHosts(endpoints);
    this.mergeWindow.settle();
    this.showHealth();
  }

  private showHealth(): void {
    for (const host of this.hosts.values()) host.leftOut = host.ejected;
    this.refresh();
  }

  /** Hosts were taken out or came back. */
  private onHealthChange(): void {
    this.mergeWindow.changed(this.config.balancing.mergeWindowMs);
    this.countMembers();
  }

  private countMembers(): void {
    const { hosts, stats } = this;
    stats.membershipTotal.value = hosts.size;
    stats.membershipHealthy.value = [...hosts.values()].filter((host) => host.config.healthy && !host.ejected).length;
  }

  private replaceHosts(endpoints: readonly ResolvedEndpoint[]): void {
    const next = new Map<string, Host>();
    for (const { endpoint, address, by, alternatives } of endpoints) {
      const place = hostName(address, endpoint.port);
      const name = by === undefined ? place : `${place} ${by}`;
      if (next.has(name)) continue;
      const host = this.hosts.get(name) ?? createHost(endpoint, address);
      host.config = endpoint;
      host.alternatives = alternatives;
      this.useTransport(host);
      next.set(name, host);
    }
    for (const [name, host] of this.hosts) if (!next.has(name)) drainHost(host);
    this.hosts = next;
    this.detector?.follow(next.values());
  }

  private useTransport(host: Host): void {
    const transport = chooseTransport(this.config, host.config.transportMatch);
    // What was opened for another transport must not carry another request.
    if (host.transport?.key !== transport?.key) drainHost(host);
    host.transport = transport;
  }

  private watchOutliers(): void {
    this.detector?.stop();
    const { outliers } = this.config;
    const { stats, clock, rng, logger } = this.context;
    this.detector =
      outliers === undefined
        ? undefined
        : createDetector({
            cluster: this.name,
            config: outliers,
            stats: createOutlierStats(stats, this.statName),
            clock,
            rng,
            logger,
            onChange: () => this.onHealthChange(),
          });
    this.detector?.follow(this.hosts.values());
  }

  private countRequests(): void {
    this.retryWindow?.stop();
    const intervalMs = this.config.breakers.retryBudget?.intervalMs ?? 0;
    const { rqTotal } = this.stats;
    this.retryWindow = intervalMs > 0 ? createRequestWindow(this.context.clock, intervalMs, () => rqTotal.value) : undefined;
  }

  /** Hosts came, went, or changed their health: a picker for those of now. */
  private refresh(): void {
    const { config, context, stats } = this;
    const hosts = [...this.hosts.values()];
    this.countMembers();
    this.hashes = hashes(config);
    this.asksForContext = this.hashes || findsByRequest(config);
    this.picker = findsByRequest(config)
      ? { ...NO_HOSTS, pick: (request) => (config.type === "DYNAMIC" ? this.pickNamed(request) : this.pickOriginal(request)) }
      : createPicker({
          config,
          hosts,
          endpoints: this.rules,
          ownLocality: context.locality,
          localCluster: this.localCluster(),
          random: () => context.rng.random(),
          now: () => context.clock.now(),
          onPanic: () => void stats.healthyPanic.value++,
        });
    context.onRefresh?.(this);
  }

  /** The proxy's own cluster has changed, and with it what stays in its zone. */
  refreshZones(): void {
    if (this.config.balancing.zones !== undefined) this.refresh();
  }

  private localCluster(): LocalCluster | undefined {
    const hosts = this.context.localHosts?.();
    return hosts === undefined ? undefined : { hosts, stats: this.stats.zones() };
  }

  pick(context?: PickContext): Host | undefined {
    return this.picker.pick(context);
  }

  private pickOriginal(request: PickContext | undefined): Host | undefined {
    if (request === undefined) return undefined;
    const { originalDestination } = this.config.balancing;
    const header = originalDestination.header === undefined ? undefined : request.header(originalDestination.header);
    const { address, invalid } = wantedAddress(originalDestination, { header, connection: request.destination });
    if (invalid) this.stats.originalDstHostInvalid.value++;
    return address === undefined ? undefined : this.madeHost(address, "");
  }

  private pickNamed(request: PickContext | undefined): Host | undefined {
    if (request?.target === undefined) return undefined;
    const found = this.names?.find(request.target, this.defaultPort);
    const [address] = found?.addresses ?? [];
    if (found === undefined || address === undefined) return undefined;
    const host = this.madeHost({ address, port: found.port }, found.name);
    host.alternatives = found.addresses;
    return host;
  }

  /** For clusters of names: looks up the host of a request, if need be. */
  loadName(authority: string, onLoaded: (name: CachedName) => void): Load {
    return this.names?.load(authority, this.defaultPort, onLoaded) ?? { kind: "full" };
  }

  private get names(): DnsCache | undefined {
    const { dnsCache } = this.config;
    return dnsCache === undefined ? undefined : this.context.names.get(dnsCache);
  }

  /** Of a host that names none. */
  private get defaultPort(): number {
    return this.config.transport?.tls === undefined ? HTTP_PORT : HTTPS_PORT;
  }

  /** Made when a request was going there. */
  private madeHost({ address, port }: Address, hostname: string): Host {
    const place = hostName(address, port);
    const name = hostname === "" ? place : `${place} ${hostname}`;
    this.unused.delete(name);
    let host = this.hosts.get(name);
    if (host === undefined) {
      host = createHost({ ...ORIGINAL_ENDPOINT, address, port, hostname }, address);
      this.useTransport(host);
      this.hosts.set(name, host);
      this.detector?.follow(this.hosts.values());
      this.countMembers();
      this.cancelCleanup ??= this.nextCleanup();
    }
    return host;
  }

  /** A host that nobody has used between two looks is forgotten (original destination). */
  private nextCleanup(): (() => void) | undefined {
    const { cleanupMs } = this.config.balancing.originalDestination;
    return cleanupMs > NEVER_MS ? undefined : this.context.clock.after(cleanupMs, () => this.cleanUp());
  }

  private cleanUp(): void {
    const { names } = this;
    for (const [name, host] of this.hosts) {
      // Forgotten, or moved: nobody comes back for its connections.
      if (names !== undefined && !names.means(host.config.hostname, host)) drainHost(host);
      const idle = isUnused(host);
      if (idle && this.unused.has(name)) {
        this.hosts.delete(name);
        this.unused.delete(name);
      } else if (idle) this.unused.add(name);
    }
    this.detector?.follow(this.hosts.values());
    this.countMembers();
    this.cancelCleanup = this.hosts.size === 0 ? undefined : this.nextCleanup();
  }

  /** The cluster is gone from the config: nothing new starts, what runs ends by itself. */
  remove(): void {
    this.picker = NO_HOSTS;
    this.detector?.stop();
    this.retryWindow?.stop();
    this.mergeWindow.settle();
    this.cancelCleanup?.();
    for (const host of this.hosts.values()) drainHost(host);
    this.context.stats.drop(CLUSTER_TAG, this.name);
  }
}

/** There is a host for every request that names one. */
function findsByRequest({ type }: ClusterConfig): boolean {
  return type === "ORIGINAL_DST" || type === "DYNAMIC";
}

/** Idle connections count as active ones here, and whoever waits for one has an open one to wait for. */
function isUnused({ stats }: Host): boolean {
  return stats.rqActive === 0 && stats.cxActive === 0;
}

const ORIGINAL_ENDPOINT: EndpointConfig = Object.freeze({
  address: "",
  port: 0,
  hostname: "",
  weight: 1,
  healthy: true,
  degraded: false,
  priority: 0,
  locality: "",
  localityWeight: 0,
  metadata: undefined,
  transportMatch: undefined,
});

function dropUnused(pools: Map<string, ConnectionPool>): void {
  for (const [key, pool] of pools) {
    if (pool.active > 0 || pool.waiting > 0) continue;
    pool.drain();
    pools.delete(key);
  }
}
