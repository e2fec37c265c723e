// Randomness as something passed in. `random()` is uniform in [0, 1).
export interface Rng {
  random(): number;
}

export const systemRng: Rng = { random: Math.random };

/** Deterministic generator for tests (mulberry32). */
export function seededRng(seed: number): Rng {
  let state = seed >>> 0;
  return {
    random() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    },
  };
}
