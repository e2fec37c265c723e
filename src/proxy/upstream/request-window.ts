// How many requests a cluster has begun lately, for a retry budget with an interval. Envoy's window has ten parts: a request leaves it with the
// first part that ends when it is old enough. It looks at a counter that there is anyway, so that requests do nothing for it.
import type { Clock } from "../../kit/index.ts";

const PARTS = 10;

export interface RequestWindow {
  /** Begun within the interval. */
  count(): number;
  stop(): void;
}

export function createRequestWindow(clock: Clock, intervalMs: number, total: () => number): RequestWindow {
  const partMs = Math.max(1, intervalMs / PARTS);
  /** Totals at the ends of the last parts, the oldest first. */
  const ends: number[] = [total()];
  let cancel = clock.after(partMs, turn);

  function turn(): void {
    ends.push(total());
    if (ends.length > PARTS) ends.shift();
    cancel = clock.after(partMs, turn);
  }

  return {
    count: () => total() - (ends[0] as number),
    stop: () => cancel(),
  };
}
