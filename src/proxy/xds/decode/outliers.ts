// Envoy's OutlierDetection with its defaults. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/outlier_detection.proto
import type { AnswerTest, OutlierDetection } from "../../config/index.ts";
import type { Reader } from "../../wire/reader.ts";

const MAX_EJECTION_MS = 300_000;

/** `isError`: from the cluster's HTTP options. */
export function decodeOutliers(reader: Reader | undefined, isError: AnswerTest | undefined): OutlierDetection | undefined {
  if (reader === undefined) return undefined;
  const baseEjectionMs = reader.number("base_ejection_time", 30_000);
  const maxEjectionMs = reader.number("max_ejection_time", Math.max(MAX_EJECTION_MS, baseEjectionMs));
  if (maxEjectionMs < baseEjectionMs) reader.refuse("max_ejection_time", "is less than base_ejection_time");
  const percent = (name: string, fallback: number): number => {
    const value = reader.number(name, fallback);
    return value > 100 ? reader.refuse(name, "is more than 100") : value;
  };
  return Object.freeze({
    isError,
    intervalMs: reader.number("interval", 10_000),
    baseEjectionMs,
    maxEjectionMs,
    maxEjectionJitterMs: reader.number("max_ejection_time_jitter", 0),
    maxEjectionPercent: percent("max_ejection_percent", 10),
    alwaysEjectOneHost: reader.flag("always_eject_one_host"),
    splitLocalOrigin: reader.flag("split_external_local_origin_errors"),
    consecutive: {
      "5xx": { count: reader.number("consecutive_5xx", 5), enforcing: percent("enforcing_consecutive_5xx", 100) },
      gateway_failure: {
        count: reader.number("consecutive_gateway_failure", 5),
        enforcing: percent("enforcing_consecutive_gateway_failure", 0),
      },
      local_origin_failure: {
        count: reader.number("consecutive_local_origin_failure", 5),
        enforcing: percent("enforcing_consecutive_local_origin_failure", 100),
      },
    },
    successRate: {
      minimumHosts: reader.number("success_rate_minimum_hosts", 5),
      requestVolume: reader.number("success_rate_request_volume", 100),
      // Given in thousandths.
      deviations: reader.number("success_rate_stdev_factor", 1900) / 1000,
      enforcing: percent("enforcing_success_rate", 100),
      enforcingLocalOrigin: percent("enforcing_local_origin_success_rate", 100),
    },
    failurePercentage: {
      threshold: percent("failure_percentage_threshold", 85),
      minimumHosts: reader.number("failure_percentage_minimum_hosts", 5),
      requestVolume: reader.number("failure_percentage_request_volume", 50),
      enforcing: percent("enforcing_failure_percentage", 0),
      enforcingLocalOrigin: percent("enforcing_failure_percentage_local_origin", 0),
    },
  });
}
