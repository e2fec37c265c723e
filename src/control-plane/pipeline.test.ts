import { describe, expect, test } from "vitest";
import { type Issue, silentLogger, type XdsResources } from "../kit/index.ts";
import type { ConfigView, EndpointIndex, InboundPortView, ProxyIdentity } from "../model/index.ts";
import { type Connection, createPipeline, type Stages, type Turn } from "./pipeline.ts";
import { createManualClock } from "../kit/testing/manual-clock.ts";

interface FakeSnapshot {
  readonly config: { readonly broken?: string };
  readonly views: Map<string, ConfigView>;
}

function identity(id: string, scope = "s"): ProxyIdentity {
  return { id, namespace: scope } as ProxyIdentity;
}

interface Received extends Connection {
  readonly got: { readonly resources: XdsResources; readonly revision: number }[];
}

function connection(id: string, scope = "s"): Received {
  const got: Received["got"] = [];
  return { identity: identity(id, scope), got, set: (resources, revision) => void got.push({ resources, revision }) };
}

/** Stages whose config depends on `world.config` and the scope only, and whose endpoints are `world.endpoints`. */
function setUp() {
  const clock = createManualClock();
  const world = {
    config: {} as FakeSnapshot["config"],
    endpoints: new Map() as EndpointIndex,
    revision: 1,
    failBuild: false,
    failFor: "",
    generated: 0,
    built: 0,
  };
  const snapshots = new WeakMap<object, FakeSnapshot>();
  const inbound = new Map<string, readonly InboundPortView[]>();
  const stages: Stages<FakeSnapshot> = {
    buildMesh() {
      if (world.failBuild) throw new Error("build");
      world.built += 1;
      const snapshot = snapshots.get(world.config) ?? { config: world.config, views: new Map() };
      snapshots.set(world.config, snapshot);
      return snapshot;
    },
    checkReferences: ({ config }) => (config.broken === undefined ? [] : [{ message: config.broken } as Issue]),
    viewFor(snapshot, { namespace, id }) {
      if (world.failFor === id) throw new Error("view");
      const view = snapshot.views.get(namespace) ?? ({ scope: namespace } as unknown as ConfigView);
      snapshot.views.set(namespace, view);
      return view;
    },
    // A new object each time, as a stage without memory gives it.
    inboundFor: (_snapshot, { id }) => ({ ports: inbound.get(id) ?? [], undeclared: [] }),
    endpointsOf: () => world.endpoints,
    generate() {
      world.generated += 1;
      return { byType: new Map() };
    },
  };
  const turns: Turn[] = [];
  const pipeline = createPipeline({
    stages,
    input: () => ({ resources: [], revision: world.revision }),
    onTurn: (turn) => turns.push(turn),
    clock,
    logger: silentLogger,
  });
  return { clock, world, pipeline, turns, inbound };
}

describe("hold-off", () => {
  test("changes are collected, and not for longer than the maximum", () => {
    const { clock, pipeline, turns } = setUp();
    for (let i = 0; i < 30; i++) {
      pipeline.configChanged();
      clock.advance(4);
    }
    expect(turns.length).toBeGreaterThanOrEqual(2);
    expect(turns.length).toBeLessThanOrEqual(3);
    clock.advance(5);
    const before = turns.length;
    clock.advance(1000);
    expect(turns).toHaveLength(before);
  });

  test("a single change that settles does not wait; the next of a stream does", () => {
    const { clock, pipeline, turns } = setUp();
    pipeline.configChanged();
    pipeline.settle();
    expect(turns).toHaveLength(1);
    clock.advance(10);
    pipeline.configChanged();
    pipeline.settle();
    expect(turns).toHaveLength(1);
    clock.advance(5);
    expect(turns).toHaveLength(2);
    pipeline.settle();
    clock.advance(1000);
    expect(turns).toHaveLength(2);
  });

  test("issues are those of what was written, though its turn still waits", () => {
    const { pipeline, turns, world } = setUp();
    pipeline.flush();
    world.config = { broken: "a subset is missing" };
    pipeline.configChanged();
    expect(pipeline.issues().map(({ message }) => message)).toEqual(["a subset is missing"]);
    expect(turns).toHaveLength(1);
  });

  test("endpoints do not wait", () => {
    const { clock, pipeline, turns } = setUp();
    pipeline.endpointsChanged();
    pipeline.endpointsChanged();
    clock.advance(0);
    expect(turns).toHaveLength(1);
  });
});

describe("sharing", () => {
  test("equal scopes get one object, made once", () => {
    const { pipeline, world } = setUp();
    pipeline.flush();
    const proxies = [connection("a"), connection("b"), connection("c", "other")];
    for (const proxy of proxies) pipeline.connect(proxy);
    expect(proxies[0]?.got[0]?.resources).toBe(proxies[1]?.got[0]?.resources);
    expect(proxies[2]?.got[0]?.resources).not.toBe(proxies[0]?.got[0]?.resources);
    expect(world.generated).toBe(2);
  });

  test("a turn that changes nothing hands out the same object with the new revision, and affects nobody", () => {
    const { pipeline, world, turns } = setUp();
    const proxy = connection("a");
    pipeline.connect(proxy);
    expect(proxy.got).toEqual([]);
    pipeline.flush();
    world.revision = 2;
    pipeline.flush();
    expect(proxy.got.map((got) => got.revision)).toEqual([1, 2]);
    expect(proxy.got[1]?.resources).toBe(proxy.got[0]?.resources);
    expect(turns.map((turn) => turn.affected)).toEqual([1, 0]);
    expect(world.generated).toBe(1);
  });

  test("own inbound ports are own config; equal ones are shared", () => {
    const { pipeline, world, inbound } = setUp();
    const port = (listenPort: number) => [{ listenPort } as InboundPortView];
    inbound.set("a", port(1)).set("b", port(1)).set("c", port(2));
    pipeline.flush();
    const proxies = ["a", "b", "c"].map((id) => connection(id));
    for (const proxy of proxies) pipeline.connect(proxy);
    pipeline.flush();
    expect(proxies[0]?.got[1]?.resources).toBe(proxies[1]?.got[0]?.resources);
    expect(world.generated).toBe(2);
  });

  test("new endpoints are new config for everybody who is connected, and nobody else", () => {
    const { pipeline, world, turns } = setUp();
    pipeline.flush();
    const leave = pipeline.connect(connection("gone"));
    const proxy = connection("a");
    pipeline.connect(proxy);
    leave();
    world.endpoints = new Map();
    pipeline.flush();
    expect(turns.at(-1)?.affected).toBe(1);
    expect(proxy.got).toHaveLength(2);
  });
});

describe("failure", () => {
  test("a mesh that cannot be built leaves everybody with what they have", () => {
    const { pipeline, world, turns } = setUp();
    pipeline.flush();
    const proxy = connection("a");
    pipeline.connect(proxy);
    world.failBuild = true;
    world.revision = 2;
    pipeline.flush();
    expect(turns).toHaveLength(1);
    expect(proxy.got).toHaveLength(1);
    const late = connection("late");
    pipeline.connect(late);
    expect(late.got[0]).toEqual(proxy.got[0]);
  });

  test("one proxy whose config cannot be made does not stop the others", () => {
    const { pipeline, world } = setUp();
    const bad = connection("bad");
    const good = connection("good");
    pipeline.connect(bad);
    pipeline.connect(good);
    world.failFor = "bad";
    pipeline.flush();
    expect([bad.got.length, good.got.length]).toEqual([0, 1]);
  });
});
