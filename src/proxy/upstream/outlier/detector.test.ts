import { describe, expect, test } from "vitest";
import { type LogLevel, seededRng } from "../../../kit/index.ts";
import type { OutlierDetection } from "../../config/index.ts";
import { createStats } from "../../observe/stats.ts";
import { endpointConfig } from "../../testing/config.ts";
import { createManualClock } from "../../../kit/testing/manual-clock.ts";
import { createHost, type Host } from "../host.ts";
import { createDetector } from "./detector.ts";
import { createOutlierStats } from "./outlier-stats.ts";

const DEFAULTS: OutlierDetection = {
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectionJitterMs: 0,
  maxEjectionPercent: 100,
  alwaysEjectOneHost: false,
  splitLocalOrigin: false,
  consecutive: {
    "5xx": { count: 5, enforcing: 100 },
    gateway_failure: { count: 5, enforcing: 0 },
    local_origin_failure: { count: 5, enforcing: 100 },
  },
  successRate: { minimumHosts: 5, requestVolume: 100, deviations: 1.9, enforcing: 0, enforcingLocalOrigin: 0 },
  failurePercentage: { threshold: 85, minimumHosts: 5, requestVolume: 50, enforcing: 0, enforcingLocalOrigin: 0 },
};

function scene(over: Partial<OutlierDetection> = {}, count = 5) {
  const clock = createManualClock();
  const stats = createOutlierStats(createStats(), "c");
  const rng = seededRng(3);
  const logs: string[] = [];
  let changes = 0;
  const hosts = Array.from({ length: count }, (_, i) => createHost(endpointConfig(i + 1), "10.0.0.1"));
  const detector = createDetector({
    cluster: "c",
    config: { ...DEFAULTS, ...over },
    stats,
    clock,
    rng,
    logger: { log: (_level: LogLevel, message: string) => void logs.push(message) },
    onChange: () => void changes++,
  });
  detector.follow(hosts);
  const host = (i: number): Host => hosts[i] as Host;
  const answers = (i: number, ...statuses: number[]): void => statuses.forEach((status) => host(i).outlier?.putAnswer(status));
  return { clock, stats, logs, hosts, host, answers, detector, changes: () => changes, ejected: () => hosts.map((one) => one.ejected) };
}

const times = (count: number, status: number): number[] => Array.from({ length: count }, () => status);

describe("failures in a row", () => {
  test("the last of five ejects at once; 4xx and 2xx start the count again", () => {
    const s = scene();
    s.answers(0, 500, 501, 404, 500, 599, 200, ...times(4, 503));
    expect(s.host(0).ejected).toBe(false);
    s.answers(0, 500);
    expect(s.ejected()).toEqual([true, false, false, false, false]);
    expect(s.changes()).toBe(1);
    expect(s.stats.active.value).toBe(1);
    expect(s.stats.enforced.consecutive_5xx.value).toBe(1);
    expect(s.logs).toEqual(["host ejected"]);
  });

  test("gateway errors are counted beside: a 500 starts their count again, not the other", () => {
    const s = scene({
      consecutive: { ...DEFAULTS.consecutive, "5xx": { count: 0, enforcing: 0 }, gateway_failure: { count: 2, enforcing: 100 } },
    });
    s.answers(0, ...times(20, 500), 502, 500, 503);
    expect(s.host(0).ejected).toBe(false);
    s.answers(0, 504);
    expect(s.host(0).ejected).toBe(true);
    expect(s.stats.enforced.consecutive_gateway_failure.value).toBe(1);
  });

  test("0 never ejects; what is not enforced is detected only", () => {
    const off = scene({ consecutive: { ...DEFAULTS.consecutive, "5xx": { count: 0, enforcing: 0 } } });
    off.answers(0, ...times(100, 500));
    expect(off.host(0).ejected).toBe(false);
    const watched = scene({ consecutive: { ...DEFAULTS.consecutive, "5xx": { count: 2, enforcing: 0 } } });
    watched.answers(0, ...times(6, 500));
    expect([watched.host(0).ejected, watched.stats.detected.consecutive_5xx.value]).toEqual([false, 3]);
    expect(watched.logs).toEqual(times(3, 0).map(() => "outlier seen, not ejected"));
  });

  test("where the cluster says which answers are errors, they count as 500 at least, and all others as successes", () => {
    const s = scene({ isError: ({ status }) => status === 429 || status === 503 });
    const outlier = s.host(0).outlier;
    const seen = [429, 503, 500, 200].map((status) => outlier?.statusFor({ status, headerLines: () => [] }, status));
    expect(seen).toEqual([500, 503, 200, 200]);
    expect(
      scene()
        .host(0)
        .outlier?.statusFor({ status: 429, headerLines: () => [] }, 429),
    ).toBe(429);
  });

  test("connections: without split they are 503 and 504, with split they count on their own", () => {
    const s = scene();
    for (let i = 0; i < 5; i++) s.host(1).outlier?.putOutcome(i % 2 === 0 ? "connect failed" : "timeout");
    expect(s.host(1).ejected).toBe(true);
    const split = scene({ splitLocalOrigin: true });
    for (let i = 0; i < 4; i++) split.host(1).outlier?.putOutcome("connect failed");
    split.host(1).outlier?.putOutcome("connected");
    for (let i = 0; i < 4; i++) split.host(1).outlier?.putOutcome("timeout");
    split.answers(1, ...times(4, 500));
    expect(split.host(1).ejected).toBe(false);
    split.host(1).outlier?.putOutcome("connect failed");
    expect([split.host(1).ejected, split.stats.enforced.consecutive_local_origin_failure.value]).toEqual([true, 1]);
  });

  test("a connection alone is no success, and for TCP it is", () => {
    const s = scene();
    s.answers(0, ...times(4, 500));
    s.host(0).outlier?.putOutcome("connected");
    s.answers(0, 500);
    expect(s.host(0).ejected).toBe(true);
    for (let i = 0; i < 4; i++) s.host(1).outlier?.putOutcome("connect failed");
    s.host(1).outlier?.putOutcome("connected for good");
    s.host(1).outlier?.putOutcome("connect failed");
    expect(s.host(1).ejected).toBe(false);
  });
});

