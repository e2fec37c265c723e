// What lookups of a DNS cluster came to: https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats#general
import type { ClusterConfig } from "../../config/index.ts";
import { type Counter, scopedSpec, type Stats } from "../../observe/stats.ts";
import { CLUSTER_TAG } from "../cluster-stats.ts";

export interface DnsStats {
  readonly attempt: Counter;
  readonly success: Counter;
  readonly failure: Counter;
  /** As in Envoy always 0 here: only pushed endpoints can be an update of nothing. */
  readonly empty: Counter;
  /** The answer was the one before. */
  readonly noRebuild: Counter;
}

export function statNameOf({ name, altStatName }: ClusterConfig): string {
  return altStatName === "" ? name : altStatName;
}

export function createDnsStats(stats: Stats, config: ClusterConfig): DnsStats {
  const scope = { prefix: "cluster", tag: CLUSTER_TAG, value: statNameOf(config) };
  const counter = (suffix: string): Counter => stats.counter(scopedSpec(scope, suffix));
  return {
    attempt: counter("update_attempt"),
    success: counter("update_success"),
    failure: counter("update_failure"),
    empty: counter("update_empty"),
    noRebuild: counter("update_no_rebuild"),
  };
}
