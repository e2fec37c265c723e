// What came back: by version, by status, by error, and how long it took.
export interface Outcome {
  /** Milliseconds since the request was due. */
  readonly tookMs: number;
  readonly status?: number;
  readonly version?: string;
  readonly error?: string;
}

export interface Summary {
  readonly requests: number;
  /** Transport errors and answers from 500 on. */
  readonly failed: number;
  readonly byVersion: Readonly<Record<string, number>>;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<string, number>>;
  readonly latencyMs: { readonly p50: number; readonly p90: number; readonly p99: number; readonly max: number };
}

export interface Tally {
  add(outcome: Outcome): void;
  summary(): Summary;
}

/** Latencies kept for the percentiles; beyond it every second one is dropped, over and over. */
const MAX_SAMPLES = 100_000;

export function createTally(): Tally {
  let requests = 0;
  let failed = 0;
  const byVersion = new Map<string, number>();
  const byStatus = new Map<string, number>();
  const errors = new Map<string, number>();
  let samples: number[] = [];
  let every = 1;
  let max = 0;
  const bump = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);
  return {
    add({ tookMs, status, version, error }) {
      if (error !== undefined) bump(errors, error);
      if (status !== undefined) bump(byStatus, String(status));
      if (version !== undefined) bump(byVersion, version);
      if (error !== undefined || (status ?? 0) >= 500) failed++;
      max = Math.max(max, tookMs);
      if (requests++ % every === 0) samples.push(tookMs);
      if (samples.length >= MAX_SAMPLES) {
        samples = samples.filter((_, i) => i % 2 === 0);
        every *= 2;
      }
    },
    summary() {
      const sorted = [...samples].sort((a, b) => a - b);
      const at = (share: number): number => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
      return {
        requests,
        failed,
        byVersion: sortedObject(byVersion),
        byStatus: sortedObject(byStatus),
        errors: sortedObject(errors),
        latencyMs: { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: round(max) },
      };
    },
  };
}

function sortedObject(map: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
