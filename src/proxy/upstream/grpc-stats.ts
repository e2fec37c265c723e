// A cluster's counters of gRPC calls, in sum or for one method: made when first needed.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/grpc_stats_filter#statistics
import type { Counter, Histogram, MetricSpec, Stats } from "../observe/stats.ts";

export interface GrpcStats {
  readonly requestMessages: Counter;
  readonly responseMessages: Counter;
  countStatus(status: number): void;
  time(): Histogram;
}

/** Callers choose paths: more methods than that are only counted in sum. */
const MAX_METHODS = 500;
/** Known ones end at 16; an upstream may make up others. */
const LAST_STATUS = 99;

/** `spec` names one of the cluster's metrics. */
export function createGrpcStats(stats: Stats, spec: (suffix: string) => MetricSpec): (names: string) => GrpcStats {
  const known = new Map<string, GrpcStats>();
  const byNames = (names: string): GrpcStats => {
    const found = known.get(names);
    if (found !== undefined) return found;
    if (names !== "" && known.size > MAX_METHODS) return byNames("");
    const made = create(stats, (suffix) => spec(names === "" ? `grpc.${suffix}` : `grpc.${names}.${suffix}`));
    known.set(names, made);
    return made;
  };
  return byNames;
}

function create(stats: Stats, spec: (suffix: string) => MetricSpec): GrpcStats {
  const counter = (suffix: string): Counter => stats.counter(spec(suffix));
  const statuses: (Counter | undefined)[] = [];
  let success: Counter | undefined;
  let failure: Counter | undefined;
  let total: Counter | undefined;
  let time: Histogram | undefined;
  return {
    requestMessages: counter("request_message_count"),
    responseMessages: counter("response_message_count"),
    countStatus(status) {
      if (status >= 0 && status <= LAST_STATUS) (statuses[status] ??= counter(String(status))).value++;
      if (status === 0) (success ??= counter("success")).value++;
      else (failure ??= counter("failure")).value++;
      (total ??= counter("total")).value++;
    },
    time: () => (time ??= stats.histogram(spec("upstream_rq_time"))),
  };
}
