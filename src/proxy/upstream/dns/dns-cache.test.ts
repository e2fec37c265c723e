import { describe, expect, test } from "vitest";
import type { DnsCacheConfig } from "../../config/index.ts";
import { createStats } from "../../observe/stats.ts";
import { createDnsCaches } from "./dns-cache.ts";
import { nameAndPort } from "./name-and-port.ts";
import { type DnsAnswer, found } from "./resolver.ts";

const CONFIG: DnsCacheConfig = {
  name: "names",
  family: "V4_ONLY",
  refreshMs: 60_000,
  minRefreshMs: 5000,
  hostTtlMs: 300_000,
  maxHosts: 2,
  maxPending: 2,
  queryTimeoutMs: 3000,
  early: [],
  failure: undefined,
  resolver: { kind: "dns", servers: [] },
};
const FAILED: DnsAnswer = { addresses: [], ttlMs: undefined, failed: true, problem: "cares_failure:x" };

/** Lookups are answered by hand, and time goes on by hand. */
function startScene(over: Partial<DnsCacheConfig> = {}) {
  let now = 0;
  const timers = new Set<{ readonly at: number; readonly fn: () => void }>();
  const lookups: { readonly name: string; readonly done: (answer: DnsAnswer) => void }[] = [];
  const stats = createStats();
  const caches = createDnsCaches({
    resolverFor: () => ({ resolve: (name) => new Promise((done) => void lookups.push({ name, done })) }),
    clock: {
      now: () => now,
      wall: () => now,
      after(ms, fn) {
        const timer = { at: now + ms, fn };
        timers.add(timer);
        return () => void timers.delete(timer);
      },
    },
    rng: { random: () => 0.5 },
    stats,
  });
  const turn = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) await new Promise((done) => void setImmediate(done));
  };
  const cache = caches.get({ ...CONFIG, ...over });
  return {
    caches,
    cache,
    lookups,
    turn,
    async answer(answer: DnsAnswer) {
      lookups.shift()?.done(answer);
      await turn();
    },
    async pass(ms: number) {
      now += ms;
      for (const timer of [...timers]) {
        if (timer.at > now) continue;
        timers.delete(timer);
        timer.fn();
      }
      await turn();
    },
    count: (name: string) =>
      [...stats.counters(), ...stats.gauges()].find(({ fullName }) => fullName === `dns_cache.names.${name}`)?.metric.value,
  };
}

