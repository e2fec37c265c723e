import http from "node:http";
import http2 from "node:http2";
import type net from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { ClusterConfig, ForwardAction, MirrorPolicy, Route, VirtualHost } from "../config/index.ts";
import { seededRng } from "../../kit/index.ts";
import {
  clusterConfig,
  forwardAction,
  httpConfig,
  listenerConfig,
  retryPolicy,
  routeTable,
  routeTo,
  runtimeConfig,
} from "../testing/config.ts";
import { call, raw, type Scene, startHttp, startScene, startTcp, until, type Upstream } from "../testing/scene.ts";
import { shadowHost } from "./mirror-head.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

function mirror(over: Partial<MirrorPolicy> = {}): MirrorPolicy {
  return { cluster: { kind: "cluster", name: "copy" }, fraction: undefined, shadowSuffix: false, ...over };
}

interface Setup {
  action?: Partial<ForwardAction>;
  route?: Partial<Route>;
  host?: Partial<VirtualHost>;
  copy?: Partial<ClusterConfig>;
}

async function setUp(main: number, copy: number, setup: Setup = {}): Promise<Scene> {
  const table = routeTable([routeTo(forwardAction("up", { mirrors: [mirror()], ...setup.action }), setup.route)], setup.host);
  const scene = await startScene(
    runtimeConfig([listenerConfig(httpConfig(table))], [clusterConfig("up", [main]), clusterConfig("copy", [copy], setup.copy)]),
  );
  started.push(scene);
  return scene;
}

async function deadPort(): Promise<number> {
  const { port, stop } = await startTcp(() => undefined);
  stop();
  return port;
}

interface Seen {
  readonly line: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

async function listener(answer: http.RequestListener = (_, response) => response.end("fine")): Promise<Upstream & { seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = await startHttp((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString("latin1")));
    request.on("end", () => {
      seen.push({ line: `${request.method} ${request.headers.host}${request.url}`, headers: request.headers, body });
      answer(request, response);
    });
  });
  started.push(server);
  return Object.assign(server, { seen });
}

/** What the mirror's cluster has counted, by the end of each metric's name. */
function counters(scene: Scene, ...names: string[]): Record<string, number> {
  const all = new Map([...scene.stats.counters(), ...scene.stats.gauges()].map(({ fullName, metric }) => [fullName, metric.value]));
  return Object.fromEntries(names.map((name) => [name, all.get(`cluster.copy.upstream_rq_${name}`) ?? 0]));
}

