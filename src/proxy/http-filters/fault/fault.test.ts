import net from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { ForwardAction, HttpConnectionManagerConfig, Route } from "../../config/index.ts";
import { clusterConfig, forwardAction, httpConfig, listenerConfig, routeTable, routeTo, runtimeConfig } from "../../testing/config.ts";
import { call, type Scene, startHttp, startScene, until } from "../../testing/scene.ts";
import { FAULT_FILTER, ROUTER_FILTER } from "../type-urls.ts";
import type { FaultConfig } from "./fault-config.ts";
import { NO_FAULT } from "./no-fault.fixture.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

const NAME = "envoy.filters.http.fault";
const ALWAYS = { numerator: 100, denominator: 100 };
const NEVER = { numerator: 0, denominator: 100 };
function filters(inChain: Partial<FaultConfig> = {}, disabled = false): HttpConnectionManagerConfig["filters"] {
  return [
    { name: NAME, typeUrl: FAULT_FILTER, config: { ...NO_FAULT, ...inChain }, disabled },
    { name: "router", typeUrl: ROUTER_FILTER, config: undefined, disabled: false },
  ];
}

function onRoute(config: Partial<FaultConfig>): Partial<Route> {
  return { perFilter: new Map([[NAME, { typeUrl: FAULT_FILTER, config: { ...NO_FAULT, ...config }, disabled: false }]]) };
}

interface Setup {
  readonly route?: Partial<Route>;
  readonly action?: Route["action"];
  readonly forward?: Partial<ForwardAction>;
  readonly manager?: Partial<HttpConnectionManagerConfig>;
}

const LOG = { path: "-", format: { kind: "text", text: "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n" } } as const;

async function setUp(setup: Setup): Promise<{ scene: Scene; seen: string[] }> {
  const seen: string[] = [];
  const server = await startHttp((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString("latin1")));
    request.on("end", () => {
      seen.push(`${request.method} ${body.length}`);
      response.end(`got ${body.length}`);
    });
  });
  const table = routeTable([routeTo(setup.action ?? forwardAction("up", setup.forward), setup.route)]);
  const manager = httpConfig(table, { filters: filters(), accessLogs: [{ ...LOG, responseFlags: undefined }], ...setup.manager });
  const scene = await startScene(runtimeConfig([listenerConfig(manager)], [clusterConfig("up", [server.port])]));
  started.push(scene, server);
  return { scene, seen };
}

function count(scene: Scene, name: string): number {
  for (const all of [scene.stats.counters(), scene.stats.gauges()]) {
    for (const metric of all) if (metric.fullName === `http.test.fault.${name}`) return metric.metric.value;
  }
  return 0;
}

async function logged(scene: Scene): Promise<string> {
  await until("it is logged", () => scene.logs.length > 0);
  return scene.logs.join("");
}

describe("aborts", () => {
  test("answer in the upstream's place, with the route's response operations", async () => {
    const response = {
      remove: [],
      add: [{ name: "x-fault", value: { literal: "yes", format: "yes" }, action: "OVERWRITE_IF_EXISTS_OR_ADD", keepEmpty: false } as const],
    };
    const abort = { share: ALWAYS, fixed: { httpStatus: 418, grpcStatus: undefined } };
    const { scene, seen } = await setUp({ route: { ...onRoute({ abort }), response } });
    const answer = await call(scene.port(), "/");
    expect(answer.status).toBe(418);
    expect(answer.body.toString()).toBe("fault filter abort");
    expect(answer.headers["x-fault"]).toBe("yes");
    expect(seen).toEqual([]);
    expect(count(scene, "aborts_injected")).toBe(1);
    expect(await logged(scene)).toContain("418 FI fault_filter_abort");
  });

  test("a gRPC status reaches gRPC callers as such, others as 200", async () => {
    const abort = { share: ALWAYS, fixed: { httpStatus: 200, grpcStatus: 8 } };
    const { scene } = await setUp({ route: onRoute({ abort }) });
    const grpc = await call(scene.port(), "/", { method: "POST", headers: { "content-type": "application/grpc" } });
    expect(grpc.headers).toMatchObject({ "grpc-status": "8", "grpc-message": "fault filter abort" });
    const plain = await call(scene.port(), "/");
    expect([plain.status, plain.headers["grpc-status"], plain.body.toString()]).toEqual([200, undefined, "fault filter abort"]);
  });

  test("strike redirects and direct responses too", async () => {
    const abort = { share: ALWAYS, fixed: { httpStatus: 503, grpcStatus: undefined } };
    const { scene } = await setUp({ action: { kind: "direct", status: 200, body: Buffer.from("hi") }, route: onRoute({ abort }) });
    expect((await call(scene.port(), "/")).status).toBe(503);
  });

  test("hit their share of the requests", async () => {
    const abort = { share: { numerator: 250_000, denominator: 1_000_000 }, fixed: { httpStatus: 500, grpcStatus: undefined } };
    const { scene } = await setUp({ route: onRoute({ abort }) });
    for (let i = 0; i < 400; i++) await call(scene.port(), "/");
    // Five standard deviations around 100 of 400: √(400 × 0.25 × 0.75) = 8.7.
    expect(Math.abs(count(scene, "aborts_injected") - 100)).toBeLessThan(44);
  });
});

