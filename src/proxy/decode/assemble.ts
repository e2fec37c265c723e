// Decoded resources → the runtime config. What another resource is still missing for stays out (warming), or stays as it was.
import { TYPE_URL, type XdsResources } from "../../kit/index.ts";
import type { ClusterConfig, EndpointSet, Listener, RouteTable, RuntimeConfig, VirtualHost } from "../config/index.ts";
import { compileRouteTable } from "../router/route-table.ts";
import { decodeCluster, decodeEndpoints } from "./cluster.ts";
import { type DecodedListener, decodeListener } from "./listener.ts";
import { decodeRouteConfig, decodeVirtualHost, type RouteConfig } from "./route.ts";

/** Everything that was accepted, by name. */
export interface Decoded {
  readonly listeners: ReadonlyMap<string, DecodedListener>;
  readonly clusters: ReadonlyMap<string, ClusterConfig>;
  readonly endpoints: ReadonlyMap<string, EndpointSet>;
  readonly routes: ReadonlyMap<string, RouteConfig>;
  /** By resource name, `ROUTE_CONFIG/HOST`. */
  readonly virtualHosts: ReadonlyMap<string, VirtualHost>;
}

export interface Warming {
  readonly clusters: readonly string[];
  readonly listeners: readonly string[];
}

export interface Assembled {
  readonly config: RuntimeConfig;
  readonly warming: Warming;
}

/** Compiled tables are kept while nothing in them changed. */
export interface TableCache {
  tableOf(route: RouteConfig, hosts: readonly VirtualHost[]): RouteTable;
}

export function createTableCache(): TableCache {
  const known = new Map<string, { route: RouteConfig; hosts: readonly VirtualHost[]; table: RouteTable }>();
  return {
    tableOf(route, hosts) {
      const hit = known.get(route.name);
      if (hit !== undefined && hit.route === route && hit.hosts.length === hosts.length && hit.hosts.every((h, i) => h === hosts[i]))
        return hit.table;
      const table = compileRouteTable({ ...route, virtualHosts: [...hosts, ...route.virtualHosts] });
      known.set(route.name, { route, hosts, table });
      return table;
    },
  };
}

function parentOf(name: string): string {
  return name.slice(0, name.indexOf("/"));
}

export interface AssembleOptions {
  readonly decoded: Decoded;
  readonly previous: RuntimeConfig;
  readonly tables: TableCache;
  /** Virtual hosts have been sent (or will not be). */
  readonly hostsReady: boolean;
}

export function assemble(options: AssembleOptions): Assembled {
  const { decoded, previous } = options;
  const byParent = Map.groupBy(decoded.virtualHosts.entries(), ([name]) => parentOf(name));
  const routes = new Map<string, RouteTable>();
  for (const [name, route] of decoded.routes) {
    if (route.vhds && !options.hostsReady) continue;
    routes.set(name, options.tables.tableOf(route, route.vhds ? (byParent.get(name) ?? []).map(([, host]) => host) : []));
  }
  const clusters = new Map<string, ClusterConfig>();
  const coldClusters: string[] = [];
  for (const [name, cluster] of decoded.clusters) {
    if (cluster.type === "EDS" && !decoded.endpoints.has(cluster.edsServiceName) && !previous.clusters.has(name)) coldClusters.push(name);
    else clusters.set(name, cluster);
  }
  const listeners = new Map<string, Listener>();
  const coldListeners: string[] = [];
  for (const [name, { listener, routeNames }] of decoded.listeners) {
    if (routeNames.every((r) => routes.has(r))) listeners.set(name, listener);
    else {
      coldListeners.push(name);
      const active = previous.listeners.get(name);
      if (active !== undefined) listeners.set(name, active);
    }
  }
  // A listener that is on its old version still needs the old version's routes.
  for (const [name, table] of previous.routes) if (!routes.has(name) && coldListeners.length > 0) routes.set(name, table);
  return {
    config: Object.freeze({ listeners, clusters, endpoints: decoded.endpoints, routes }),
    warming: { clusters: coldClusters, listeners: coldListeners },
  };
}

function decodeAll<T>(resources: XdsResources, typeUrl: string, decode: (bytes: Uint8Array) => T): Map<string, T> {
  return new Map([...(resources.byType.get(typeUrl) ?? [])].map(([name, r]) => [name, decode(r.bytes)]));
}

/** A whole set of resources at once, as a proxy that has them all would run them. Throws on one it would refuse. */
export function decodeResources(resources: XdsResources): RuntimeConfig {
  const decoded: Decoded = {
    listeners: decodeAll(resources, TYPE_URL.listener, decodeListener),
    clusters: decodeAll(resources, TYPE_URL.cluster, decodeCluster),
    endpoints: decodeAll(resources, TYPE_URL.endpoint, decodeEndpoints),
    routes: decodeAll(resources, TYPE_URL.route, decodeRouteConfig),
    virtualHosts: decodeAll(resources, TYPE_URL.virtualHost, decodeVirtualHost),
  };
  const previous: RuntimeConfig = { listeners: new Map(), clusters: new Map(), endpoints: new Map(), routes: new Map() };
  return assemble({ decoded, previous, tables: createTableCache(), hostsReady: true }).config;
}
