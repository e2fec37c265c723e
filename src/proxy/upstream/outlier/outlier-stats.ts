// Counters of outlier detection: https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats#outlier-detection-statistics
import { type Counter, type Gauge, scopedSpec, type Stats } from "../../observe/stats.ts";
import { CLUSTER_TAG } from "../cluster-stats.ts";

export type EjectionKind =
  | "consecutive_5xx"
  | "consecutive_gateway_failure"
  | "consecutive_local_origin_failure"
  | "success_rate"
  | "local_origin_success_rate"
  | "failure_percentage"
  | "local_origin_failure_percentage";

export const EJECTION_KINDS: readonly EjectionKind[] = [
  "consecutive_5xx",
  "consecutive_gateway_failure",
  "consecutive_local_origin_failure",
  "success_rate",
  "local_origin_success_rate",
  "failure_percentage",
  "local_origin_failure_percentage",
];

export interface OutlierStats {
  readonly active: Gauge;
  readonly enforcedTotal: Counter;
  readonly overflow: Counter;
  readonly detected: Readonly<Record<EjectionKind, Counter>>;
  readonly enforced: Readonly<Record<EjectionKind, Counter>>;
}

export function createOutlierStats(stats: Stats, cluster: string): OutlierStats {
  const scope = { prefix: "cluster", tag: CLUSTER_TAG, value: cluster };
  const counter = (suffix: string): Counter => stats.counter(scopedSpec(scope, `outlier_detection.${suffix}`));
  const byKind = (prefix: string): Record<EjectionKind, Counter> =>
    Object.fromEntries(EJECTION_KINDS.map((kind) => [kind, counter(`${prefix}_${kind}`)])) as Record<EjectionKind, Counter>;
  return {
    active: stats.gauge(scopedSpec(scope, "outlier_detection.ejections_active")),
    enforcedTotal: counter("ejections_enforced_total"),
    overflow: counter("ejections_overflow"),
    detected: byKind("ejections_detected"),
    enforced: byKind("ejections_enforced"),
  };
}
