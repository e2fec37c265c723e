// How long a process that ended waits for its next start: Kubernetes' CrashLoopBackOff with times for one machine (0.2 s doubling to 10 s,
// forgotten after 60 s of running).
const BASE_MS = 200;
const MAX_MS = 10_000;
const GOOD_MS = 60_000;

export interface RestartDelay {
  /** Milliseconds to wait after a run of `ranMs`. */
  next(ranMs: number): number;
}

export function createRestartDelay(): RestartDelay {
  let failures = 0;
  return {
    next(ranMs) {
      if (ranMs >= GOOD_MS) failures = 0;
      return Math.min(MAX_MS, BASE_MS * 2 ** Math.min(failures++, 16));
    },
  };
}
