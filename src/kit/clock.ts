// Time as something passed in, so that tests own it. Milliseconds everywhere.
export interface Clock {
  /** Monotonic milliseconds, for intervals. */
  now(): number;
  /** Wall-clock milliseconds since the epoch, for timestamps. */
  wall(): number;
  /** Runs `fn` once after `ms`; the returned function cancels. */
  after(ms: number, fn: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};
