// All sessions that have something to write do it once per turn of the event loop, behind whatever else was read in it: few large writes instead of many.
import type { WriteTurn } from "./stream.ts";

/** `later` runs its function once, after the reads of this turn. */
export function createWriteTurn(later: (fn: () => void) => void): WriteTurn {
  let waiting: { flush(): void }[] = [];
  function flushAll(): void {
    const sessions = waiting;
    waiting = [];
    for (const session of sessions) session.flush();
  }
  return {
    add(session) {
      if (waiting.push(session) === 1) later(flushAll);
    },
  };
}

export const eventLoopTurn: WriteTurn = createWriteTurn((fn) => void setImmediate(fn));
