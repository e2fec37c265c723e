// Hosts of a cluster of names: made when a request names one, gone when the name is forgotten or means something else.
import { expect, test } from "vitest";
import { seededRng, silentLogger } from "../../kit/index.ts";
import type { DnsCacheConfig } from "../config/index.ts";
import { createTimerWheel } from "../network/timer-wheel.ts";
import { createStats } from "../observe/stats.ts";
import { clusterConfig } from "../testing/config.ts";
import { createTlsContexts } from "../transport/tls-contexts.ts";
import { Cluster } from "./cluster.ts";
import { createDnsCaches } from "./dns/dns-cache.ts";
import { found } from "./dns/resolver.ts";
import type { PickContext } from "./lb/picker.ts";

const CACHE: DnsCacheConfig = {
  name: "names",
  family: "V4_ONLY",
  refreshMs: 60_000,
  minRefreshMs: 5000,
  hostTtlMs: 20_000,
  maxHosts: 10,
  maxPending: 10,
  queryTimeoutMs: 0,
  early: [],
  failure: undefined,
  resolver: { kind: "dns", servers: [] },
};

function startScene() {
  let now = 0;
  let address = "192.0.2.1";
  const timers = new Set<{ readonly at: number; readonly fn: () => void }>();
  const clock = {
    now: () => now,
    wall: () => now,
    after(ms: number, fn: () => void) {
      const timer = { at: now + ms, fn };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  };
  const stats = createStats();
  const rng = seededRng(1);
  const names = createDnsCaches({ resolverFor: () => ({ resolve: async () => found([address, "192.0.2.9"]) }), clock, rng, stats });
  const tls = createTlsContexts({ secrets: () => new Map(), logger: silentLogger });
  const context = { stats, clock, rng, names, wheel: createTimerWheel(clock), tls, logger: silentLogger, locality: "" };
  const config = clusterConfig("c", [], { type: "DYNAMIC", lbPolicy: "CLUSTER_PROVIDED", dnsCache: CACHE, endpoints: undefined });
  const cluster = new Cluster(config, context);
  cluster.update(config, []);
  const pick = (target: string | undefined) => cluster.pick({ target } as PickContext);
  const turn = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await new Promise((done) => void setImmediate(done));
  };
  return {
    cluster,
    pick,
    move: (to: string) => void (address = to),
    async load(name: string) {
      cluster.loadName(name, () => undefined);
      await turn();
    },
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 1000) {
        now += Math.min(left, 1000);
        for (const timer of [...timers]) {
          if (timer.at > now || !timers.delete(timer)) continue;
          timer.fn();
          await turn();
        }
      }
    },
    hosts: () => cluster.hostList.map(({ name }) => name),
  };
}

test("a host for each name and port, with all addresses of the name; none before it is known", async () => {
  const { pick, load, hosts } = startScene();
  expect(pick("a.test")).toBeUndefined();
  expect(pick(undefined)).toBeUndefined();
  await load("a.test");
  const host = pick("a.test:80");
  expect(host).toMatchObject({ address: "192.0.2.1", port: 80, alternatives: ["192.0.2.1", "192.0.2.9"], config: { hostname: "a.test" } });
  expect(pick("A.test")).toBe(host);
  await load("b.test:80");
  expect(pick("b.test")).not.toBe(host);
  expect(hosts()).toEqual(["192.0.2.1:80", "192.0.2.1:80"]);
});

test("a name that moved has another host, whose connections alone are kept", async () => {
  const { pick, load, move, pass, hosts, cluster } = startScene();
  await load("a.test");
  const before = pick("a.test");
  if (before === undefined) throw new Error("no host");
  const pool = cluster.pool(before, "tcp");
  before.stats.cxActive = 1;
  await pass(4000);
  move("192.0.2.2");
  await pass(2000);
  expect(pick("a.test")?.address).toBe("192.0.2.2");
  await pass(5000);
  pick("a.test");
  expect(before.pools.tcp).toBeUndefined();
  expect(pool.active).toBe(0);
  before.stats.cxActive = 0;
  await pass(11_000);
  pick("a.test");
  expect(hosts()).toEqual(["192.0.2.2:80"]);
});

test("a name that nobody asks for any more leaves no host", async () => {
  const { pick, load, pass, hosts } = startScene();
  await load("a.test");
  const host = pick("a.test");
  if (host === undefined) throw new Error("no host");
  host.stats.cxActive = 1;
  await pass(15_000);
  expect(hosts()).toEqual(["192.0.2.1:80"]);
  await pass(15_000);
  host.stats.cxActive = 0;
  await pass(11_000);
  expect(hosts()).toEqual([]);
  expect(pick("a.test")).toBeUndefined();
});
