// Hosts that succeed too seldom over an interval, against the others (success rate) or against a fixed share (failure percentage).
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier#success-rate
import type { OutlierDetection } from "../../config/index.ts";
import type { EjectionKind } from "./outlier-stats.ts";

interface Rate {
  /** Successes in per cent. */
  readonly percent: number;
  readonly volume: number;
}

export interface RateOutlier<T> {
  readonly outlier: T;
  readonly kind: EjectionKind;
  readonly enforcing: number;
}

/** `hosts`: how many the cluster has, ejected ones too. `local`: the rates are those of connections. */
export function findSuccessRateOutliers<T extends Rate>(
  rates: readonly T[],
  options: { readonly config: OutlierDetection; readonly local: boolean; readonly hosts: number },
): RateOutlier<T>[] {
  const { successRate, failurePercentage } = options.config;
  if (options.hosts < successRate.minimumHosts && options.hosts < failurePercentage.minimumHosts) return [];
  const found: RateOutlier<T>[] = [];
  const busy = rates.filter(({ volume }) => volume >= successRate.requestVolume);
  if (busy.length > 0 && busy.length >= successRate.minimumHosts) {
    const mean = busy.reduce((sum, { percent }) => sum + percent, 0) / busy.length;
    const variance = busy.reduce((sum, { percent }) => sum + (percent - mean) ** 2, 0) / busy.length;
    const least = mean - successRate.deviations * Math.sqrt(variance);
    const kind = options.local ? "local_origin_success_rate" : "success_rate";
    const enforcing = options.local ? successRate.enforcingLocalOrigin : successRate.enforcing;
    for (const outlier of busy) if (outlier.percent < least) found.push({ outlier, kind, enforcing });
  }
  const counted = rates.filter(({ volume }) => volume >= failurePercentage.requestVolume);
  if (counted.length > 0 && counted.length >= failurePercentage.minimumHosts) {
    const kind = options.local ? "local_origin_failure_percentage" : "failure_percentage";
    const enforcing = options.local ? failurePercentage.enforcingLocalOrigin : failurePercentage.enforcing;
    for (const outlier of counted) if (100 - outlier.percent >= failurePercentage.threshold) found.push({ outlier, kind, enforcing });
  }
  return found;
}
