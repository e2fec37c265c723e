// Counters of the config side under Envoy's names.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats and …/listeners/stats
import type { Counter, Gauge, Stats } from "../observe/stats.ts";
import { type Assembly, httpManagers, routesOf } from "./assembler.ts";
import type { Applied } from "./resource-store.ts";
import type { ResourceType } from "./resource-types.ts";

const CLUSTER = "envoy.cluster_name";
const MANAGER = "envoy.http_conn_manager_prefix";
const RDS = "envoy.rds_route_config";
const EXTENSION = "envoy.extension_config_name";
const SECRET = "envoy.sds_secret_name";

interface UpdateCounters {
  readonly attempt: Counter;
  readonly success: Counter;
  readonly rejected: Counter;
}

export interface XdsStats {
  applied(type: ResourceType, applied: Applied, assembly: Assembly): void;
  assembled(assembly: Assembly): void;
  connected(is: boolean): void;
  failed(): void;
}

export function createXdsStats(stats: Stats): XdsStats {
  const plain = (name: string): Counter => stats.counter({ name, tags: {}, fullName: name });
  const gauge = (name: string): Gauge => stats.gauge({ name, tags: {}, fullName: name });
  const group = (make: (suffix: string) => Counter): UpdateCounters => ({
    attempt: make("update_attempt"),
    success: make("update_success"),
    rejected: make("update_rejected"),
  });
  const lds = group((suffix) => plain(`listener_manager.lds.${suffix}`));
  const cds = group((suffix) => plain(`cluster_manager.cds.${suffix}`));
  const failures = [plain("listener_manager.lds.update_failure"), plain("cluster_manager.cds.update_failure")];
  const changes = {
    listeners: {
      added: plain("listener_manager.listener_added"),
      modified: plain("listener_manager.listener_modified"),
      removed: plain("listener_manager.listener_removed"),
    },
    clusters: {
      added: plain("cluster_manager.cluster_added"),
      modified: plain("cluster_manager.cluster_modified"),
      removed: plain("cluster_manager.cluster_removed"),
    },
  };
  const activeListeners = gauge("listener_manager.total_listeners_active");
  const warmingListeners = gauge("listener_manager.total_listeners_warming");
  gauge("listener_manager.total_listeners_draining");
  const activeClusters = gauge("cluster_manager.active_clusters");
  const warmingClusters = gauge("cluster_manager.warming_clusters");
  const connectedState = gauge("control_plane.connected_state");
  let last: Assembly["runtime"] | undefined;

  function ofCluster(name: string): UpdateCounters {
    return group((suffix) =>
      stats.counter({ name: `cluster.${suffix}`, tags: { [CLUSTER]: name }, fullName: `cluster.${name}.${suffix}` }),
    );
  }

  function ofExtension(name: string): UpdateCounters {
    const counter = (suffix: string): Counter =>
      stats.counter({
        name: `extension_config_discovery.http_filter.${suffix}`,
        tags: { [EXTENSION]: name },
        fullName: `extension_config_discovery.http_filter.${name}.${suffix}`,
      });
    return { attempt: { value: 0 }, success: counter("config_reload"), rejected: counter("config_fail") };
  }

  function ofRoutes(kind: "rds" | "vhds", table: string, assembly: Assembly): UpdateCounters[] {
    const prefixes = new Set<string>();
    for (const listener of assembly.runtime.listeners.values()) {
      if (!routesOf(listener).some(([name]) => name === table)) continue;
      for (const { routes, statPrefix } of httpManagers(listener))
        if (routes.kind === "rds" && routes.name === table) prefixes.add(statPrefix);
    }
    return [...prefixes].map((prefix) =>
      group((suffix) =>
        stats.counter({
          name: `http.${kind}.${suffix}`,
          tags: { [MANAGER]: prefix, [RDS]: table },
          fullName: `http.${prefix}.${kind}.${table.replaceAll(":", "_")}.${suffix}`,
        }),
      ),
    );
  }

  function countersFor(type: ResourceType, name: string, assembly: Assembly): UpdateCounters[] {
    if (type === "endpoint") return [ofCluster(name)];
    if (type === "secret")
      return [group((suffix) => stats.counter({ name: `sds.${suffix}`, tags: { [SECRET]: name }, fullName: `sds.${name}.${suffix}` }))];
    if (type === "extensionConfig") return [ofExtension(name)];
    if (type === "route") return ofRoutes("rds", name, assembly);
    return ofRoutes("vhds", name.slice(0, Math.max(0, name.indexOf("/"))), assembly);
  }

  function count(counters: UpdateCounters, good: boolean): void {
    counters.attempt.value++;
    (good ? counters.success : counters.rejected).value++;
  }

  function countChanges<T>(
    counters: (typeof changes)["listeners"],
    before: ReadonlyMap<string, T> | undefined,
    now: ReadonlyMap<string, T>,
  ): void {
    if (before === now) return;
    for (const [name, value] of now) {
      const known = before?.get(name);
      if (known === undefined) counters.added.value++;
      else if (known !== value) counters.modified.value++;
    }
    for (const name of before?.keys() ?? []) if (!now.has(name)) counters.removed.value++;
  }

  return {
    applied(type, applied, assembly) {
      if (type === "listener" || type === "cluster") {
        count(type === "listener" ? lds : cds, applied.rejected.length === 0);
        return;
      }
      for (const name of applied.accepted) for (const counters of countersFor(type, name, assembly)) count(counters, true);
      for (const { name } of applied.rejected) for (const counters of countersFor(type, name, assembly)) count(counters, false);
    },
    assembled({ runtime, warmingClusters: clusters, warmingListeners: listeners }) {
      countChanges(changes.listeners, last?.listeners, runtime.listeners);
      countChanges(changes.clusters, last?.clusters, runtime.clusters);
      last = runtime;
      activeListeners.value = runtime.listeners.size;
      warmingListeners.value = listeners.size;
      activeClusters.value = runtime.clusters.size;
      warmingClusters.value = clusters.size;
    },
    connected(is) {
      connectedState.value = is ? 1 : 0;
    },
    failed() {
      for (const counter of failures) counter.value++;
    },
  };
}
