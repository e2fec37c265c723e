// A probe as a state machine: thresholds in, verdict out. Kubernetes' rules (https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/),
// but `initialDelaySeconds` is a grace in which failures do not count, not a wait: a success counts at once.
export type Verdict = "unknown" | "passing" | "failing";

export interface ProbeState {
  readonly verdict: Verdict;
  readonly successes: number;
  readonly failures: number;
}

export interface ProbeThresholds {
  readonly successThreshold: number;
  readonly failureThreshold: number;
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
}

export const INITIAL_PROBE_STATE: ProbeState = { verdict: "unknown", successes: 0, failures: 0 };

export interface ProbeResult {
  readonly passed: boolean;
  /** Milliseconds since the container started. */
  readonly atMs: number;
}

export function stepProbe(state: ProbeState, result: ProbeResult, thresholds: ProbeThresholds): ProbeState {
  if (result.passed) {
    const successes = state.successes + 1;
    return { verdict: successes >= thresholds.successThreshold ? "passing" : state.verdict, successes, failures: 0 };
  }
  // Before the first verdict there are more tries than Kubernetes makes: one failure counts per period after the grace.
  const countsFrom = (thresholds.initialDelaySeconds + thresholds.periodSeconds * (state.failures + 1)) * 1000;
  if (state.verdict === "unknown" && result.atMs < countsFrom) return { ...state, successes: 0 };
  const failures = state.failures + 1;
  return { verdict: failures >= thresholds.failureThreshold ? "failing" : state.verdict, successes: 0, failures };
}

/** Until the first verdict a probe runs often, so that a start is seen at once; after it, every `periodSeconds`. */
export function probeIntervalMs(state: ProbeState, options: { readonly periodSeconds: number; readonly atMs: number }): number {
  const period = options.periodSeconds * 1000;
  if (state.verdict !== "unknown") return period;
  return Math.min(period, options.atMs < 2000 ? 50 : options.atMs < 10_000 ? 250 : 1000);
}
