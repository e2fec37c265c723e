// When an open-loop generator sends: at a fixed rate, whatever the answers do. A late timer catches up, so the rate holds over time.
export interface Pace {
  /** How many requests are due at `nowMs` that were not due before, with the time at which each was. */
  due(nowMs: number): readonly number[];
}

export function createPace(options: { readonly rate: number; readonly startMs: number }): Pace {
  const gap = 1000 / options.rate;
  let sent = 0;
  return {
    due(nowMs) {
      const target = Math.floor((nowMs - options.startMs) / gap) + 1;
      const times: number[] = [];
      for (; sent < target; sent++) times.push(options.startMs + sent * gap);
      return times;
    },
  };
}
