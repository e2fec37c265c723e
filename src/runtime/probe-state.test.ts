import { expect, test } from "vitest";
import { INITIAL_PROBE_STATE, probeIntervalMs, type ProbeState, stepProbe } from "./probe-state.ts";

const thresholds = { successThreshold: 1, failureThreshold: 3, initialDelaySeconds: 0, periodSeconds: 10 };

function play(results: readonly (readonly [atMs: number, passed: boolean])[], given = thresholds): ProbeState {
  return results.reduce((state, [atMs, passed]) => stepProbe(state, { atMs, passed }, given), INITIAL_PROBE_STATE);
}

test("a success counts at once, also within the initial delay", () => {
  expect(play([[50, true]], { ...thresholds, initialDelaySeconds: 30 }).verdict).toBe("passing");
});

test("the quick tries of a start are no series of failures", () => {
  const quick = Array.from({ length: 100 }, (_, i) => [i * 50, false] as const);
  expect(play(quick).verdict).toBe("unknown");
  expect(
    play([
      [10_000, false],
      [20_000, false],
      [29_999, false],
    ]).verdict,
  ).toBe("unknown");
  expect(
    play([
      [10_000, false],
      [20_000, false],
      [30_000, false],
    ]).verdict,
  ).toBe("failing");
});

test("failures within the initial delay do not count", () => {
  const given = { ...thresholds, failureThreshold: 1, initialDelaySeconds: 30 };
  expect(
    play(
      [
        [29_000, false],
        [39_999, false],
      ],
      given,
    ).verdict,
  ).toBe("unknown");
  expect(play([[40_000, false]], given).verdict).toBe("failing");
});

test("once passing, it fails after failureThreshold in a row and passes after successThreshold in a row", () => {
  const given = { ...thresholds, successThreshold: 2 };
  const passing = play(
    [
      [1, true],
      [2, true],
    ],
    given,
  );
  expect(passing.verdict).toBe("passing");
  const down = (state: ProbeState): ProbeState => stepProbe(state, { atMs: 99, passed: false }, given);
  const up = (state: ProbeState): ProbeState => stepProbe(state, { atMs: 99, passed: true }, given);
  expect(down(down(passing)).verdict).toBe("passing");
  expect(down(down(up(down(down(passing))))).verdict).toBe("passing");
  const failing = down(down(down(passing)));
  expect(failing.verdict).toBe("failing");
  expect(up(failing).verdict).toBe("failing");
  expect(up(up(failing)).verdict).toBe("passing");
});

test("tries are frequent until the first verdict, then once per period", () => {
  expect(probeIntervalMs(INITIAL_PROBE_STATE, { periodSeconds: 10, atMs: 0 })).toBe(50);
  expect(probeIntervalMs(INITIAL_PROBE_STATE, { periodSeconds: 10, atMs: 60_000 })).toBe(1000);
  expect(probeIntervalMs(play([[1, true]]), { periodSeconds: 10, atMs: 1 })).toBe(10_000);
});
