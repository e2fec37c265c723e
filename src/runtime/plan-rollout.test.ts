import { describe, expect, test } from "vitest";
import { planRollout, type RolloutPod } from "./plan-rollout.ts";

const pod = (name: string, hash: string, ready: boolean, startedAt = 0): RolloutPod => ({ name, hash, ready, startedAt });
const plan = (replicas: number, pods: readonly RolloutPod[], strategy: "RollingUpdate" | "Recreate" = "RollingUpdate") =>
  planRollout({ replicas, hash: "new", strategy, pods });

describe("without old pods", () => {
  test("creates what is missing at once", () => {
    expect(plan(3, [pod("a", "new", false)])).toEqual({ create: 2, stop: [] });
  });
  test("stops the surplus: not ready first, then the youngest", () => {
    expect(plan(1, [pod("a", "new", true, 1), pod("b", "new", true, 2), pod("c", "new", false, 0)])).toEqual({
      create: 0,
      stop: ["c", "b"],
    });
  });
  test("0 replicas stop all", () => {
    expect(plan(0, [pod("a", "new", true), pod("b", "old", true)])).toEqual({ create: 0, stop: ["a", "b"] });
  });
});

describe("a new template", () => {
  test("the new pod comes first; the old one stays until it is ready", () => {
    expect(plan(1, [pod("a", "old", true)])).toEqual({ create: 1, stop: [] });
    expect(plan(1, [pod("a", "old", true), pod("b", "new", false)])).toEqual({ create: 0, stop: [] });
    expect(plan(1, [pod("a", "old", true), pod("b", "new", true)])).toEqual({ create: 0, stop: ["a"] });
  });
  test("old pods that serve nobody go at once", () => {
    expect(plan(1, [pod("a", "old", false)])).toEqual({ create: 1, stop: ["a"] });
  });
  test("Recreate stops the old ones first", () => {
    expect(plan(1, [pod("a", "old", true)], "Recreate")).toEqual({ create: 0, stop: ["a"] });
  });
  test.each([1, 2, 3, 4, 7, 10])("%i replicas: never fewer ready than asked, never more than a quarter extra, and it ends", (replicas) => {
    let pods = Array.from({ length: replicas }, (_, i) => pod(`o${i}`, "old", true));
    let made = 0;
    for (let turn = 0; turn < 100; turn++) {
      const step = plan(replicas, pods);
      pods = pods.filter((one) => !step.stop.includes(one.name));
      for (let i = 0; i < step.create; i++) pods.push(pod(`n${made++}`, "new", false));
      expect(pods.filter((one) => one.ready).length).toBeGreaterThanOrEqual(replicas);
      expect(pods.length).toBeLessThanOrEqual(replicas + Math.max(1, Math.ceil(replicas / 4)));
      const starting = pods.findIndex((one) => !one.ready);
      if (starting !== -1) pods = pods.map((one, i) => (i === starting ? { ...one, ready: true } : one));
    }
    expect(pods.map((one) => one.hash)).toEqual(Array.from({ length: replicas }, () => "new"));
    expect(made).toBe(replicas);
  });
});
