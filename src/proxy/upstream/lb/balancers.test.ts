import { describe, expect, test } from "vitest";
import { seededRng } from "../../../kit/index.ts";
import type { LbPolicy } from "../../config/index.ts";
import { clusterConfig, endpointConfig } from "../../testing/config.ts";
import { createHost, type Host } from "../host.ts";
import { createPicker } from "../host-set.ts";

function hosts(...endpoints: Parameters<typeof endpointConfig>[1][]): Host[] {
  return endpoints.map((over, i) => createHost(endpointConfig(i + 1, over), "127.0.0.1"));
}

function shares(policy: LbPolicy, list: readonly Host[], picks = 12_000): number[] {
  const rng = seededRng(3);
  const picker = createPicker({
    config: clusterConfig("c", [], { lbPolicy: policy }),
    hosts: list,
    endpoints: { overprovisioningFactor: 140 },
    ownLocality: "",
    random: () => rng.random(),
    now: () => 0,
    onPanic: () => undefined,
  });
  const counts = list.map(() => 0);
  for (let i = 0; i < picks; i++) {
    const host = picker.pick();
    if (host !== undefined) counts[host.port - 1] = (counts[host.port - 1] ?? 0) + 1;
  }
  return counts.map((count) => count / picks);
}

// Five standard deviations of a binomial share with 12,000 picks.
const near = (share: number) => Math.max(0.001, 5 * Math.sqrt((share * (1 - share)) / 12_000));

describe.each<LbPolicy>(["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"])("%s", (policy) => {
  test.each<[string, Parameters<typeof endpointConfig>[1][], number[]]>([
    ["alike", [{}, {}, {}], [1 / 3, 1 / 3, 1 / 3]],
    ["one alone", [{}], [1]],
    ["unhealthy ones are left out", [{ healthy: false }, {}, {}], [0, 1 / 2, 1 / 2]],
    ["panic: too few are healthy", [{ healthy: false }, { healthy: false }, {}], [1 / 3, 1 / 3, 1 / 3]],
    ["weight 0 takes out", [{ weight: 0 }, {}], [0, 1]],
    ["the second priority waits", [{}, { priority: 1 }], [1, 0]],
    ["the second priority takes what is missing", [{ healthy: false }, {}, { priority: 1 }], [0, 0.7, 0.3]],
    ["nobody", [], []],
  ])("%s", (_, endpoints, expected) => {
    const got = shares(policy, hosts(...endpoints));
    for (const [i, share] of expected.entries()) expect(Math.abs((got[i] ?? 0) - share)).toBeLessThan(near(share));
    expect(got.length).toBe(expected.length);
  });
});

describe.each<LbPolicy>(["ROUND_ROBIN", "LEAST_REQUEST"])("%s with weights", (policy) => {
  test("1 to 3", () => {
    const [a = 0, b = 0] = shares(policy, hosts({ weight: 1 }, { weight: 3 }));
    expect([a, b].map((x) => Math.round(x * 1000))).toEqual([250, 750]);
  });
});

test("least request prefers the idle host", () => {
  const list = hosts({}, {});
  (list[0] as Host).stats.rqActive = 10;
  // The busy one is only taken when both draws hit it.
  expect(Math.abs((shares("LEAST_REQUEST", list)[0] ?? 0) - 0.25)).toBeLessThan(near(0.25));
});
