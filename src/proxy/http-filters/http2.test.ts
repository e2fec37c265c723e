// HTTP filters and mirrors for callers and upstreams that speak HTTP/2: what they do must not depend on the version.
import type http2 from "node:http2";
import { afterEach, describe, expect, test } from "vitest";
import type { ClusterConfig, ForwardAction, HttpConnectionManagerConfig, PerFilter } from "../config/index.ts";
import { clusterConfig, forwardAction, httpConfig, listenerConfig, routeTable, routeTo, runtimeConfig } from "../testing/config.ts";
import { http2Caller, type Http2Caller, startHttp2 } from "../testing/http2.ts";
import { type Scene, startHttp, startScene, until } from "../testing/scene.ts";
import type { CorsConfig } from "./cors/cors-config.ts";
import type { FaultConfig } from "./fault/fault-config.ts";
import { NO_FAULT } from "./fault/no-fault.fixture.ts";
import { CORS_FILTER, CORS_POLICY, FAULT_FILTER, HEADER_MUTATION_FILTER, ROUTER_FILTER } from "./type-urls.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0).toReversed()) thing.stop();
});

interface Seen {
  readonly headers: http2.IncomingHttpHeaders;
  readonly trailers: http2.IncomingHttpHeaders | undefined;
  readonly body: string;
}

async function upstream(): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = await startHttp2((stream, headers) => {
    let body = "";
    let trailers: http2.IncomingHttpHeaders | undefined;
    stream.on("data", (part: Buffer) => (body += part.toString("latin1")));
    stream.on("trailers", (block) => (trailers = block));
    stream.on("end", () => {
      if (stream.destroyed) return;
      seen.push({ headers, trailers, body });
      stream.respond({ ":status": 200, "x-up": "2" });
      stream.end(`got ${body.length}`);
    });
  });
  started.push(server);
  return { port: server.port, seen };
}

interface Setup {
  readonly filters?: HttpConnectionManagerConfig["filters"];
  readonly perFilter?: PerFilter;
  readonly action?: Partial<ForwardAction>;
  readonly copy?: Partial<ClusterConfig> & { readonly port: number };
}

const ROUTER = { name: "router", typeUrl: ROUTER_FILTER, config: undefined, disabled: false };

async function setUp(port: number, setup: Setup): Promise<{ scene: Scene; caller: Http2Caller }> {
  const table = routeTable([routeTo(forwardAction("up", setup.action), setup.perFilter && { perFilter: setup.perFilter })]);
  const manager = httpConfig(table, { filters: [...(setup.filters ?? []), ROUTER] });
  const { port: copy = 0, ...rest } = setup.copy ?? {};
  const clusters = [clusterConfig("up", [port], { protocol: "http2" }), clusterConfig("copy", copy === 0 ? [] : [copy], rest)];
  const scene = await startScene(runtimeConfig([listenerConfig(manager)], clusters));
  const caller = http2Caller(scene.port());
  started.push(scene, caller);
  return { scene, caller };
}

function fault(config: Partial<FaultConfig>): HttpConnectionManagerConfig["filters"] {
  return [{ name: "fault", typeUrl: FAULT_FILTER, config: { ...NO_FAULT, ...config }, disabled: false }];
}

function gauge(scene: Scene, name: string): number {
  return [...scene.stats.gauges()].find(({ fullName }) => fullName === name)?.metric.value ?? 0;
}

describe("faults", () => {
  const ALWAYS = { numerator: 100, denominator: 100 };

  test("an abort reaches gRPC callers in the answer's head", async () => {
    const { caller } = await setUp(1, { filters: fault({ abort: { share: ALWAYS, fixed: { httpStatus: 200, grpcStatus: 8 } } }) });
    const answer = await caller.call("/s/m", { headers: { ":method": "POST", "content-type": "application/grpc" }, body: "x" });
    expect(answer.headers).toMatchObject({ ":status": 200, "grpc-status": "8", "grpc-message": "fault filter abort" });
  });

  test("a delay keeps a body whole, trailers too", async () => {
    const up = await upstream();
    const { caller } = await setUp(up.port, { filters: fault({ delay: { share: ALWAYS, fixedMs: 30 } }) });
    const parts = Array.from({ length: 30 }, (_, i) => Buffer.alloc(100_000, String(i % 10)));
    const answer = await caller.call("/", { headers: { ":method": "POST" }, body: parts, trailers: { "x-end": "1" } });
    expect(answer.body).toBe("got 3000000");
    expect(up.seen[0]?.body).toBe(Buffer.concat(parts).toString("latin1"));
    expect(up.seen[0]?.trailers).toMatchObject({ "x-end": "1" });
  });

  test("a caller that resets its delayed stream is not forwarded, and its fault is over", async () => {
    const up = await upstream();
    const { scene, caller } = await setUp(up.port, { filters: fault({ delay: { share: ALWAYS, fixedMs: 60_000 } }) });
    const stream = caller.session.request({ ":path": "/", ":authority": "demo" });
    stream.on("error", () => undefined);
    await until("it is delayed", () => gauge(scene, "http.test.fault.active_faults") === 1);
    stream.close(8);
    await until("its fault is over", () => gauge(scene, "http.test.fault.active_faults") === 0);
    expect(up.seen).toEqual([]);
  });
});

