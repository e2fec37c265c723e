// Statistics as Envoy's admin endpoint prints them: text, JSON, Prometheus.
import { DEFAULT_BUCKETS, type Stats, type Tags } from "../observe/stats.ts";

type Row = readonly [name: string, value: number];

function rows(stats: Stats, filter: RegExp | undefined): Row[] {
  const all: Row[] = [];
  for (const source of [stats.counters(), stats.gauges()]) {
    for (const { fullName, metric } of source) if (filter === undefined || filter.test(fullName)) all.push([fullName, metric.value]);
  }
  return all.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

export function renderText(stats: Stats, filter: RegExp | undefined): string {
  return rows(stats, filter)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");
}

export function renderJson(stats: Stats, filter: RegExp | undefined): string {
  return JSON.stringify({ stats: rows(stats, filter).map(([name, value]) => ({ name, value })) });
}

const metricName = (name: string): string => `envoy_${name.replace(/[^A-Za-z0-9_]/g, "_")}`;
const escapeLabel = (value: string): string => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function labels(tags: Tags, extra?: readonly [string, string]): string {
  const pairs = [
    ...Object.entries(tags).map(([k, v]) => [k.replace(/[^A-Za-z0-9_]/g, "_"), v] as const),
    ...(extra === undefined ? [] : [extra]),
  ];
  return pairs.length === 0 ? "" : `{${pairs.map(([k, v]) => `${k}="${escapeLabel(v)}"`).join(",")}}`;
}

export function renderPrometheus(stats: Stats): string {
  const families = new Map<string, { type: string; lines: string[] }>();
  const family = (name: string, type: string): string[] => {
    let known = families.get(name);
    if (known === undefined) families.set(name, (known = { type, lines: [] }));
    return known.lines;
  };
  for (const { name, tags, metric } of stats.counters())
    family(metricName(name), "counter").push(`${metricName(name)}${labels(tags)} ${metric.value}`);
  for (const { name, tags, metric } of stats.gauges())
    family(metricName(name), "gauge").push(`${metricName(name)}${labels(tags)} ${metric.value}`);
  for (const { name, tags, metric } of stats.histograms()) {
    const lines = family(metricName(name), "histogram");
    let total = 0;
    DEFAULT_BUCKETS.forEach((bound, i) => {
      total += metric.counts[i] ?? 0;
      lines.push(`${metricName(name)}_bucket${labels(tags, ["le", String(bound)])} ${total}`);
    });
    lines.push(`${metricName(name)}_bucket${labels(tags, ["le", "+Inf"])} ${metric.count}`);
    lines.push(`${metricName(name)}_sum${labels(tags)} ${metric.sum}`, `${metricName(name)}_count${labels(tags)} ${metric.count}`);
  }
  return [...families].map(([name, { type, lines }]) => `# TYPE ${name} ${type}\n${lines.join("\n")}\n`).join("");
}
