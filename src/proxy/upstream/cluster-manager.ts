// Follows the runtime config: clusters come, change in place and go; endpoint changes keep the connections of surviving hosts.
import { lookup } from "node:dns";
import { isIP } from "node:net";
import type { ClusterConfig, EndpointSet, RuntimeCell, RuntimeConfig } from "../config/index.ts";
import { Cluster, type ClusterContext, type ResolvedEndpoint } from "./cluster.ts";
import { drainHost } from "./host.ts";

const DNS_REFRESH_MS = 5000;

export interface ClusterStatus {
  readonly name: string;
  readonly config: ClusterConfig;
  readonly usage: Readonly<Cluster["usage"]>;
  readonly hosts: readonly {
    readonly address: string;
    readonly hostname: string;
    readonly healthy: boolean;
    readonly ejected: boolean;
    readonly degraded: boolean;
    readonly weight: number;
    readonly priority: number;
    readonly locality: string;
    readonly stats: Readonly<Cluster["hostList"][number]["stats"]>;
  }[];
}

export interface ClusterManager {
  get(name: string): Cluster | undefined;
  /** Changes when a cluster came or went: what was looked up before must be looked up again. */
  version(): number;
  status(): readonly ClusterStatus[];
  drain(): void;
  stop(): void;
}

interface Entry {
  readonly cluster: Cluster;
  endpoints: EndpointSet | undefined;
  /** Names that stand in for addresses, as last resolved. */
  readonly names: Map<string, readonly string[]>;
  refresh: (() => void) | undefined;
}

/** All addresses of a name; undefined = it could not be resolved now. */
export type Resolve = (name: string) => Promise<readonly string[] | undefined>;

export const systemResolve: Resolve = (name) =>
  new Promise((done) => {
    lookup(name, { all: true, order: "ipv4first" }, (error, addresses) =>
      done(error === null ? addresses.map((a) => a.address) : undefined),
    );
  });

export function createClusterManager(cell: RuntimeCell, context: ClusterContext, resolve: Resolve): ClusterManager {
  const entries = new Map<string, Entry>();
  let version = 0;
  let stopped = false;

  function endpointsOf(config: ClusterConfig, runtime: RuntimeConfig): EndpointSet | undefined {
    return config.type === "EDS"
      ? runtime.endpoints.get(config.edsServiceName === "" ? config.name : config.edsServiceName)
      : config.endpoints;
  }

  function apply(entry: Entry, config: ClusterConfig): void {
    const resolved: ResolvedEndpoint[] = [];
    for (const endpoint of entry.endpoints?.endpoints ?? []) {
      if (isIP(endpoint.address) !== 0) resolved.push({ endpoint, address: endpoint.address });
      else {
        const addresses = entry.names.get(endpoint.address) ?? [];
        const used = config.type === "LOGICAL_DNS" ? addresses.slice(0, 1) : addresses;
        for (const address of used) resolved.push({ endpoint, address });
      }
    }
    entry.cluster.update(config, resolved, entry.endpoints);
  }

  function follow(entry: Entry): void {
    entry.refresh?.();
    entry.refresh = undefined;
    const names = new Set((entry.endpoints?.endpoints ?? []).map((e) => e.address).filter((address) => isIP(address) === 0));
    if (names.size === 0) return;
    let cancelled = false;
    let cancelTimer: (() => void) | undefined;
    entry.refresh = () => {
      cancelled = true;
      cancelTimer?.();
    };
    const again = async (): Promise<void> => {
      let changed = false;
      for (const name of names) {
        const addresses = await resolve(name);
        // A failed lookup keeps what was known.
        if (cancelled || addresses === undefined) continue;
        const sorted = addresses.toSorted();
        if (sorted.join() === entry.names.get(name)?.join()) continue;
        entry.names.set(name, sorted);
        changed = true;
      }
      if (cancelled || stopped) return;
      if (changed) apply(entry, entry.cluster.config);
      cancelTimer = context.clock.after(DNS_REFRESH_MS, () => void again());
    };
    void again();
  }

  function onRuntime(runtime: RuntimeConfig): void {
    for (const [name, config] of runtime.clusters) {
      const endpoints = endpointsOf(config, runtime);
      const known = entries.get(name);
      if (known === undefined) {
        const entry: Entry = { cluster: new Cluster(config, context), endpoints, names: new Map(), refresh: undefined };
        entries.set(name, entry);
        version++;
        apply(entry, config);
        follow(entry);
      } else if (known.cluster.config !== config || known.endpoints !== endpoints) {
        const moved = known.endpoints !== endpoints;
        known.endpoints = endpoints;
        apply(known, config);
        if (moved) follow(known);
      }
    }
    for (const [name, entry] of entries) {
      if (runtime.clusters.has(name)) continue;
      entries.delete(name);
      version++;
      entry.refresh?.();
      entry.cluster.remove();
    }
  }

  onRuntime(cell.current());
  const unsubscribe = cell.subscribe(onRuntime);

  return {
    get: (name) => entries.get(name)?.cluster,
    version: () => version,
    status: () =>
      [...entries.values()].map(({ cluster }) => ({
        name: cluster.name,
        config: cluster.config,
        usage: cluster.usage,
        hosts: cluster.hostList.map((host) => ({
          address: host.name,
          hostname: host.config.hostname,
          healthy: host.config.healthy,
          ejected: host.ejected,
          degraded: host.config.degraded,
          weight: host.config.weight,
          priority: host.config.priority,
          locality: host.config.locality,
          stats: host.stats,
        })),
      })),
    drain() {
      for (const { cluster } of entries.values()) for (const host of cluster.hostList) drainHost(host);
    },
    stop() {
      stopped = true;
      unsubscribe();
      for (const entry of entries.values()) {
        entry.refresh?.();
        entry.cluster.remove();
      }
      entries.clear();
    },
  };
}