test("CORS answers a preflight and marks the real request's answer", async () => {
  const up = await upstream();
  const policy: CorsConfig = {
    allowOrigins: [(origin) => origin === "https://a"],
    allowMethods: "PUT",
    allowHeaders: "",
    exposeHeaders: "x-up",
    maxAge: "60",
    allowCredentials: true,
    allowPrivateNetwork: undefined,
    forwardUnmatchedPreflights: undefined,
    enabled: 1,
    shadowed: 0,
  };
  const { caller } = await setUp(up.port, {
    filters: [{ name: "cors", typeUrl: CORS_FILTER, config: undefined, disabled: false }],
    perFilter: new Map([["cors", { typeUrl: CORS_POLICY, config: policy, disabled: false }]]),
  });
  const origin = { origin: "https://a" };
  const preflight = await caller.call("/", { headers: { ":method": "OPTIONS", ...origin, "access-control-request-method": "PUT" } });
  expect(preflight.headers).toMatchObject({
    ":status": 200,
    "access-control-allow-origin": "https://a",
    "access-control-allow-methods": "PUT",
    "access-control-max-age": "60",
  });
  expect(up.seen).toEqual([]);
  const real = await caller.call("/", { headers: { ":method": "PUT", ...origin }, body: "abc" });
  expect(real.headers).toMatchObject({
    "access-control-allow-origin": "https://a",
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "x-up",
  });
  expect(real.body).toBe("got 3");
});

test("header mutations before the route, and on the answer", async () => {
  const up = await upstream();
  const set = (name: string, text: string) => ({
    name,
    value: { literal: undefined, format: text },
    action: "OVERWRITE_IF_EXISTS_OR_ADD" as const,
    keepEmpty: false,
  });
  const config = {
    request: [set("x-a", "%REQ(x-a)%!"), "x-gone"],
    response: [set("x-up", "%RESP(x-up)%!")],
    mostSpecificWins: false,
  };
  const { caller } = await setUp(up.port, { filters: [{ name: "mutate", typeUrl: HEADER_MUTATION_FILTER, config, disabled: false }] });
  const answer = await caller.call("/", {
    headers: { ":method": "POST", "x-a": "1", "x-gone": "1", te: "trailers", cookie: "a=1" },
    body: "abc",
    trailers: { "x-end": "1" },
  });
  expect([answer.status, answer.headers["x-up"], answer.body]).toEqual([200, "2!", "got 3"]);
  expect(up.seen[0]?.headers).toMatchObject({ "x-a": "1!", te: "trailers", cookie: "a=1", ":authority": "demo", ":path": "/" });
  expect(up.seen[0]?.headers["x-gone"]).toBeUndefined();
  expect(up.seen[0]?.trailers).toMatchObject({ "x-end": "1" });
});

describe("mirrors", () => {
  const mirrors = [{ cluster: { kind: "cluster", name: "copy" } as const, fraction: undefined, shadowSuffix: false }];

  test("a copy in HTTP/2 has body and trailers; in HTTP/1 it has chunks", async () => {
    const [up, copy] = [await upstream(), await upstream()];
    const bodies: string[] = [];
    const old = await startHttp((request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString("latin1")));
      request.on("end", () => {
        bodies.push(`${request.method} ${request.headers.host} ${request.headers["transfer-encoding"] ?? "-"} ${body}`);
        response.end();
      });
    });
    started.push(old);
    const post = { headers: { ":method": "POST", te: "trailers" }, body: ["abc", "def"], trailers: { "x-end": "1" } };
    const first = await setUp(up.port, { action: { mirrors }, copy: { port: copy.port, protocol: "downstream" } });
    expect((await first.caller.call("/", post)).status).toBe(200);
    await until("the copy is there", () => copy.seen.length === 1);
    expect(copy.seen[0]).toMatchObject({
      body: "abcdef",
      trailers: { "x-end": "1" },
      headers: { ":authority": "demo", "x-envoy-internal": "true", te: "trailers" },
    });
    const second = await setUp(up.port, { action: { mirrors }, copy: { port: old.port } });
    expect((await second.caller.call("/", post)).status).toBe(200);
    await until("the old copy is there", () => bodies.length === 1);
    expect(bodies).toEqual(["POST demo chunked abcdef"]);
  });

  test("a stream that its caller resets resets the copy", async () => {
    const [up, reset] = [await upstream(), [] as string[]];
    const copy = await startHttp2((stream) => void stream.resume().on("close", () => reset.push(String(stream.rstCode))));
    started.push(copy);
    const { scene, caller } = await setUp(up.port, { action: { mirrors }, copy: { port: copy.port, protocol: "http2" } });
    const stream = caller.session.request({ ":path": "/", ":authority": "demo", ":method": "POST" });
    stream.on("error", () => undefined);
    stream.write("abc");
    await until("the copy is under way", () => gauge(scene, "cluster.copy.upstream_rq_active") === 1);
    // close() would end the body first.
    stream.destroy(new Error("gone"));
    await until("it was reset", () => reset.length === 1);
    expect(reset).toEqual(["8"]);
    expect(gauge(scene, "cluster.copy.upstream_rq_active")).toBe(0);
  });

  test("a copy whose peer gives no credit is dropped, and no other request notices", async () => {
    const up = await upstream();
    const copy = await startHttp2((stream) => void stream.pause());
    started.push(copy);
    const { scene, caller } = await setUp(up.port, { action: { mirrors }, copy: { port: copy.port, protocol: "http2" } });
    const parts = Array.from({ length: 40 }, () => Buffer.alloc(100_000, "x"));
    expect((await caller.call("/", { headers: { ":method": "POST" }, body: parts })).body).toBe("got 4000000");
    await until("it was dropped", () => gauge(scene, "cluster.copy.upstream_rq_active") === 0);
    expect([...scene.stats.counters()].find(({ fullName }) => fullName === "cluster.copy.upstream_rq_tx_reset")?.metric.value).toBe(1);
  });
});