describe("where a fault is said", () => {
  const abort = { share: ALWAYS, fixed: { httpStatus: 500, grpcStatus: undefined } };

  test("in the chain it counts for every route, and a route's own word replaces it whole", async () => {
    const chain = await setUp({ manager: { filters: filters({ abort }) } });
    expect((await call(chain.scene.port(), "/")).status).toBe(500);
    const replaced = await setUp({ manager: { filters: filters({ abort }) }, route: onRoute({ abort: { ...abort, share: NEVER } }) });
    expect((await call(replaced.scene.port(), "/")).status).toBe(200);
  });

  test("a route can switch it off, and a filter that is off is switched on by a route's config", async () => {
    const off = { perFilter: new Map([[NAME, { typeUrl: "", config: undefined, disabled: true }]]) };
    const without = await setUp({ manager: { filters: filters({ abort }) }, route: off });
    expect((await call(without.scene.port(), "/")).status).toBe(200);
    const disabled = await setUp({ manager: { filters: filters({ abort }, true) } });
    expect((await call(disabled.scene.port(), "/")).status).toBe(200);
    const enabled = await setUp({ manager: { filters: filters({}, true) }, route: onRoute({ abort }) });
    expect((await call(enabled.scene.port(), "/")).status).toBe(500);
  });

  test("only requests with its headers, from its nodes, to its cluster are meant", async () => {
    const header = {
      name: "x-user",
      invert: false,
      treatMissingAsEmpty: false,
      test: (value: string) => value === "jason",
      absent: false,
      describe: "",
    };
    const { scene } = await setUp({
      route: onRoute({ abort, headers: [header], downstreamNodes: new Set(["n1"]), upstreamCluster: "up" }),
    });
    const meant = { "x-user": "jason", "x-envoy-downstream-service-node": "n1" };
    expect((await call(scene.port(), "/", { headers: meant })).status).toBe(500);
    expect((await call(scene.port(), "/", { headers: { ...meant, "x-user": "ann" } })).status).toBe(200);
    expect((await call(scene.port(), "/", { headers: { "x-user": "jason" } })).status).toBe(200);
    const elsewhere = await setUp({ route: onRoute({ abort, upstreamCluster: "other" }) });
    expect((await call(elsewhere.scene.port(), "/")).status).toBe(200);
  });
});

