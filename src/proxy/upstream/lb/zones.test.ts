import { describe, expect, test } from "vitest";
import { seededRng } from "../../../kit/index.ts";
import type { Balancing } from "../../config/index.ts";
import { createStats } from "../../observe/stats.ts";
import { clusterConfig, endpointConfig, PLAIN_BALANCING } from "../../testing/config.ts";
import { createHost, type Host } from "../host.ts";
import { createPicker } from "../host-set.ts";
import { createZoneStats } from "./zones.ts";

type Places = Readonly<Record<string, number>>;

let ports = 0;
function hostsIn(places: Places, over: Parameters<typeof endpointConfig>[1] = {}): Host[] {
  return Object.entries(places).flatMap(([locality, count]) =>
    Array.from({ length: count }, () => createHost(endpointConfig((ports += 1), { locality, ...over }), "127.0.0.1")),
  );
}

const PICKS = 12_000;
/** Five standard deviations of a binomial share. */
const near = (share: number) => Math.max(0.001, 5 * Math.sqrt((share * (1 - share)) / PICKS));

/** The share of each zone, for callers in zone `a`. */
function shares(
  callers: readonly Host[] | undefined,
  endpoints: readonly Host[],
  over: Partial<Balancing> = {},
): { readonly zones: Readonly<Record<string, number>>; readonly stats: ReturnType<typeof createZoneStats> } {
  const rng = seededRng(7);
  const zones = { routingEnabled: 100, minClusterSize: 1, failOnPanic: false };
  const registry = createStats();
  const stats = createZoneStats((suffix) => registry.counter({ name: suffix, tags: {}, fullName: suffix }));
  const picker = createPicker({
    config: clusterConfig("c", [], { lbPolicy: "ROUND_ROBIN", balancing: { ...PLAIN_BALANCING, zones, ...over } }),
    hosts: endpoints,
    endpoints: { overprovisioningFactor: 140 },
    ownLocality: "a",
    localCluster: callers === undefined ? undefined : { hosts: callers, stats },
    random: () => rng.random(),
    now: () => 0,
    onPanic: () => undefined,
  });
  const counts: Record<string, number> = {};
  for (let i = 0; i < PICKS; i++) {
    const zone = picker.pick()?.config.locality ?? "none";
    counts[zone] = (counts[zone] ?? 0) + 1;
  }
  return { zones: Object.fromEntries(Object.entries(counts).map(([zone, count]) => [zone, count / PICKS])), stats };
}

function expectShares(got: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>): void {
  expect(Object.keys(got).sort()).toEqual(Object.keys(expected).sort());
  for (const [zone, share] of Object.entries(expected)) expect(Math.abs((got[zone] ?? 0) - share)).toBeLessThan(near(share));
}

describe("zone aware routing", () => {
  test.each<[string, Places, Places, Places]>([
    ["a zone with its share of endpoints keeps all", { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1 }],
    // Envoy's own example: 40, 40, 20 per cent of the callers, 25, 50, 25 of the endpoints.
    ["one with less keeps what it can bear", { a: 2, b: 2, c: 1 }, { a: 1, b: 2, c: 1 }, { a: 0.625, b: 0.25, c: 0.125 }],
    // Envoy's draw begins with 0, which falls to the first zone even if it has no capacity left.
    ["without endpoints, capacity that is left elsewhere counts", { a: 1, b: 1 }, { b: 1, c: 1 }, { b: 1 / 5000, c: 4999 / 5000 }],
    ["no other caller's zone is known: by heads", { a: 3 }, { a: 1, b: 3 }, { a: 0.25, b: 0.75 }],
    ["own zone has no caller: by heads", { b: 1, c: 1 }, { a: 1, b: 3 }, { a: 0.25, b: 0.75 }],
    ["all endpoints are in one zone", { a: 1, b: 1 }, { b: 3 }, { b: 1 }],
  ])("%s", (_, callers, endpoints, expected) => {
    expectShares(shares(hostsIn(callers), hostsIn(endpoints)).zones, expected);
  });

  test("a proxy that does not know its own cluster, and localities with weights, go by heads", () => {
    expectShares(shares(undefined, hostsIn({ a: 2, b: 2 })).zones, { a: 0.5, b: 0.5 });
    const weighted = hostsIn({ a: 2, b: 2 }, { localityWeight: 1 });
    expectShares(shares(hostsIn({ a: 1, b: 1 }), weighted, { localityWeighted: true, zones: undefined }).zones, { a: 0.5, b: 0.5 });
  });

  test("small clusters, and the part that is not to be routed by zone, go by heads", () => {
    const callers = hostsIn({ a: 1, b: 1 });
    const rules = { routingEnabled: 100, minClusterSize: 5, failOnPanic: false };
    const small = shares(callers, hostsIn({ a: 2, b: 2 }), { zones: rules });
    expectShares(small.zones, { a: 0.5, b: 0.5 });
    expect(small.stats.clusterTooSmall.value).toBe(1);
    const part = shares(callers, hostsIn({ a: 2, b: 2 }), { zones: { ...rules, minClusterSize: 4, routingEnabled: 40 } });
    expectShares(part.zones, { a: 0.7, b: 0.3 });
    expect(part.stats.allDirectly.value / PICKS).toBeCloseTo(0.4, 1);
  });

  test("only healthy callers and endpoints are counted", () => {
    const callers = [...hostsIn({ a: 1, b: 1 }), ...hostsIn({ b: 1 }, { healthy: false })];
    const endpoints = [...hostsIn({ a: 3, b: 2 }), ...hostsIn({ a: 1 }, { healthy: false })];
    expectShares(shares(callers, endpoints).zones, { a: 1 });
    const fewer = [...hostsIn({ a: 1, b: 3 }), ...hostsIn({ a: 1 }, { healthy: false })];
    expectShares(shares(callers, fewer).zones, { a: 0.5, b: 0.5 });
  });

  test("too few healthy callers: by heads, or nothing where that is asked for", () => {
    const callers = [...hostsIn({ a: 1 }), ...hostsIn({ b: 3 }, { healthy: false })];
    expectShares(shares(callers, hostsIn({ a: 2, b: 2 })).zones, { a: 0.5, b: 0.5 });
    const zones = { routingEnabled: 100, minClusterSize: 1, failOnPanic: true };
    expectShares(shares(callers, hostsIn({ a: 2, b: 2 }), { zones }).zones, { none: 1 });
  });

  test("fail_traffic_on_panic: too few healthy endpoints are none", () => {
    const sick = [...hostsIn({ a: 1 }), ...hostsIn({ a: 3 }, { healthy: false })];
    expectShares(shares(undefined, sick, { failOnPanic: true }).zones, { none: 1 });
    expectShares(shares(undefined, sick).zones, { a: 1 });
  });
});
