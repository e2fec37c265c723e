// The client's protocol state against a scripted control plane: no sockets, messages by Envoy's own encoder.
import { afterEach, describe, expect, test } from "vitest";
import * as api from "../../envoy-api/index.ts";
import { type Clock, seededRng, silentLogger, TYPE_URL } from "../../kit/index.ts";
import { createRuntimeCell } from "../config/index.ts";
import { createStats } from "../observe/stats.ts";
import { type AdsClient, startAdsClient } from "./ads-client.ts";
import { createAssembler } from "./assembler.ts";
import { DELTA } from "./delta.ts";
import type { StreamHandlers } from "./grpc-stream.ts";
import { createResourceStore } from "./resource-store.ts";
import { createXdsStats } from "./xds-stats.ts";

const running: AdsClient[] = [];
afterEach(() => running.splice(0).forEach((client) => client.stop()));

function startScene() {
  const timers: { ms: number; fn: () => void }[] = [];
  const clock: Clock = {
    now: () => 0,
    wall: () => 0,
    after(ms, fn) {
      const timer = { ms, fn };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer) >>> 0, 1);
    },
  };
  const streams: { handlers: StreamHandlers; sent: ReturnType<typeof decodeRequest>[] }[] = [];
  const decodeRequest = (bytes: Uint8Array) => api.fromBinary(api.DeltaDiscoveryRequestSchema, bytes);
  const store = createResourceStore(clock);
  const cell = createRuntimeCell();
  const stats = createStats();
  const assembler = createAssembler({ store, fixed: { listeners: [], clusters: [] }, secretOf: () => undefined, cell, clock });
  const client = startAdsClient({
    open(_, handlers) {
      const stream = { handlers, sent: [] as ReturnType<typeof decodeRequest>[] };
      streams.push(stream);
      return { send: (bytes) => void stream.sent.push(decodeRequest(bytes)), close: () => undefined };
    },
    variant: DELTA,
    node: new Map([["id", "me"]]),
    store,
    assembler,
    stats: createXdsStats(stats),
    clock,
    rng: seededRng(1),
    logger: silentLogger,
    wants: { listeners: true, clusters: true },
    reconnect: { baseMs: 250, maxMs: 5000 },
    onUpdate() {},
  });
  running.push(client);
  const latest = () => streams.at(-1) as (typeof streams)[number];
  return {
    cell,
    client,
    streams,
    timers,
    latest,
    assembler,
    counter: (name: string) => [...stats.counters()].find(({ fullName }) => fullName === name)?.metric.value,
    send(typeUrl: string, resources: Record<string, Uint8Array>, removed: string[] = [], nonce = "n") {
      const message = api.create(api.DeltaDiscoveryResponseSchema, {
        typeUrl,
        nonce,
        removedResources: removed,
        resources: Object.entries(resources).map(([name, bytes]) => ({ name, version: "1", resource: api.packBytes(typeUrl, bytes) })),
      });
      latest().handlers.onMessage(api.toBinary(api.DeltaDiscoveryResponseSchema, message));
    },
    asked: (typeUrl: string) => latest().sent.filter((request) => request.typeUrl === typeUrl),
  };
}

const ads = { configSource: { configSourceSpecifier: { case: "ads", value: {} }, initialFetchTimeout: api.toDuration(0) } } as const;

function cluster(name: string, over: object = {}): Uint8Array {
  const eds = { edsConfig: ads.configSource, serviceName: name };
  return api.toBinary(
    api.ClusterSchema,
    api.create(api.ClusterSchema, { name, clusterDiscoveryType: { case: "type", value: 3 }, edsClusterConfig: eds, ...over } as never),
  );
}

function assignment(clusterName: string): Uint8Array {
  return api.toBinary(api.ClusterLoadAssignmentSchema, api.create(api.ClusterLoadAssignmentSchema, { clusterName }));
}

function virtualHost(name: string, domain: string): object {
  return {
    name,
    domains: [domain],
    routes: [{ match: { pathSpecifier: { case: "prefix", value: "/" } }, action: { case: "directResponse", value: { status: 200 } } }],
  };
}

function listener(name: string, table = "80"): Uint8Array {
  const manager = api.create(api.HttpConnectionManagerSchema, {
    statPrefix: "p",
    routeSpecifier: { case: "rds", value: { ...ads, routeConfigName: table } },
    httpFilters: [
      { name: "router", configType: { case: "typedConfig", value: api.packAny(api.RouterSchema, api.create(api.RouterSchema)) } },
    ],
  } as never);
  const message = api.create(api.ListenerSchema, {
    name,
    address: { address: { case: "socketAddress", value: { address: "127.0.0.1", portSpecifier: { case: "portValue", value: 0 } } } },
    filterChains: [
      { filters: [{ name: "hcm", configType: { case: "typedConfig", value: api.packAny(api.HttpConnectionManagerSchema, manager) } }] },
    ],
  } as never);
  return api.toBinary(api.ListenerSchema, message);
}

function routes(over: object = {}): Uint8Array {
  return api.toBinary(api.RouteConfigurationSchema, api.create(api.RouteConfigurationSchema, { name: "80", ...over } as never));
}

