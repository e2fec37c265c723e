// Runs one probe of a container over and over and keeps its verdict.
import type { Clock } from "../kit/index.ts";
import { INITIAL_PROBE_STATE, probeIntervalMs, type ProbeState, type ProbeThresholds, stepProbe, type Verdict } from "./probe-state.ts";

export interface ProbeLoop {
  verdict(): Verdict;
  stop(): void;
}

export function startProbeLoop(options: {
  readonly check: () => Promise<boolean>;
  readonly timing: ProbeThresholds;
  readonly clock: Clock;
  /** After every change of the verdict. */
  readonly onVerdict: (verdict: Verdict) => void;
}): ProbeLoop {
  const { check, timing, clock } = options;
  const began = clock.now();
  let state: ProbeState = INITIAL_PROBE_STATE;
  let stopped = false;
  let cancel: (() => void) | undefined;

  async function run(): Promise<void> {
    const passed = await check();
    if (stopped) return;
    const atMs = clock.now() - began;
    const before = state.verdict;
    state = stepProbe(state, { passed, atMs }, timing);
    cancel = clock.after(probeIntervalMs(state, { periodSeconds: timing.periodSeconds, atMs }), () => void run());
    if (state.verdict !== before) options.onVerdict(state.verdict);
  }

  void run();
  return {
    verdict: () => state.verdict,
    stop() {
      stopped = true;
      cancel?.();
    },
  };
}
