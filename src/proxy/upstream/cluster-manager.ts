// Follows the runtime config: clusters come, change in place and go; endpoint changes keep the connections of surviving hosts.
import type { ClusterConfig, EndpointConfig, EndpointSet, RuntimeCell, RuntimeConfig } from "../config/index.ts";
import { Cluster, type ClusterContext, type ResolvedEndpoint } from "./cluster.ts";
import { type ClusterNames, isName } from "./dns/cluster-names.ts";
import { drainHost } from "./host.ts";

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
}

/** `localCluster`: name of the cluster that the proxy is itself an endpoint of, "" = none. */
export type ManagerContext = Omit<ClusterContext, "localHosts" | "onRefresh"> & { readonly localCluster: string };

export function createClusterManager(cell: RuntimeCell, options: ManagerContext, names: ClusterNames): ClusterManager {
  const entries = new Map<string, Entry>();
  const { localCluster, ...rest } = options;
  const context: ClusterContext = localCluster === "" ? rest : { ...rest, localHosts, onRefresh };
  let version = 0;

  function localHosts(): Cluster["hostList"] | undefined {
    return entries.get(localCluster)?.cluster.hostList;
  }

  function onRefresh({ name }: Cluster): void {
    if (name !== localCluster) return;
    for (const { cluster } of entries.values()) if (cluster.name !== localCluster) cluster.refreshZones();
  }

  function endpointsOf(config: ClusterConfig, runtime: RuntimeConfig): EndpointSet | undefined {
    return config.type === "EDS"
      ? runtime.endpoints.get(config.edsServiceName === "" ? config.name : config.edsServiceName)
      : config.endpoints;
  }

  function resolve(config: ClusterConfig, endpoint: EndpointConfig): readonly ResolvedEndpoint[] {
    if (!isName(endpoint.address)) return [{ endpoint, address: endpoint.address }];
    const addresses = names.addresses(config.name, endpoint.address);
    const named = endpoint.hostname === "" ? { ...endpoint, hostname: endpoint.address } : endpoint;
    // A name may stand there several times, for one locality or priority and another.
    const by = `${endpoint.address} ${endpoint.priority} ${endpoint.locality}`;
    if (config.type !== "LOGICAL_DNS") return addresses.map((address) => ({ endpoint: named, address, by }));
    const [first] = addresses;
    return first === undefined ? [] : [{ endpoint: named, address: first, by, alternatives: addresses }];
  }

  function apply({ cluster, endpoints }: Entry, config: ClusterConfig): void {
    cluster.update(
      config,
      (endpoints?.endpoints ?? []).flatMap((endpoint) => resolve(config, endpoint)),
      endpoints,
    );
  }

  function onRuntime(runtime: RuntimeConfig): void {
    for (const [name, config] of runtime.clusters) {
      const endpoints = endpointsOf(config, runtime);
      const known = entries.get(name);
      if (known === undefined) {
        const entry: Entry = { cluster: new Cluster(config, context), endpoints };
        entries.set(name, entry);
        version++;
        names.prepare(config);
        apply(entry, config);
      } else if (known.cluster.config !== config || known.endpoints !== endpoints) {
        known.endpoints = endpoints;
        names.prepare(config);
        apply(known, config);
      }
    }
    for (const [name, entry] of entries) {
      if (runtime.clusters.has(name)) continue;
      entries.delete(name);
      version++;
      names.forget(name);
      entry.cluster.remove();
    }
  }

  function onAnswer(name: string): void {
    const entry = entries.get(name);
    if (entry !== undefined) apply(entry, entry.cluster.config);
  }

  onRuntime(cell.current());
  const unfollow = names.subscribe(onAnswer);
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
      unsubscribe();
      unfollow();
      for (const entry of entries.values()) entry.cluster.remove();
      entries.clear();
    },
  };
}