describe("a copy", () => {
  test("has the request's rewrites, headers and body, says that it is internal, and is counted", async () => {
    const [main, copy] = [await listener(), await listener()];
    const add = {
      name: "x-stage",
      value: { literal: "one", format: "one" },
      action: "OVERWRITE_IF_EXISTS_OR_ADD" as const,
      keepEmpty: false,
    };
    const scene = await setUp(main.port, copy.port, {
      action: { prefixRewrite: "/new", hostRewrite: "inner" },
      route: { request: { add: [add], remove: ["x-secret"] } },
      host: { includeAttemptCount: true },
    });
    const answer = await call(scene.port(), "/old", {
      method: "POST",
      body: "abc",
      headers: { "x-secret": "s", "x-forwarded-for": "1.2.3.4" },
    });
    expect([answer.status, answer.body.toString()]).toEqual([200, "fine"]);
    await until("the copy is there", () => copy.seen.length === 1);
    expect(copy.seen[0]?.line).toBe("POST inner/newold");
    expect(copy.seen[0]?.body).toBe("abc");
    const { "x-envoy-internal": internal, "x-forwarded-for": from, ...rest } = copy.seen[0]?.headers ?? {};
    const { "x-forwarded-for": mainFrom, ...mainRest } = main.seen[0]?.headers ?? {};
    expect([internal, from]).toEqual(["true", `${mainFrom},10.0.0.9`]);
    expect(rest).toEqual(mainRest);
    expect(rest).toMatchObject({ "x-stage": "one", "x-envoy-attempt-count": "1", "x-envoy-original-path": "/old" });
    await until("it is over", () => counters(scene, "active").active === 0);
    expect(counters(scene, "total", "completed", "200")).toEqual({ total: 1, completed: 1, "200": 1 });
  });

  test.each(["chunked", "length"])("gets a streamed body (%s)", async (framing) => {
    const [main, copy] = [await listener(), await listener()];
    const scene = await setUp(main.port, copy.port);
    const parts = Array.from({ length: 40 }, (_, i) => String(i % 10).repeat(20_000));
    const headers = framing === "chunked" ? {} : { "content-length": String(parts.join("").length) };
    await new Promise<void>((done, fail) => {
      const request = http.request({ port: scene.port(), method: "POST", headers: { host: "demo", ...headers } }, (response) => {
        response.resume().on("end", done);
      });
      request.on("error", fail);
      for (const part of parts) request.write(part);
      request.end();
    });
    await until("the copy is whole", () => copy.seen.length === 1);
    expect(copy.seen[0]?.body).toBe(parts.join(""));
    expect(main.seen[0]?.body).toBe(copy.seen[0]?.body);
  });

  test("goes out in its own cluster's protocol", async () => {
    const main = await listener();
    const seen: string[] = [];
    const server = http2.createServer((request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString()));
      request.on("end", () => {
        seen.push(`${request.method} ${request.headers[":authority"]}${request.url} ${body}`);
        response.end();
      });
    });
    await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
    started.push({ stop: () => void server.close() });
    const scene = await setUp(main.port, (server.address() as net.AddressInfo).port, { copy: { protocol: "http2" } });
    await raw(scene.port(), [
      "POST /a HTTP/1.1\r\nhost: demo\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n",
      "3\r\ndef\r\n0\r\n\r\n",
    ]);
    await until("the copy is there", () => seen.length === 1);
    expect(seen).toEqual(["POST demo/a abcdef"]);
  });

  test("goes to every mirror of the most specific level, a share of requests where it says so", async () => {
    const [main, copy] = [await listener(), await listener()];
    const scene = await setUp(main.port, copy.port, {
      action: { mirrors: [mirror({ fraction: 0.5 }), mirror({ fraction: 0.5 }), mirror({ fraction: 0 })] },
      host: { mirrors: [mirror(), mirror(), mirror()] },
    });
    const rng = seededRng(7);
    let expected = 0;
    for (let i = 0; i < 40; i++) {
      if (rng.random() < 0.5) expected += 2;
      await call(scene.port(), "/");
    }
    await until("copies are there", () => copy.seen.length >= expected);
    expect(copy.seen.length).toBe(expected);
    expect(expected).toBeGreaterThan(20);
  });

  test("goes where a header says; without that cluster there is none", async () => {
    const [main, copy] = [await listener(), await listener()];
    const policy = mirror({ cluster: { kind: "header", header: "x-to" }, shadowSuffix: true });
    const scene = await setUp(main.port, copy.port, { action: { mirrors: [] }, host: { mirrors: [policy] } });
    for (const to of ["copy", "nowhere"]) expect((await call(scene.port(), "/", { headers: { "x-to": to } })).status).toBe(200);
    expect((await call(scene.port(), "/")).status).toBe(200);
    await until("it is there", () => copy.seen.length > 0);
    expect(copy.seen.map(({ line }) => line)).toEqual(["GET demo-shadow/"]);
  });

  test("is not sent again by retries", async () => {
    let calls = 0;
    const main = await listener((_, response) => {
      response.statusCode = ++calls < 3 ? 500 : 200;
      response.end();
    });
    const copy = await listener((_, response) => {
      response.statusCode = 500;
      response.end();
    });
    const scene = await setUp(main.port, copy.port, { action: { retry: retryPolicy() } });
    expect((await call(scene.port(), "/")).status).toBe(200);
    await until("it is there", () => copy.seen.length > 0);
    expect([main.seen.length, copy.seen.length]).toEqual([3, 1]);
  });
});

