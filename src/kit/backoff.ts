// Exponential back-off with full jitter: the n-th delay is uniform in [0, min(max, base * 2^n)).
import type { Rng } from "./rng.ts";

export interface Backoff {
  /** Next delay in milliseconds. */
  next(): number;
  reset(): void;
}

export function createBackoff(options: { baseMs: number; maxMs: number; rng: Rng }): Backoff {
  let attempt = 0;
  return {
    next() {
      const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** attempt);
      attempt = Math.min(attempt + 1, 30);
      return Math.floor(options.rng.random() * ceiling);
    },
    reset() {
      attempt = 0;
    },
  };
}
