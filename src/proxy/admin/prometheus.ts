// Statistics in Prometheus' text format, named and labelled as Envoy does.
// https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--stats-prometheus
import { DEFAULT_BUCKETS, type Histogram, type Metric, type Stats, type Tags } from "../observe/stats.ts";
import type { StatsFilter } from "./stats-text.ts";

export function renderPrometheus(stats: Stats, filter: StatsFilter): string {
  const out: string[] = [];
  pushPlain(out, "counter", group(stats.counters(), filter));
  pushPlain(out, "gauge", group(stats.gauges(), filter));
  for (const [name, metrics] of group(stats.histograms(), filter)) {
    out.push(`# TYPE ${name} histogram\n`);
    for (const { tags, metric } of metrics) if (!filter.usedOnly || metric.count > 0) pushHistogram(out, { name, tags, histogram: metric });
  }
  return out.join("");
}

function group<T>(metrics: Iterable<Metric<T>>, filter: StatsFilter): [string, Metric<T>[]][] {
  const kept = [...metrics].filter(({ fullName }) => filter.matches(fullName));
  return [...Map.groupBy(kept, ({ name }) => promName(name))].sort(([a], [b]) => (a < b ? -1 : 1));
}

function pushPlain(out: string[], type: string, groups: [string, Metric<{ value: number }>[]][]): void {
  for (const [name, metrics] of groups) {
    out.push(`# TYPE ${name} ${type}\n`);
    for (const { tags, metric } of metrics) out.push(`${name}${labels(tags)} ${metric.value}\n`);
  }
}

function pushHistogram(out: string[], { name, tags, histogram }: { name: string; tags: Tags; histogram: Histogram }): void {
  let below = 0;
  for (const [i, bound] of DEFAULT_BUCKETS.entries()) {
    below += histogram.counts[i] as number;
    out.push(`${name}_bucket${labels(tags, String(bound))} ${below}\n`);
  }
  out.push(`${name}_bucket${labels(tags, "+Inf")} ${histogram.count}\n`);
  out.push(`${name}_sum${labels(tags)} ${histogram.sum}\n`, `${name}_count${labels(tags)} ${histogram.count}\n`);
}

function promName(name: string): string {
  return `envoy_${name.replace(/[^a-zA-Z0-9_]/g, "_")}`;
}

function labels(tags: Tags, bound?: string): string {
  const pairs = Object.entries(tags).map(([name, value]) => `${name.replace(/[^a-zA-Z0-9_]/g, "_")}="${escape(value)}"`);
  if (bound !== undefined) pairs.push(`le="${bound}"`);
  return `{${pairs.join(",")}}`;
}

function escape(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));
}
