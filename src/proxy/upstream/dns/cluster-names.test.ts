import { expect, test } from "vitest";
import type { ClusterConfig, DnsConfig, DnsFamily } from "../../config/index.ts";
import { createStats } from "../../observe/stats.ts";
import { clusterConfig, endpointConfig } from "../../testing/config.ts";
import { createClusterNames, DEFAULT_DNS } from "./cluster-names.ts";
import type { DnsAnswer } from "./resolver.ts";

interface Timer {
  readonly ms: number;
  readonly fn: () => void;
  cancelled: boolean;
}

/** Lookups that are answered by hand, and time that moves by hand. */
function startScene(random = () => 0.5) {
  const timers: Timer[] = [];
  const lookups: { readonly name: string; readonly family: DnsFamily; readonly answer: (found: DnsAnswer) => Promise<void> }[] = [];
  const events: string[] = [];
  const stats = createStats();
  const names = createClusterNames({
    resolverFor: () => ({
      resolve: (name, family) =>
        new Promise((done) => {
          lookups.push({
            name,
            family,
            async answer(found) {
              done(found);
              await new Promise((turn) => void setImmediate(turn));
            },
          });
        }),
    }),
    clock: {
      now: () => 0,
      wall: () => 0,
      after(ms, fn) {
        const timer: Timer = { ms, fn, cancelled: false };
        timers.push(timer);
        return () => void (timer.cancelled = true);
      },
    },
    rng: { random },
    stats,
  });
  names.subscribe((cluster, warmed) => void events.push(`${cluster}${warmed ? " warm" : ""}`));
  return {
    names,
    timers,
    lookups,
    events,
    counts: () =>
      Object.fromEntries([...stats.counters()].map(({ fullName, metric }) => [fullName.replace(/^cluster\.c\.update_/, ""), metric.value])),
    waiting: () => timers.filter(({ cancelled }) => !cancelled).map(({ ms }) => ms),
    async answer(found: readonly string[] | undefined, ttlMs?: number) {
      await lookups.shift()?.answer({ addresses: found ?? [], ttlMs, failed: found === undefined, problem: "" });
    },
    fire() {
      const timer = timers.shift();
      if (timer?.cancelled === false) timer.fn();
    },
  };
}

function cluster(names: readonly string[], dns: Partial<DnsConfig> = {}, over: Partial<ClusterConfig> = {}): ClusterConfig {
  const endpoints = names.map((address) => endpointConfig(80, { address }));
  return clusterConfig("c", [], {
    type: "STRICT_DNS",
    dns: { ...DEFAULT_DNS, ...dns },
    endpoints: { clusterName: "c", endpoints, overprovisioningFactor: 140 },
    ...over,
  });
}

test("warm with the first answer of any name, looked up again after the refresh rate, each name by itself", async () => {
  const scene = startScene();
  const config = cluster(["a.test", "b.test", "192.0.2.1", "/run/x"], { family: "V6_ONLY" });
  scene.names.prepare(config);
  scene.names.prepare(config);
  expect(scene.lookups.map(({ name, family }) => `${name} ${family}`)).toEqual(["a.test V6_ONLY", "b.test V6_ONLY"]);
  expect(scene.names.warm(config)).toBe(false);
  await scene.answer(["192.0.2.1", "192.0.2.2"]);
  expect(scene.names.warm(config)).toBe(true);
  expect(scene.events).toEqual(["c warm"]);
  await scene.answer(["192.0.2.3"]);
  expect(scene.events).toEqual(["c warm", "c"]);
  expect(scene.names.addresses("c", "a.test")).toEqual(["192.0.2.1", "192.0.2.2"]);
  expect(scene.waiting()).toEqual([5000, 5000]);
  scene.fire();
  expect(scene.lookups.map(({ name }) => name)).toEqual(["a.test"]);
});

test("a failure warms too and keeps what was known; no address is an answer", async () => {
  const scene = startScene();
  const config = cluster(["a.test"]);
  scene.names.prepare(config);
  await scene.answer(undefined);
  expect(scene.names.warm(config)).toBe(true);
  expect(scene.events).toEqual(["c warm"]);
  scene.fire();
  await scene.answer(["192.0.2.1"]);
  scene.fire();
  await scene.answer(undefined);
  expect(scene.names.addresses("c", "a.test")).toEqual(["192.0.2.1"]);
  scene.fire();
  await scene.answer(["192.0.2.1"]);
  scene.fire();
  await scene.answer([]);
  expect(scene.names.addresses("c", "a.test")).toEqual([]);
  expect(scene.counts()).toEqual({ attempt: 5, success: 3, failure: 2, no_rebuild: 1, empty: 0 });
});

