// Statistics as Envoy's admin endpoint prints them: text and JSON.
// https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--stats
import { DEFAULT_BUCKETS, type Histogram, type Stats } from "../observe/stats.ts";

export interface StatsFilter {
  readonly matches: (fullName: string) => boolean;
  readonly usedOnly: boolean;
}

const QUANTILES = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1];

interface Line {
  readonly name: string;
  readonly value: number;
}

function lines(stats: Stats, filter: StatsFilter): Line[] {
  const found: Line[] = [];
  for (const metrics of [stats.counters(), stats.gauges()]) {
    for (const { fullName, metric } of metrics) {
      if (filter.usedOnly && metric.value === 0) continue;
      if (filter.matches(fullName)) found.push({ name: fullName, value: metric.value });
    }
  }
  return found.sort(byName);
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function histograms(stats: Stats, filter: StatsFilter): { name: string; histogram: Histogram }[] {
  return [...stats.histograms()]
    .filter(({ fullName, metric }) => filter.matches(fullName) && !(filter.usedOnly && metric.count === 0))
    .map(({ fullName, metric }) => ({ name: fullName, histogram: metric }))
    .sort(byName);
}

export function renderStatsText(stats: Stats, filter: StatsFilter): string {
  const plain = lines(stats, filter).map(({ name, value }) => `${name}: ${value}\n`);
  const summaries = histograms(stats, filter).map(({ name, histogram }) => {
    if (histogram.count === 0) return `${name}: No recorded values\n`;
    return `${name}: ${QUANTILES.map((q) => `P${q * 100}(nan,${round(quantile(histogram, q))})`).join(" ")}\n`;
  });
  return plain.join("") + summaries.join("");
}

export function renderStatsJson(stats: Stats, filter: StatsFilter): unknown {
  return {
    stats: [
      ...lines(stats, filter),
      {
        histograms: {
          supported_quantiles: QUANTILES.map((q) => q * 100),
          computed_quantiles: histograms(stats, filter).map(({ name, histogram }) => ({
            name,
            values: QUANTILES.map((q) => ({ interval: null, cumulative: histogram.count === 0 ? null : round(quantile(histogram, q)) })),
          })),
        },
      },
    ],
  };
}

/** Linear within the bucket. */
export function quantile(histogram: Histogram, q: number): number {
  const rank = q * histogram.count;
  let below = 0;
  for (let i = 0; i < histogram.counts.length; i++) {
    const count = histogram.counts[i] as number;
    if (count > 0 && below + count >= rank) {
      const low = i === 0 ? 0 : (DEFAULT_BUCKETS[i - 1] as number);
      const high = DEFAULT_BUCKETS[i] ?? low;
      return low + (high - low) * Math.max(0, (rank - below) / count);
    }
    below += count;
  }
  return 0;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
