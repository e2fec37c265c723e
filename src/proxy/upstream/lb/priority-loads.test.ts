import { describe, expect, test } from "vitest";
import { endpointConfig } from "../../testing/config.ts";
import { createHost, type Host } from "../host.ts";
import { groupHosts } from "./host-groups.ts";
import { choosePriority, priorityState } from "./priority-loads.ts";

/** `HHu` = two healthy hosts and a sick one; `d` = degraded, `e` = ejected. One text per priority. */
function groups(...priorities: readonly string[]) {
  const hosts: Host[] = [];
  for (const [priority, letters] of priorities.entries()) {
    for (const letter of letters) {
      const host = createHost(
        endpointConfig(hosts.length + 1, { priority, healthy: letter !== "u", degraded: letter === "d", weight: letter === "W" ? 3 : 1 }),
        "127.0.0.1",
      );
      host.leftOut = letter === "e";
      hosts.push(host);
    }
  }
  return groupHosts(hosts, "");
}

const RULES = { overprovisioning: 140, panicThreshold: 50, weightedHealth: false };

describe("shares in per cent, as Envoy's documentation has them", () => {
  test.each<[string, string[], number[], number[]]>([
    ["all healthy", ["HHHH", "HH"], [100, 0], [0, 0]],
    ["72 per cent healthy bear all", ["HHHHHHHuuu", "H"], [98, 2], [0, 0]],
    ["half", ["Hu", "H"], [70, 30], [0, 0]],
    ["ejected hosts are sick", ["He", "H"], [70, 30], [0, 0]],
    ["a quarter, and then a half", ["Huuu", "Hu", "H"], [35, 65, 0], [0, 0, 0]],
    ["not enough for all: scaled up, rounding to the first", ["Huuuuuuuuu", "Huuuuuuuuu"], [50, 50], [0, 0]],
    ["degraded after healthy", ["Hd", "u"], [70, 0], [30, 0]],
    ["degraded only", ["dd"], [0], [100]],
    ["all sick: by heads", ["uuu", "u"], [75, 25], [0, 0]],
    ["all sick, uneven: the rest to the first", ["u", "uu"], [34, 66], [0, 0]],
  ])("%s", (_, priorities, healthy, degraded) => {
    expect(priorityState(groups(...priorities), RULES).loads).toEqual({ healthy, degraded });
  });

  test("weights count where the assignment says so", () => {
    const loads = priorityState(groups("WuH", "H"), { ...RULES, weightedHealth: true }).loads;
    expect(loads.healthy).toEqual([100, 0]);
    expect(priorityState(groups("WuH", "H"), RULES).loads.healthy).toEqual([93, 7]);
  });
});

describe("panic", () => {
  test.each<[string, string[], number, boolean[]]>([
    ["below the threshold", ["Huu"], 50, [true]],
    ["exactly at the threshold is no panic", ["Hu"], 50, [false]],
    ["never while all the load can be borne", ["Huuu", "HHH"], 50, [false, false]],
    ["by priority, when it cannot", ["Huuu", "Hu"], 50, [false, false]],
    ["by priority, when it cannot (third)", ["Huuuu", "Huuu"], 50, [true, true]],
    ["0 switches it off", ["uu"], 0, [false]],
    ["degraded hosts are fit", ["du"], 50, [false]],
  ])("%s", (_, priorities, panicThreshold, expected) => {
    expect(priorityState(groups(...priorities), { ...RULES, panicThreshold }).panic).toEqual(expected);
  });

  test("switched off with nobody healthy: all the load goes to the first, who has nobody", () => {
    expect(priorityState(groups("u", "u"), { ...RULES, panicThreshold: 0 }).loads.healthy).toEqual([100, 0]);
  });
});

test("a draw from 1 to 100 falls on healthy hosts first, then on degraded ones", () => {
  const loads = { healthy: [35, 25], degraded: [10, 30] };
  const chosen = [1, 35, 36, 60, 61, 70, 71, 100].map((draw) => choosePriority(draw, loads));
  expect(chosen.map(({ priority, degraded }) => `${priority}${degraded ? "d" : ""}`)).toEqual(["0", "0", "1", "1", "0d", "0d", "1d", "1d"]);
});
