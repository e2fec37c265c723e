// Counters, gauges and histograms of the data plane: bound once when a listener, route or cluster is made, bumped as plain fields on the hot path.
// Names, tags and buckets as Envoy's (https://www.envoyproxy.io/docs/envoy/latest/operations/stats_overview); the admin endpoint renders them.

export type Tags = Readonly<Record<string, string>>;

export interface Counter {
  value: number;
}

export interface Gauge {
  value: number;
}

/** Upper bounds of Envoy's default buckets, in the histogram's unit (milliseconds for times). */
export const DEFAULT_BUCKETS: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000,
];

export class Histogram {
  /** One count per bucket of `DEFAULT_BUCKETS` (not cumulative), the last one for everything above. */
  readonly counts: Float64Array = new Float64Array(DEFAULT_BUCKETS.length + 1);
  count = 0;
  sum = 0;

  record(value: number): void {
    this.count++;
    this.sum += value;
    // Most values are small: walking up beats a binary search.
    let i = 0;
    while (i < DEFAULT_BUCKETS.length && value > (DEFAULT_BUCKETS[i] as number)) i++;
    this.counts[i] = (this.counts[i] as number) + 1;
  }
}

export interface Metric<T> {
  /** Envoy's dotted name without the tag values, e.g. `cluster.upstream_rq_total`. */
  readonly name: string;
  /** Envoy's tag names, e.g. `envoy.cluster_name`. */
  readonly tags: Tags;
  /** Envoy's full dotted name as `/stats` shows it, e.g. `cluster.outbound|80||a.b.upstream_rq_total`. */
  readonly fullName: string;
  readonly metric: T;
}

export interface Stats {
  counter(spec: MetricSpec): Counter;
  gauge(spec: MetricSpec): Gauge;
  histogram(spec: MetricSpec): Histogram;
  /** Forgets every metric that carries this tag value: a removed cluster's series go away. */
  drop(tag: string, value: string): void;
  counters(): Iterable<Metric<Counter>>;
  gauges(): Iterable<Metric<Gauge>>;
  histograms(): Iterable<Metric<Histogram>>;
}

export interface MetricSpec {
  readonly name: string;
  readonly tags: Tags;
  readonly fullName: string;
}

/** A scope is the middle of a name: `cluster.NAME.` with tag `envoy.cluster_name`. */
export function scopedSpec(scope: { prefix: string; tag: string; value: string }, name: string, extra: Tags = {}): MetricSpec {
  return {
    name: `${scope.prefix}.${name}`,
    tags: { [scope.tag]: scope.value, ...extra },
    fullName: `${scope.prefix}.${scope.value}.${name}`,
  };
}

export function createStats(): Stats {
  const counters = new Map<string, Metric<Counter>>();
  const gauges = new Map<string, Metric<Gauge>>();
  const histograms = new Map<string, Metric<Histogram>>();

  function bind<T>(all: Map<string, Metric<T>>, spec: MetricSpec, make: () => T): T {
    const known = all.get(spec.fullName);
    if (known !== undefined) return known.metric;
    const metric = make();
    all.set(spec.fullName, { ...spec, metric });
    return metric;
  }

  return {
    counter: (spec) => bind(counters, spec, () => ({ value: 0 })),
    gauge: (spec) => bind(gauges, spec, () => ({ value: 0 })),
    histogram: (spec) => bind(histograms, spec, () => new Histogram()),
    drop(tag, value) {
      for (const all of [counters, gauges, histograms] as Map<string, { tags: Tags }>[]) {
        for (const [key, metric] of all) if (metric.tags[tag] === value) all.delete(key);
      }
    },
    counters: () => counters.values(),
    gauges: () => gauges.values(),
    histograms: () => histograms.values(),
  };
}
