// What the xDS client counts, under Envoy's names.
import { TYPE_URL } from "../../kit/index.ts";
import type { Counter, Gauge, Stats } from "../observe/stats.ts";

const SCOPES: Readonly<Record<string, string>> = {
  [TYPE_URL.cluster]: "cluster_manager.cds",
  [TYPE_URL.listener]: "listener_manager.lds",
  [TYPE_URL.route]: "http.rds",
  [TYPE_URL.virtualHost]: "vhds",
  [TYPE_URL.endpoint]: "eds",
};

export interface XdsStats {
  updated(typeUrl: string, refused: boolean): void;
  connected(yes: boolean): void;
  set(values: { activeClusters: number; warmingClusters: number; activeListeners: number; warmingListeners: number }): void;
}

export function createXdsStats(stats: Stats): XdsStats {
  const plain = (name: string) => ({ name, tags: {}, fullName: name });
  const counters = new Map<string, { success: Counter; rejected: Counter }>();
  for (const [typeUrl, scope] of Object.entries(SCOPES)) {
    counters.set(typeUrl, {
      success: stats.counter(plain(`${scope}.update_success`)),
      rejected: stats.counter(plain(`${scope}.update_rejected`)),
    });
  }
  const gauge = (name: string): Gauge => stats.gauge(plain(name));
  const connected = gauge("control_plane.connected_state");
  const active = gauge("cluster_manager.active_clusters");
  const warming = gauge("cluster_manager.warming_clusters");
  const listeners = gauge("listener_manager.total_listeners_active");
  const cold = gauge("listener_manager.total_listeners_warming");
  return {
    updated(typeUrl, refused) {
      const found = counters.get(typeUrl);
      if (found === undefined) return;
      if (refused) found.rejected.value++;
      else found.success.value++;
    },
    connected(yes) {
      connected.value = yes ? 1 : 0;
    },
    set(values) {
      active.value = values.activeClusters;
      warming.value = values.warmingClusters;
      listeners.value = values.activeListeners;
      cold.value = values.warmingListeners;
    },
  };
}
