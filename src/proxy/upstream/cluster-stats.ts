// A cluster's counters, bound once: https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats
import { createHttp2Stats } from "../http2/http2-stats.ts";
import type { Http2Stats } from "../http2/stream.ts";
import { createGrpcStats, type GrpcStats } from "./grpc-stats.ts";
import type { HostStats } from "./host.ts";
import { createZoneStats, type ZoneStats } from "./lb/zones.ts";
import { scopedSpec, type Counter, type Gauge, type Histogram, type Stats } from "../observe/stats.ts";

export interface ClusterStats {
  readonly rqTotal: Counter;
  readonly rqActive: Gauge;
  readonly rqCompleted: Counter;
  readonly rqTime: Histogram;
  readonly rqRetry: Counter;
  readonly rqRetrySuccess: Counter;
  readonly rqRetryOverflow: Counter;
  readonly rqRetryLimit: Counter;
  readonly rqTimeout: Counter;
  readonly rqPerTryTimeout: Counter;
  readonly rqPerTryIdleTimeout: Counter;
  readonly rqRxReset: Counter;
  readonly rqTxReset: Counter;
  readonly rqPendingTotal: Counter;
  readonly rqPendingActive: Gauge;
  readonly rqPendingOverflow: Counter;
  readonly rqPendingFailure: Counter;
  readonly cxTotal: Counter;
  readonly cxActive: Gauge;
  readonly cxConnectFail: Counter;
  readonly cxConnectTimeout: Counter;
  readonly cxConnectAttemptsExceeded: Counter;
  readonly cxOverflow: Counter;
  readonly cxDestroy: Counter;
  readonly cxIdleTimeout: Counter;
  readonly cxMaxRequests: Counter;
  readonly cxMaxDuration: Counter;
  readonly cxNoneHealthy: Counter;
  readonly cxProtocolError: Counter;
  readonly cxHttp1Total: Counter;
  readonly cxHttp2Total: Counter;
  /** GOAWAY came. */
  readonly cxCloseNotify: Counter;
  readonly healthyPanic: Counter;
  readonly originalDstHostInvalid: Counter;
  readonly rxBytes: Counter;
  readonly txBytes: Counter;
  readonly membershipTotal: Gauge;
  readonly membershipHealthy: Gauge;
  /** upstream_rq_2xx and so on, by hundreds. */
  readonly classes: readonly Counter[];
  /** upstream_rq_200 and so on, made when first seen. */
  code(status: number): Counter;
  /** Made where the proxy knows its own cluster. */
  zones(): ZoneStats;
  /** `http2.…`, made with the first HTTP/2 connection. */
  http2(): Http2Stats;
  /** `grpc.…` of one `SERVICE.METHOD`, "" = of all. */
  grpc(names: string): GrpcStats;
}

/** An answer's head has come from the upstream. */
export function countAnswer(stats: ClusterStats, host: HostStats, status: number): void {
  countStatus(stats, status);
  if (status < 500) host.rqSuccess++;
  else host.rqError++;
}

/** Of an answer, or of what a request ended with that got none. */
export function countStatus(stats: ClusterStats, status: number): void {
  const hundreds = stats.classes[(status / 100) | 0];
  if (hundreds !== undefined) hundreds.value++;
  stats.code(status).value++;
  stats.rqCompleted.value++;
}

export const CLUSTER_TAG = "envoy.cluster_name";

export function createClusterStats(stats: Stats, name: string): ClusterStats {
  const scope = { prefix: "cluster", tag: CLUSTER_TAG, value: name };
  const counter = (suffix: string) => stats.counter(scopedSpec(scope, suffix));
  const gauge = (suffix: string) => stats.gauge(scopedSpec(scope, suffix));
  const codes: (Counter | undefined)[] = [];
  let http2: Http2Stats | undefined;
  let zones: ZoneStats | undefined;
  return {
    rqTotal: counter("upstream_rq_total"),
    rqActive: gauge("upstream_rq_active"),
    rqCompleted: counter("upstream_rq_completed"),
    rqTime: stats.histogram(scopedSpec(scope, "upstream_rq_time")),
    rqRetry: counter("upstream_rq_retry"),
    rqRetrySuccess: counter("upstream_rq_retry_success"),
    rqRetryOverflow: counter("upstream_rq_retry_overflow"),
    rqRetryLimit: counter("upstream_rq_retry_limit_exceeded"),
    rqTimeout: counter("upstream_rq_timeout"),
    rqPerTryTimeout: counter("upstream_rq_per_try_timeout"),
    rqPerTryIdleTimeout: counter("upstream_rq_per_try_idle_timeout"),
    rqRxReset: counter("upstream_rq_rx_reset"),
    rqTxReset: counter("upstream_rq_tx_reset"),
    rqPendingTotal: counter("upstream_rq_pending_total"),
    rqPendingActive: gauge("upstream_rq_pending_active"),
    rqPendingOverflow: counter("upstream_rq_pending_overflow"),
    rqPendingFailure: counter("upstream_rq_pending_failure_eject"),
    cxTotal: counter("upstream_cx_total"),
    cxActive: gauge("upstream_cx_active"),
    cxConnectFail: counter("upstream_cx_connect_fail"),
    cxConnectTimeout: counter("upstream_cx_connect_timeout"),
    cxConnectAttemptsExceeded: counter("upstream_cx_connect_attempts_exceeded"),
    cxOverflow: counter("upstream_cx_overflow"),
    cxDestroy: counter("upstream_cx_destroy"),
    cxIdleTimeout: counter("upstream_cx_idle_timeout"),
    cxMaxRequests: counter("upstream_cx_max_requests"),
    cxMaxDuration: counter("upstream_cx_max_duration_reached"),
    cxNoneHealthy: counter("upstream_cx_none_healthy"),
    cxProtocolError: counter("upstream_cx_protocol_error"),
    cxHttp1Total: counter("upstream_cx_http1_total"),
    cxHttp2Total: counter("upstream_cx_http2_total"),
    cxCloseNotify: counter("upstream_cx_close_notify"),
    healthyPanic: counter("lb_healthy_panic"),
    originalDstHostInvalid: counter("original_dst_host_invalid"),
    rxBytes: counter("upstream_cx_rx_bytes_total"),
    txBytes: counter("upstream_cx_tx_bytes_total"),
    membershipTotal: gauge("membership_total"),
    membershipHealthy: gauge("membership_healthy"),
    classes: [0, 1, 2, 3, 4, 5].map((hundreds) => (hundreds === 0 ? { value: 0 } : counter(`upstream_rq_${hundreds}xx`))),
    code(status) {
      return (codes[status] ??= counter(`upstream_rq_${status}`));
    },
    grpc: createGrpcStats(stats, (suffix) => scopedSpec(scope, suffix)),
    zones: () => (zones ??= createZoneStats(counter)),
    http2: () =>
      (http2 ??= createHttp2Stats(
        (suffix) => counter(`http2.${suffix}`),
        (suffix) => gauge(`http2.${suffix}`),
      )),
  };
}