function encodeHost(name: string, domain: string): Uint8Array {
  return api.toBinary(api.VirtualHostSchema, api.create(api.VirtualHostSchema, virtualHost(name, domain) as never));
}

describe("the delta client", () => {
  test("a cluster serves once its endpoints came", () => {
    const scene = startScene();
    scene.send(TYPE_URL.cluster, { a: cluster("a") });
    expect(scene.cell.current().clusters.has("a")).toBe(false);
    expect([...scene.assembler.current().warmingClusters]).toEqual(["a"]);
    expect(scene.asked(TYPE_URL.endpoint).at(-1)?.resourceNamesSubscribe).toEqual(["a"]);
    scene.send(TYPE_URL.endpoint, { a: assignment("a") });
    expect(scene.cell.current().clusters.has("a")).toBe(true);
  });

  test("a bad resource is refused alone: the good one is taken, the old version stays", () => {
    const scene = startScene();
    const plain = { clusterDiscoveryType: { case: "type", value: 0 }, edsClusterConfig: undefined };
    scene.send(TYPE_URL.cluster, { a: cluster("a", plain) });
    const before = scene.cell.current().clusters.get("a");
    scene.send(TYPE_URL.cluster, { a: cluster("a", { ...plain, healthChecks: [{}] }), b: cluster("b", plain) }, [], "bad");
    expect(scene.cell.current().clusters.get("a")).toBe(before);
    expect(scene.cell.current().clusters.has("b")).toBe(true);
    const answer = scene.asked(TYPE_URL.cluster).at(-1);
    expect(answer?.responseNonce).toBe("bad");
    expect(answer?.errorDetail?.message).toBe("cluster a: health_checks: is not supported");
    expect(scene.counter("cluster_manager.cds.update_rejected")).toBe(1);
  });

  test("a listener waits for its routes, these for their virtual hosts; one changed host changes nothing else", () => {
    const scene = startScene();
    scene.send(TYPE_URL.listener, { l: listener("l") });
    expect(scene.asked(TYPE_URL.route).at(-1)?.resourceNamesSubscribe).toEqual(["80"]);
    scene.send(TYPE_URL.route, { "80": routes({ vhds: ads, virtualHosts: [virtualHost("any", "*")] }) });
    expect(scene.cell.current().listeners.size).toBe(0);
    expect(scene.asked(TYPE_URL.virtualHost)[0]?.resourceNamesSubscribe).toEqual([]);
    scene.send(TYPE_URL.virtualHost, { "80/a": encodeHost("80/a", "a"), "80/b": encodeHost("80/b", "b") });
    expect(scene.cell.current().listeners.has("l")).toBe(true);
    const table = scene.cell.current().routes.get("80");
    expect([table?.lookup("a")?.name, table?.lookup("c")?.name]).toEqual(["80/a", "any"]);
    scene.send(TYPE_URL.virtualHost, { "80/a": encodeHost("80/a", "a2") });
    const after = scene.cell.current();
    expect(after.routes.get("80")?.lookup("b")).toBe(table?.lookup("b"));
    expect(after.routes.get("80")?.lookup("a")?.name).toBe("any");
    scene.send(TYPE_URL.virtualHost, {}, ["80/b"]);
    expect(scene.cell.current().routes.get("80")?.lookup("b")?.name).toBe("any");
  });

  test("virtual hosts of a table whose name has slashes of its own are that table's", () => {
    const scene = startScene();
    const table = "unix:///run/app.sock";
    scene.send(TYPE_URL.listener, { l: listener("l", table) });
    scene.send(TYPE_URL.route, { [table]: routes({ name: table, vhds: ads }) });
    scene.send(TYPE_URL.virtualHost, { [`${table}/a`]: encodeHost(`${table}/a`, "a"), "other/a": encodeHost("other/a", "a") });
    expect(scene.cell.current().routes.get(table)?.lookup("a")?.name).toBe(`${table}/a`);
  });

  test("runs on without a control plane, and says at the next stream what it has", () => {
    const scene = startScene();
    scene.send(TYPE_URL.cluster, { a: cluster("a") });
    scene.send(TYPE_URL.endpoint, { a: assignment("a") });
    const config = scene.cell.current();
    scene.latest().handlers.onEnd("gone");
    expect(scene.cell.current()).toBe(config);
    expect(scene.timers).toHaveLength(1);
    expect(scene.timers[0]?.ms).toBeLessThanOrEqual(250);
    scene.timers[0]?.fn();
    expect(scene.streams).toHaveLength(2);
    expect(scene.asked(TYPE_URL.cluster)[0]?.initialResourceVersions).toEqual({ a: "1" });
    expect(scene.latest().sent.filter(({ node }) => node?.id === "me")).toHaveLength(1);
    // It has nothing new to say, and is there all the same.
    scene.latest().handlers.onConnected();
    expect(scene.client.connected()).toBe(true);
  });

  test("a message that cannot be read ends the stream, once", () => {
    const scene = startScene();
    scene.latest().handlers.onMessage(Uint8Array.of(255, 255));
    scene.streams[0]?.handlers.onEnd("closed");
    expect(scene.timers).toHaveLength(1);
  });
});