describe("a cache of names", () => {
  test("who asks before the answer waits for it, together with others; afterwards it is known", async () => {
    const scene = startScene();
    const heard: string[] = [];
    expect(scene.cache.load("A.test", 80, ({ addresses }) => void heard.push(`1 ${addresses.join()}`)).kind).toBe("waits");
    expect(scene.cache.load("a.test:80", 443, ({ addresses }) => void heard.push(`2 ${addresses.join()}`)).kind).toBe("waits");
    expect(scene.lookups.map(({ name }) => name)).toEqual(["a.test"]);
    expect(scene.cache.find("a.test", 80)).toBeUndefined();
    await scene.answer(found(["192.0.2.1"]));
    expect(heard).toEqual(["1 192.0.2.1", "2 192.0.2.1"]);
    expect(scene.cache.find("a.test", 80)).toEqual({ name: "a.test", port: 80, addresses: ["192.0.2.1"], problem: "" });
    expect(scene.cache.load("a.test", 80, () => heard.push("never")).kind).toBe("known");
    expect(heard).toHaveLength(2);
  });

  test("an answer counts as long as it says, but not shorter than answers count at least", async () => {
    const scene = startScene();
    scene.cache.load("a.test", 80, () => undefined);
    await scene.answer(found(["192.0.2.1"], 20_000));
    await scene.pass(19_999);
    expect(scene.lookups).toHaveLength(0);
    await scene.pass(1);
    expect(scene.lookups).toHaveLength(1);
    await scene.answer(found(["192.0.2.2"], 1000));
    expect(scene.cache.find("a.test", 80)?.addresses).toEqual(["192.0.2.2"]);
    await scene.pass(4999);
    expect(scene.lookups).toHaveLength(0);
    await scene.pass(1);
    expect(scene.lookups).toHaveLength(1);
  });

  test("a failure is kept too, until the refresh rate has passed; it takes no address away", async () => {
    const scene = startScene();
    scene.cache.load("a.test", 80, () => undefined);
    await scene.answer(FAILED);
    expect(scene.cache.load("a.test", 80, () => undefined)).toMatchObject({
      kind: "known",
      name: { addresses: [], problem: "cares_failure:x" },
    });
    await scene.pass(59_999);
    expect(scene.lookups).toHaveLength(0);
    await scene.pass(1);
    await scene.answer(found(["192.0.2.1"]));
    await scene.pass(5000);
    await scene.answer(FAILED);
    expect(scene.cache.find("a.test", 80)?.addresses).toEqual(["192.0.2.1"]);
    await scene.pass(60_000);
    await scene.answer(found([]));
    expect(scene.cache.find("a.test", 80)?.addresses).toEqual(["192.0.2.1"]);
    expect([scene.count("dns_query_failure"), scene.count("dns_query_success"), scene.count("host_address_changed")]).toEqual([2, 2, 1]);
  });

  test("after failures a back-off of its own", async () => {
    const scene = startScene({ failure: { baseMs: 1000, maxMs: 10_000 } });
    scene.cache.load("a.test", 80, () => undefined);
    await scene.answer(FAILED);
    await scene.pass(500);
    expect(scene.lookups).toHaveLength(1);
  });

  test("a name that nobody asks for is forgotten, and makes room", async () => {
    const scene = startScene();
    scene.cache.load("a.test", 80, () => undefined);
    scene.cache.load("b.test", 80, () => undefined);
    await scene.answer(found(["192.0.2.1"], 290_000));
    await scene.answer(found(["192.0.2.2"], 290_000));
    expect(scene.cache.load("c.test", 80, () => undefined).kind).toBe("full");
    await scene.pass(290_000);
    await scene.answer(found(["192.0.2.1"], 290_000));
    expect(scene.cache.find("b.test", 80)?.addresses).toEqual(["192.0.2.2"]);
    await scene.pass(290_000);
    expect(scene.cache.find("a.test", 80)).toBeUndefined();
    expect(scene.cache.find("b.test", 80)?.addresses).toEqual(["192.0.2.2"]);
    expect(scene.cache.load("c.test", 80, () => undefined).kind).toBe("waits");
    expect([scene.count("host_added"), scene.count("host_removed"), scene.count("num_hosts"), scene.count("host_overflow")]).toEqual([
      3, 1, 2, 1,
    ]);
  });

  test("a lookup that takes too long has failed; what comes of it later is not heard", async () => {
    const scene = startScene();
    const heard: string[] = [];
    scene.cache.load("a.test", 80, ({ problem }) => void heard.push(problem));
    await scene.pass(3000);
    expect(heard).toEqual(["resolve_timeout"]);
    await scene.answer(found(["192.0.2.1"]));
    expect(scene.cache.find("a.test", 80)?.addresses).toEqual([]);
    expect(scene.count("dns_query_timeout")).toBe(1);
  });

  test("only so many wait at a time", async () => {
    const scene = startScene({ maxPending: 1 });
    scene.cache.load("a.test", 80, () => undefined);
    expect(scene.cache.load("b.test", 80, () => undefined).kind).toBe("too many wait");
    await scene.answer(found(["192.0.2.1"]));
    expect(scene.cache.load("b.test", 80, () => undefined).kind).toBe("waits");
  });

  test("names can be looked up before anybody asks", () => {
    const scene = startScene({ early: [{ host: "a.test", port: 443 }] });
    expect(scene.lookups.map(({ name }) => name)).toEqual(["a.test"]);
    expect(scene.cache.load("a.test", 443, () => undefined).kind).toBe("waits");
    expect(scene.lookups).toHaveLength(1);
  });

  test("what is configured alike is one cache", () => {
    const { caches, cache } = startScene();
    expect(caches.get({ ...CONFIG })).toBe(cache);
    expect(caches.get({ ...CONFIG, maxHosts: 3 })).not.toBe(cache);
  });
});

test.each([
  ["a.test", "a.test:80", "a.test", 80],
  ["A.Test:8080", "a.test:8080", "a.test", 8080],
  ["[::1]", "[::1]:80", "::1", 80],
  ["[::1]:81", "[::1]:81", "::1", 81],
  ["127.0.0.1:9", "127.0.0.1:9", "127.0.0.1", 9],
  ["a.test:", "a.test::80", "a.test:", 80],
  ["a.test:99999", "a.test:99999:80", "a.test:99999", 80],
  ["", ":80", "", 80],
])("%s is %s", (authority, key, name, port) => {
  expect(nameAndPort(authority, 80)).toEqual({ key, name, port });
});
