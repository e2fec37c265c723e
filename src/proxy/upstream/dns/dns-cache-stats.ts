// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/dynamic_forward_proxy_filter#statistics
import { type Counter, type Gauge, scopedSpec, type Stats } from "../../observe/stats.ts";

export interface DnsCacheStats {
  readonly attempt: Counter;
  readonly success: Counter;
  readonly failure: Counter;
  readonly timeout: Counter;
  readonly changed: Counter;
  readonly added: Counter;
  readonly removed: Counter;
  readonly hosts: Gauge;
  readonly hostOverflow: Counter;
  readonly pendingOverflow: Counter;
}

export function createDnsCacheStats(stats: Stats, name: string): DnsCacheStats {
  const spec = (suffix: string) => scopedSpec({ prefix: "dns_cache", tag: "envoy.dns_cache", value: name }, suffix);
  return {
    attempt: stats.counter(spec("dns_query_attempt")),
    success: stats.counter(spec("dns_query_success")),
    failure: stats.counter(spec("dns_query_failure")),
    timeout: stats.counter(spec("dns_query_timeout")),
    changed: stats.counter(spec("host_address_changed")),
    added: stats.counter(spec("host_added")),
    removed: stats.counter(spec("host_removed")),
    hosts: stats.gauge(spec("num_hosts")),
    hostOverflow: stats.counter(spec("host_overflow")),
    pendingOverflow: stats.counter(spec("dns_rq_pending_overflow")),
  };
}
