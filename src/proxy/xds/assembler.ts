// Puts resources together into the one runtime config, and lets none be used before what it needs is there: a cluster waits for its
// endpoints, their names and secrets, a listener for its route configurations, secrets and filter configs, a route configuration for its virtual hosts. Until then the
// version before serves.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/cluster_manager#cluster-warming
import type { Clock } from "../../kit/index.ts";
import type {
  ClusterConfig,
  EndpointSet,
  HttpConnectionManagerConfig,
  Listener,
  RouteTable,
  RuntimeCell,
  RuntimeConfig,
  SecretRef,
  Secrets,
  VirtualHost,
} from "../config/index.ts";
import { compileRouteTable } from "../router/route-table.ts";
import { createFilterResolver, discoveredFilters, type ExtensionConfigOf, hasConfig } from "./discovered-filters.ts";
import type { RouteConfig } from "./decode/route-config.ts";
import type { ResourceStore } from "./resource-store.ts";
import { collectSecrets, type CollectedSecrets, secretsOfCluster, secretsOfListener, type SecretOf } from "./secret-needs.ts";

export interface StaticConfig {
  readonly listeners: readonly Listener[];
  readonly clusters: readonly ClusterConfig[];
}

/** What is to be asked for by name. */
export interface Interests {
  readonly route: ReadonlySet<string>;
  readonly endpoint: ReadonlySet<string>;
  readonly virtualHosts: boolean;
  readonly extensionConfigs: ReadonlySet<string>;
  /** By source. */
  readonly secrets: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface Assembly {
  readonly runtime: RuntimeConfig;
  readonly interests: Interests;
  readonly warmingClusters: ReadonlySet<string>;
  readonly warmingListeners: ReadonlySet<string>;
}

export interface Assembler {
  current(): Assembly;
  /** After the store changed. */
  update(): Assembly;
  /** Virtual hosts were answered, even if with none: what waits for them may go on. */
  virtualHostsCame(): void;
  stop(): void;
}

/** Looks up the endpoints that are names. */
export interface EndpointNames {
  prepare(config: ClusterConfig): void;
  warm(config: ClusterConfig): boolean;
  forget(cluster: string): void;
}

export interface AssemblerOptions {
  /** undefined: nothing waits for a name. */
  readonly names?: EndpointNames;
  readonly store: ResourceStore;
  readonly fixed: StaticConfig;
  /** undefined: nothing waits for a secret. */
  readonly secretOf: SecretOf | undefined;
  readonly cell: RuntimeCell;
  readonly clock: Clock;
}

export function createAssembler(options: AssemblerOptions): Assembler {
  const { store, fixed, cell, clock } = options;
  const tables = new Map<string, { readonly config: RouteConfig; readonly hosts: readonly VirtualHost[]; readonly table: RouteTable }>();
  /** What has waited as long as it may: `route/NAME`. */
  const overdue = new Set<string>();
  const timers = new Map<string, () => void>();
  /** Clusters whose names may be looked up. */
  const prepared = new Set<string>();
  /** Route configurations (by identity) that were there when virtual hosts were last answered. */
  let answered = new WeakSet<RouteConfig>();
  let assembly: Assembly;
  const extensionConfigOf: ExtensionConfigOf = (name) => store.entries("extensionConfig").get(name)?.accepted?.value;
  const resolveFilters = createFilterResolver(extensionConfigOf);

  /** True when `key` need not be waited for any longer. */
  function waited(key: string, timeoutMs: number): boolean {
    if (overdue.has(key)) return true;
    if (timeoutMs > 0 && !timers.has(key)) {
      timers.set(
        key,
        clock.after(timeoutMs, () => {
          timers.delete(key);
          overdue.add(key);
          update();
        }),
      );
    }
    return false;
  }

  function came(key: string): void {
    timers.get(key)?.();
    timers.delete(key);
    overdue.delete(key);
  }

  /** Every listener and cluster that there may be soon, or is still. */
  function assembleSecrets(listeners: Iterable<Listener>, before: RuntimeConfig): CollectedSecrets {
    const clusters = [...store.entries("cluster").values()].flatMap(({ accepted }) => (accepted === undefined ? [] : [accepted.value]));
    const refs = [
      ...[...listeners].flatMap(secretsOfListener),
      ...[...fixed.clusters, ...clusters, ...before.clusters.values()].flatMap(secretsOfCluster),
    ];
    return collectSecrets(refs, options.secretOf ?? (() => undefined), before.secrets);
  }

  function haveSecrets(refs: readonly SecretRef[], secrets: Secrets): boolean {
    if (options.secretOf === undefined) return true;
    let ready = true;
    for (const { source, name, timeoutMs } of refs) {
      const key = `secret/${source}/${name}`;
      if (secrets.get(source)?.has(name) === true) came(key);
      else if (!waited(key, timeoutMs)) ready = false;
    }
    return ready;
  }

  function haveNames(cluster: ClusterConfig): boolean {
    if (options.names === undefined || (cluster.type !== "STRICT_DNS" && cluster.type !== "LOGICAL_DNS")) return true;
    options.names.prepare(cluster);
    prepared.add(cluster.name);
    return options.names.warm(cluster);
  }

  function forget(cluster: string): void {
    prepared.delete(cluster);
    options.names?.forget(cluster);
  }

  function haveFilters(listener: Listener): boolean {
    let ready = true;
    for (const filter of discoveredFilters(listener)) {
      const key = `extensionConfig/${filter.name}`;
      if (hasConfig(filter, extensionConfigOf)) came(key);
      else if (!waited(key, filter.discovery?.timeoutMs ?? 0)) ready = false;
    }
    return ready;
  }

  function assembleClusters(
    before: RuntimeConfig,
    secrets: Secrets,
  ): Pick<RuntimeConfig, "clusters" | "endpoints"> & { warming: Set<string>; asked: Set<string> } {
    const clusters = new Map<string, ClusterConfig>();
    const endpoints = new Map<string, EndpointSet>();
    const warming = new Set<string>();
    const asked = new Set<string>();
    const keep = (cluster: ClusterConfig): void => {
      warming.add(cluster.name);
      const last = before.clusters.get(cluster.name);
      if (last === undefined) return;
      clusters.set(cluster.name, last);
      const old = last.type === "EDS" ? before.endpoints.get(last.edsServiceName) : undefined;
      if (old !== undefined && !endpoints.has(last.edsServiceName)) endpoints.set(last.edsServiceName, old);
    };
    const add = (cluster: ClusterConfig): void => {
      const secure = haveSecrets(secretsOfCluster(cluster), secrets);
      if (cluster.type !== "EDS") {
        if (haveNames(cluster) && secure) clusters.set(cluster.name, cluster);
        else keep(cluster);
        return;
      }
      const service = cluster.edsServiceName;
      asked.add(service);
      const known = store.entries("endpoint").get(service)?.accepted?.value;
      if (known !== undefined) {
        came(`endpoint/${service}`);
        endpoints.set(service, known);
      }
      const ready = known !== undefined || waited(`endpoint/${service}`, cluster.edsTimeoutMs ?? 0);
      if (ready && secure) clusters.set(cluster.name, cluster);
      else keep(cluster);
    };
    for (const cluster of fixed.clusters) add(cluster);
    for (const { accepted } of store.entries("cluster").values())
      if (accepted !== undefined && !isFixedCluster(accepted.value.name)) add(accepted.value);
    for (const name of prepared) if (!clusters.has(name) && !warming.has(name)) forget(name);
    return { clusters, endpoints, warming, asked };
  }

  // A static cluster cannot be replaced by the control plane.
  const isFixedCluster = (name: string): boolean => fixed.clusters.some((cluster) => cluster.name === name);

  /** `asked`: names of the tables there are; those of listeners on Unix sockets have slashes of their own. */
  function hostsByTable(asked: ReadonlyMap<string, unknown>): Map<string, VirtualHost[]> {
    const found = new Map<string, VirtualHost[]>();
    for (const { name, accepted } of store.entries("virtualHost").values()) {
      if (accepted === undefined) continue;
      let slash = name.indexOf("/");
      while (slash >= 0 && !asked.has(name.slice(0, slash))) slash = name.indexOf("/", slash + 1);
      if (slash < 0) continue;
      const table = name.slice(0, slash);
      const list = found.get(table);
      if (list === undefined) found.set(table, [accepted.value]);
      else list.push(accepted.value);
    }
    return found;
  }

  function tableOf(config: RouteConfig, hosts: readonly VirtualHost[]): RouteTable {
    const { name } = config.parts;
    const known = tables.get(name);
    if (known?.config === config && known.hosts.length === hosts.length && known.hosts.every((host, i) => host === hosts[i]))
      return known.table;
    // Inline hosts come last: they are what virtual hosts of their own fall back to.
    const table = compileRouteTable(
      hosts.length === 0 ? config.parts : { ...config.parts, virtualHosts: [...hosts, ...config.parts.virtualHosts] },
    );
    tables.set(name, { config, hosts, table });
    return table;
  }

  function assembleRoutes(asked: ReadonlyMap<string, number>, before: RuntimeConfig): { routes: Map<string, RouteTable>; vhds: boolean } {
    const routes = new Map<string, RouteTable>();
    let hosts: Map<string, VirtualHost[]> | undefined;
    let vhds = false;
    for (const name of asked.keys()) {
      const config = store.entries("route").get(name)?.accepted?.value;
      if (config === undefined) continue;
      vhds ||= config.vhds;
      hosts ??= hostsByTable(asked);
      const own = config.vhds ? (hosts.get(name) ?? []) : [];
      const ready = !config.vhds || own.length > 0 || answered.has(config) || waited(`virtualHost/${name}`, config.vhdsTimeoutMs);
      const table = ready ? tableOf(config, own) : before.routes.get(name);
      if (ready) came(`virtualHost/${name}`);
      if (table !== undefined) routes.set(name, table);
    }
    for (const name of tables.keys()) if (!asked.has(name)) tables.delete(name);
    return { routes, vhds };
  }

  function update(): Assembly {
    const before = cell.current();
    const dynamic = [...store.entries("listener").values()].flatMap(({ accepted }) => (accepted === undefined ? [] : [accepted.value]));
    const wanted = [...fixed.listeners, ...dynamic.filter(({ name }) => !fixed.listeners.some((one) => one.name === name))];
    const asked = new Map<string, number>();
    // What serves until its successor is warm still needs its routes.
    for (const listener of [...wanted, ...before.listeners.values()])
      for (const [name, timeout] of routesOf(listener)) asked.set(name, timeout);
    const { secrets, wanted: secretNames } = assembleSecrets([...wanted, ...before.listeners.values()], before);
    const { clusters, endpoints, warming, asked: services } = assembleClusters(before, secrets);
    const { routes, vhds } = assembleRoutes(asked, before);
    const listeners = new Map<string, Listener>();
    const warmingListeners = new Set<string>();
    for (const listener of wanted) {
      const missing = routesOf(listener).filter(([name, timeout]) => !routes.has(name) && !waited(`route/${name}`, timeout));
      for (const [name] of routesOf(listener)) if (routes.has(name)) came(`route/${name}`);
      const complete = haveSecrets(secretsOfListener(listener), secrets) && haveFilters(listener);
      const ready = complete && missing.length === 0;
      const active = ready ? resolveFilters(listener) : before.listeners.get(listener.name);
      if (!ready) warmingListeners.add(listener.name);
      if (active !== undefined) listeners.set(listener.name, active);
    }
    const needed = new Set([...wanted, ...listeners.values()].flatMap((listener) => routesOf(listener).map(([name]) => name)));
    const filters = new Set([...wanted, ...listeners.values()].flatMap((listener) => discoveredFilters(listener).map(({ name }) => name)));
    for (const name of routes.keys()) if (!needed.has(name)) routes.delete(name);
    const runtime = keepEqual(before, { listeners, clusters, endpoints, routes, secrets });
    cell.publish(runtime);
    assembly = {
      runtime,
      interests: { route: needed, endpoint: services, virtualHosts: vhds, extensionConfigs: filters, secrets: secretNames },
      warmingClusters: warming,
      warmingListeners,
    };
    return assembly;
  }

  assembly = update();
  return {
    current: () => assembly,
    update,
    virtualHostsCame() {
      answered = new WeakSet(
        [...store.entries("route").values()].flatMap(({ accepted }) => (accepted === undefined ? [] : [accepted.value])),
      );
    },
    stop() {
      for (const cancel of timers.values()) cancel();
      timers.clear();
    },
  };
}

/** The route configurations a listener takes by RDS, each with how long to wait for it. */
export function routesOf(listener: Listener): (readonly [name: string, timeoutMs: number])[] {
  return httpManagers(listener).flatMap(({ routes }) => (routes.kind === "rds" ? [[routes.name, routes.timeoutMs ?? 0] as const] : []));
}

export function httpManagers(listener: Listener): HttpConnectionManagerConfig[] {
  const chains =
    listener.defaultFilterChain === undefined ? listener.filterChains : [...listener.filterChains, listener.defaultFilterChain];
  return chains.flatMap(({ network }) => (network.kind === "http" ? [network] : []));
}

/** Maps that did not change keep their identity; so does the whole. */
function keepEqual(before: RuntimeConfig, next: RuntimeConfig): RuntimeConfig {
  const same = <T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    a.size === b.size && [...b].every(([name, value]) => a.get(name) === value) ? a : b;
  const merged = {
    listeners: same(before.listeners, next.listeners),
    clusters: same(before.clusters, next.clusters),
    endpoints: same(before.endpoints, next.endpoints),
    routes: same(before.routes, next.routes),
    secrets: same(before.secrets, next.secrets),
  };
  const unchanged = (Object.keys(merged) as (keyof RuntimeConfig)[]).every((key) => merged[key] === before[key]);
  return unchanged ? before : Object.freeze(merged);
}