describe("the caller notices nothing of", () => {
  test("a mirror where nobody listens", async () => {
    const main = await listener();
    const scene = await setUp(main.port, await deadPort());
    expect((await call(scene.port(), "/", { method: "POST", body: "x" })).status).toBe(200);
    await until("it failed", () => counters(scene, "503")["503"] === 1);
    expect(counters(scene, "total", "completed", "active")).toEqual({ total: 0, completed: 1, active: 0 });
    expect(scene.plane.clusters().map(({ usage }) => usage.requests)).toEqual([0, 0]);
  });

  test("a mirror that breaks off, answers a lot, or never", async () => {
    const main = await listener();
    let what = "";
    const copy = await listener((request, response) => {
      if (what === "breaks") request.socket.destroy();
      if (what === "lot") response.end(Buffer.alloc(3_000_000));
    });
    const scene = await setUp(main.port, copy.port, { action: { timeoutMs: 100 } });
    for (what of ["breaks", "lot", "never"]) expect((await call(scene.port(), `/${what}`)).body.toString()).toBe("fine");
    await until("all are over", () => counters(scene, "timeout").timeout === 1);
    expect(counters(scene, "total", "200", "503", "504", "active", "rx_reset", "tx_reset")).toEqual({
      total: 3,
      "200": 1,
      "503": 1,
      "504": 1,
      active: 0,
      rx_reset: 1,
      tx_reset: 1,
    });
  });

  test("a mirror that does not read: it is dropped", async () => {
    const main = await listener();
    const copy = await startTcp((socket) => socket.pause());
    started.push(copy);
    const scene = await setUp(main.port, copy.port);
    const body = Buffer.alloc(24_000_000, "x");
    const answer = await call(scene.port(), "/", { method: "POST", body });
    expect(answer.status).toBe(200);
    expect(main.seen[0]?.body.length).toBe(body.length);
    expect(counters(scene, "total", "tx_reset", "active")).toEqual({ total: 1, tx_reset: 1, active: 0 });
    await until("its connection is gone", () =>
      scene.plane.clusters().every(({ name, usage }) => name !== "copy" || usage.connections === 0),
    );
  });

  test("a mirror that is full", async () => {
    const main = await listener();
    const copy = await listener(() => undefined);
    const scene = await setUp(main.port, copy.port, {
      copy: { breakers: { maxConnections: 9, maxPendingRequests: 9, maxRequests: 1, maxRetries: 3 } },
    });
    for (let i = 0; i < 3; i++) expect((await call(scene.port(), "/")).status).toBe(200);
    expect(counters(scene, "total", "pending_overflow", "503")).toEqual({ total: 1, pending_overflow: 2, "503": 2 });
  });
});

describe("no copy", () => {
  test("where the request itself goes nowhere", async () => {
    const copy = await listener();
    const table = routeTable([routeTo(forwardAction("up", { mirrors: [mirror()] }))]);
    const scene = await startScene(
      runtimeConfig([listenerConfig(httpConfig(table))], [clusterConfig("up", []), clusterConfig("copy", [copy.port])]),
    );
    started.push(scene);
    expect((await call(scene.port(), "/")).status).toBe(503);
    expect(counters(scene, "total", "completed")).toEqual({ total: 0, completed: 0 });
  });

  test("is finished whose caller went away in the middle of the body; a whole one is", async () => {
    const main = await startHttp(() => undefined);
    started.push(main);
    const copy = await listener();
    const scene = await setUp(main.port, copy.port);
    await raw(scene.port(), "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc", { ms: 200 });
    await until("it is dropped", () => counters(scene, "tx_reset").tx_reset === 1);
    await raw(scene.port(), "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc", { ms: 100 });
    await until("it is there", () => copy.seen.length === 1);
    expect(counters(scene, "total", "tx_reset", "active")).toMatchObject({ total: 2, tx_reset: 1 });
  });
});

test("a WebSocket handshake is copied, and goes with its caller", async () => {
  const main = await startHttp(
    () => undefined,
    (socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n");
      socket.on("data", (data: Buffer) => socket.write(`got ${data.toString()}`));
    },
  );
  const got: string[] = [];
  const copy = await startHttp(
    () => undefined,
    (socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nnoise");
      socket.on("data", (data: Buffer) => got.push(data.toString()));
    },
  );
  started.push(main, copy);
  const scene = await setUp(main.port, copy.port, { action: { upgrades: new Map([["websocket", true]]) } });
  const handshake = "GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
  const seen = await raw(scene.port(), [handshake, "ping"], { enough: (text) => text.includes("ping") && got.length > 0 });
  expect(seen).toMatch(/^HTTP\/1.1 101 [^]*\r\n\r\ngot ping$/);
  expect(got.join("")).toBe("ping");
  await until("both are over", () => counters(scene, "active").active === 0);
});

test.each([
  ["demo", "demo-shadow"],
  ["demo:80", "demo-shadow:80"],
  ["[::1]", "[::1]-shadow"],
  ["[::1]:80", "[::1]-shadow:80"],
  ["", "-shadow"],
])("the host %s with a suffix", (host, expected) => {
  expect(shadowHost(host)).toBe(expected);
});