describe("faults that the request asks for", () => {
  const byHeader = { abort: { share: { numerator: 50, denominator: 100 }, fixed: undefined } };

  test("need the config's permission and cannot raise the share", async () => {
    const { scene } = await setUp({ route: onRoute({ abort: { share: ALWAYS, fixed: undefined } }) });
    const ask = async (headers: Record<string, string>): Promise<number> => (await call(scene.port(), "/", { headers })).status;
    expect(await ask({ "x-envoy-fault-abort-request": "429" })).toBe(429);
    expect(await ask({ "x-envoy-fault-abort-request": "99" })).toBe(200);
    expect(await ask({})).toBe(200);
    expect(await ask({ "x-envoy-fault-abort-request": "429", "x-envoy-fault-abort-request-percentage": "0" })).toBe(200);
    const half = await setUp({ route: onRoute(byHeader) });
    const headers = { "x-envoy-fault-abort-request": "429", "x-envoy-fault-abort-request-percentage": "100" };
    for (let i = 0; i < 100; i++) await call(half.scene.port(), "/", { headers });
    expect(count(half.scene, "aborts_injected")).toBeLessThan(90);
  });

  test("without that permission mean nothing", async () => {
    const { scene } = await setUp({ route: onRoute({ abort: { share: NEVER, fixed: { httpStatus: 500, grpcStatus: undefined } } }) });
    expect((await call(scene.port(), "/", { headers: { "x-envoy-fault-abort-request": "500" } })).status).toBe(200);
  });
});

describe("delays", () => {
  const delay = { share: ALWAYS, fixedMs: 30 };

  test("hold the request back outside the route's time-out, then abort or go on", async () => {
    const { scene } = await setUp({ route: onRoute({ delay: { share: ALWAYS, fixedMs: 200 } }), forward: { timeoutMs: 100 } });
    expect((await call(scene.port(), "/")).status).toBe(200);
    expect(await logged(scene)).toContain("200 DI via_upstream");
    expect([count(scene, "delays_injected"), count(scene, "active_faults")]).toEqual([1, 0]);
    const abort = { share: ALWAYS, fixed: { httpStatus: 503, grpcStatus: undefined } };
    const both = await setUp({ route: onRoute({ delay, abort }) });
    expect((await call(both.scene.port(), "/")).status).toBe(503);
    expect(await logged(both.scene)).toMatch(/503 (?:FI,DI|DI,FI) fault_filter_abort/);
  });

  test("keep a body of any size whole, however it is framed", async () => {
    const { scene, seen } = await setUp({ route: onRoute({ delay }) });
    const body = Buffer.alloc(3_000_000, "x");
    const answer = await call(scene.port(), "/", { method: "POST", body, headers: { "content-length": body.length } });
    expect(answer.body.toString()).toBe("got 3000000");
    await call(scene.port(), "/", { method: "POST", body: Buffer.alloc(300_000, "y"), headers: { "transfer-encoding": "chunked" } });
    expect(seen).toEqual(["POST 3000000", "POST 300000"]);
  });

  test("a caller that has gone is not forwarded, and its fault is over", async () => {
    const { scene, seen } = await setUp({ route: onRoute({ delay: { share: ALWAYS, fixedMs: 60_000 } }) });
    const socket = net.connect(scene.port(), "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: demo\r\n\r\n");
    await until("it is delayed", () => count(scene, "active_faults") === 1);
    socket.destroy();
    await until("its fault is over", () => count(scene, "active_faults") === 0);
    expect(seen).toEqual([]);
    expect(await logged(scene)).toMatch(/0 (?:DC,DI|DI,DC) downstream_remote_disconnect/);
  });

  test("no more than so many at a time", async () => {
    const { scene } = await setUp({ route: onRoute({ delay: { share: ALWAYS, fixedMs: 60_000 }, maxActive: 1 }) });
    const socket = net.connect(scene.port(), "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: demo\r\n\r\n");
    await until("it is delayed", () => count(scene, "active_faults") === 1);
    expect((await call(scene.port(), "/")).status).toBe(200);
    expect(count(scene, "faults_overflow")).toBe(1);
    socket.destroy();
  });

  test("the stream's idle time-out strikes through a longer delay", async () => {
    const { scene } = await setUp({
      route: onRoute({ delay: { share: ALWAYS, fixedMs: 60_000 } }),
      manager: { streamIdleTimeoutMs: 30 },
    });
    const answer = await call(scene.port(), "/");
    expect([answer.status, answer.body.toString()]).toEqual([504, "stream timeout"]);
  });
});