describe("how many may be out", () => {
  test.each<[number, number, boolean, number]>([
    [10, 2, false, 0],
    [10, 5, false, 0],
    [10, 10, false, 1],
    [50, 3, false, 1],
    [50, 4, false, 2],
    [100, 3, false, 3],
    [0, 3, true, 1],
    [10, 5, true, 1],
  ])("at most %d %% of %d hosts, always one: %s → %d", (maxEjectionPercent, count, alwaysEjectOneHost, out) => {
    const s = scene({ maxEjectionPercent, alwaysEjectOneHost }, count);
    for (let i = 0; i < count; i++) s.answers(i, ...times(5, 500));
    expect(s.ejected().filter(Boolean).length).toBe(out);
    expect(s.stats.overflow.value).toBe(count - out);
  });

  test("a host that leaves takes its ejection with it", () => {
    const s = scene({ maxEjectionPercent: 20 });
    s.answers(0, ...times(5, 500));
    s.detector.follow(s.hosts.slice(1));
    expect([s.stats.active.value, s.host(0).ejected, s.host(0).outlier]).toEqual([0, false, undefined]);
    s.answers(1, ...times(5, 500));
    // One of four is 25 %.
    expect(s.host(1).ejected).toBe(false);
  });
});

describe("coming back", () => {
  test("at the first interval after the base time, times the ejections so far; good intervals make it shorter again", () => {
    const s = scene();
    const outFor = (): number => {
      s.answers(0, ...times(5, 500));
      const start = s.clock.now();
      while (s.host(0).ejected) s.clock.advance(1000);
      return s.clock.now() - start;
    };
    expect([outFor(), outFor(), outFor()]).toEqual([30_000, 60_000, 90_000]);
    s.clock.advance(20_000);
    expect(outFor()).toBe(60_000);
    expect(s.changes()).toBe(8);
  });

  test("never longer than the maximum", () => {
    const s = scene({ maxEjectionMs: 40_000 });
    for (const expected of [30_000, 40_000, 40_000]) {
      s.answers(0, ...times(5, 500));
      s.clock.advance(expected - 1);
      expect(s.host(0).ejected).toBe(true);
      s.clock.advance(1);
      expect(s.host(0).ejected).toBe(false);
    }
  });

  test("with a clean sheet: one more error does not eject it again", () => {
    const s = scene({ consecutive: { ...DEFAULTS.consecutive, gateway_failure: { count: 3, enforcing: 100 } } });
    s.answers(0, 500, ...times(3, 503));
    expect(s.host(0).ejected).toBe(true);
    s.clock.advance(30_000);
    s.answers(0, ...times(1, 503));
    expect(s.host(0).ejected).toBe(false);
  });
});

describe("rates over an interval", () => {
  const rate = (s: ReturnType<typeof scene>, i: number, good: number, bad: number): void => {
    for (let n = 0; n < bad; n++) s.answers(i, 500, 200);
    s.answers(i, ...times(good - bad, 200));
  };

  test("success rate: far below the others", () => {
    const s = scene({ successRate: { ...DEFAULTS.successRate, enforcing: 100 } }, 6);
    for (let i = 0; i < 5; i++) rate(s, i, 100, 0);
    rate(s, 5, 75, 75);
    s.clock.advance(10_000);
    expect(s.ejected()).toEqual([false, false, false, false, false, true]);
    expect(s.stats.enforced.success_rate.value).toBe(1);
  });

  test("too few hosts or requests say nothing", () => {
    const s = scene({ successRate: { ...DEFAULTS.successRate, enforcing: 100 } }, 4);
    for (let i = 0; i < 3; i++) rate(s, i, 100, 0);
    rate(s, 3, 75, 75);
    s.clock.advance(10_000);
    expect(s.ejected()).not.toContain(true);
    const few = scene({ successRate: { ...DEFAULTS.successRate, enforcing: 100 } }, 6);
    for (let i = 0; i < 5; i++) rate(few, i, 50, 0);
    rate(few, 5, 30, 30);
    few.clock.advance(10_000);
    expect(few.ejected()).not.toContain(true);
  });

  test("failure percentage: above the threshold", () => {
    const s = scene({ failurePercentage: { ...DEFAULTS.failurePercentage, threshold: 40, enforcing: 100 } }, 5);
    for (let i = 0; i < 4; i++) rate(s, i, 50, 10);
    rate(s, 4, 50, 50);
    s.clock.advance(10_000);
    expect(s.ejected()).toEqual([false, false, false, false, true]);
    expect(s.stats.enforced.failure_percentage.value).toBe(1);
  });
});