test("of a logical host no address is a failure: the last one stays", async () => {
  const scene = startScene();
  scene.names.prepare(cluster(["a.test"], {}, { type: "LOGICAL_DNS" }));
  await scene.answer(["192.0.2.1"]);
  scene.fire();
  await scene.answer([]);
  expect(scene.names.addresses("c", "a.test")).toEqual(["192.0.2.1"]);
  expect(scene.counts()).toEqual({ attempt: 2, success: 1, failure: 1, no_rebuild: 0, empty: 0 });
});

test("TTL where it is respected and says something, never below the least, longer by the jitter", async () => {
  const scene = startScene();
  scene.names.prepare(cluster(["a.test"], { respectTtl: true, minRefreshMs: 2000, jitterMs: 100 }));
  await scene.answer(["192.0.2.1"], 30_000);
  scene.fire();
  await scene.answer(["192.0.2.1"], 1000);
  scene.fire();
  await scene.answer(["192.0.2.1"]);
  scene.fire();
  await scene.answer(["192.0.2.1"], 0);
  expect(scene.waiting()).toEqual([5050]);
  expect(scene.timers).toHaveLength(1);
});

test.each([
  [{ respectTtl: true }, 30_000],
  [{ respectTtl: false }, 5000],
  [{ respectTtl: true, minRefreshMs: 40_000 }, 40_000],
  [{ respectTtl: true, jitterMs: 100 }, 30_050],
  [{ refreshMs: 700 }, 700],
])("%o: the next lookup comes after %i ms", async (dns, ms) => {
  const scene = startScene();
  scene.names.prepare(cluster(["a.test"], dns));
  await scene.answer(["192.0.2.1"], 30_000);
  expect(scene.waiting()).toEqual([ms]);
});

test("failures: the refresh rate, or a back-off that grows and begins anew after a success", async () => {
  const plain = startScene();
  plain.names.prepare(cluster(["a.test"], { refreshMs: 800 }));
  await plain.answer(undefined);
  expect(plain.waiting()).toEqual([800]);

  const scene = startScene();
  const waits: number[] = [];
  scene.names.prepare(cluster(["a.test"], { failure: { baseMs: 1000, maxMs: 4000 } }));
  for (const found of [undefined, undefined, undefined, undefined, ["192.0.2.1"], undefined]) {
    await scene.answer(found);
    waits.push(...scene.waiting());
    scene.fire();
  }
  expect(waits).toEqual([500, 1000, 2000, 2000, 5000, 500]);
});

test("another config keeps what is known of names that stay; a name that is new is looked up; the rest is no longer asked for", async () => {
  const scene = startScene();
  scene.names.prepare(cluster(["a.test", "b.test"]));
  await scene.answer(["192.0.2.1"]);
  await scene.answer(["192.0.2.2"]);
  const next = cluster(["b.test", "c.test"]);
  scene.names.prepare(next);
  expect(scene.names.warm(next)).toBe(true);
  expect(scene.lookups.map(({ name }) => name)).toEqual(["c.test"]);
  expect(scene.names.addresses("c", "b.test")).toEqual(["192.0.2.2"]);
  expect(scene.waiting()).toHaveLength(1);
  const only = cluster(["d.test"]);
  scene.names.prepare(only);
  expect(scene.names.warm(only)).toBe(false);
});

test("after it is forgotten nothing is asked, and a late answer says nothing", async () => {
  const scene = startScene();
  scene.names.prepare(cluster(["a.test"]));
  scene.names.forget("c");
  await scene.answer(["192.0.2.1"]);
  expect(scene.events).toEqual([]);
  expect(scene.waiting()).toEqual([]);
  expect(scene.names.addresses("c", "a.test")).toEqual([]);
});

test("no names, or a config that does not wait: warm at once", () => {
  const scene = startScene();
  const none = cluster([]);
  scene.names.prepare(none);
  expect(scene.names.warm(none)).toBe(true);
  const quick = cluster(["a.test"], { waitForFirst: false });
  scene.names.prepare(quick);
  expect(scene.names.warm(quick)).toBe(true);
});
