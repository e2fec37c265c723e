import http from "node:http";
import net from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import {
  clusterConfig,
  endpointConfig,
  forwardAction,
  httpConfig,
  listenerConfig,
  retryPolicy,
  routeTable,
  routeTo,
  runtimeConfig,
  oneRoute,
  type OneRoute,
} from "../testing/config.ts";
import { call, raw, type Scene, startHttp, startScene, startTcp, until, type Upstream } from "../testing/scene.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

async function setUp(ports: readonly number[], setup: OneRoute = {}): Promise<Scene> {
  const scene = await startScene(oneRoute(ports, setup));
  started.push(scene);
  return scene;
}

async function upstream(app: http.RequestListener): Promise<Upstream> {
  const server = await startHttp(app);
  started.push(server);
  return server;
}

/** Fails the first so many requests. */
function failing(
  times: number,
  fail: (request: http.IncomingMessage, response: http.ServerResponse) => void,
): { app: http.RequestListener; seen: string[] } {
  const seen: string[] = [];
  return {
    seen,
    app(request, response) {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString()));
      request.on("end", () => {
        seen.push(`${request.headers["x-envoy-attempt-count"] ?? "-"} ${body}`);
        if (seen.length <= times) fail(request, response);
        else response.end("fine");
      });
    },
  };
}

const status = (code: number) => (_: unknown, response: http.ServerResponse) => {
  response.statusCode = code;
  response.end("bad");
};

describe("retries", () => {
  test("5xx, with the body again and the attempt count", async () => {
    const { app, seen } = failing(2, status(500));
    const up = await upstream(app);
    const scene = await setUp([up.port], { action: { retry: retryPolicy() }, host: { includeAttemptCount: true } });
    const answer = await call(scene.port(), "/", { method: "POST", body: "item=7" });
    expect([answer.status, seen]).toEqual([200, ["1 item=7", "2 item=7", "3 item=7"]]);
  });

  test("a chunked body is sent again", async () => {
    const { app, seen } = failing(1, (request) => request.socket.destroy());
    const up = await upstream(app);
    const scene = await setUp([up.port], { action: { retry: retryPolicy({ on: new Set(["reset"]) }) } });
    const answer = await raw(scene.port(), [
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n",
      "3\r\ndef\r\n0\r\n\r\n",
    ]);
    expect(answer).toMatch(/ 200 [^]*fine/);
    expect(seen).toEqual(["- abcdef", "- abcdef"]);
  });

  test("the last answer is handed over when they run out", async () => {
    const { app, seen } = failing(9, status(502));
    const up = await upstream(app);
    const scene = await setUp([up.port], { action: { retry: retryPolicy({ on: new Set(["gateway-error"]), numRetries: 1 }) } });
    expect([(await call(scene.port(), "/")).status, seen.length]).toEqual([502, 2]);
  });

  test.each<[string, number, number]>([
    ["gateway-error", 500, 1],
    ["retriable-4xx", 409, 2],
    ["retriable-4xx", 429, 1],
    ["retriable-status-codes", 418, 2],
    ["reset", 503, 1],
    ["connect-failure", 503, 1],
  ])("%s with %i: %i tries", async (on, code, tries) => {
    const { app, seen } = failing(1, status(code));
    const up = await upstream(app);
    const scene = await setUp([up.port], { action: { retry: retryPolicy({ on: new Set([on]), retriableStatusCodes: new Set([418]) }) } });
    await call(scene.port(), "/");
    expect(seen.length).toBe(tries);
  });

  test("connect failure goes to another host", async () => {
    const { app } = failing(0, status(500));
    const up = await upstream(app);
    const dead = await startTcp(() => undefined);
    dead.stop();
    const scene = await setUp([dead.port, up.port], {
      action: { retry: retryPolicy({ on: new Set(["connect-failure"]), avoidPreviousHosts: true, hostSelectionMaxAttempts: 5 }) },
    });
    for (let i = 0; i < 4; i++) expect((await call(scene.port(), "/")).status).toBe(200);
  });

  test("nobody listens", async () => {
    const dead = await startTcp(() => undefined);
    dead.stop();
    const scene = await setUp([dead.port]);
    const answer = await call(scene.port(), "/");
    expect([answer.status, answer.body.toString()]).toEqual([
      503,
      "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
    ]);
    // The cluster counts the answer that the proxy gave in its name.
    const counts = new Map([...scene.stats.counters()].map(({ fullName, metric }) => [fullName, metric.value]));
    expect(["503", "5xx", "completed"].map((name) => counts.get(`cluster.up.upstream_rq_${name}`))).toEqual([1, 1, 1]);
  });

  test("a budget of none is no retry", async () => {
    const { app, seen } = failing(1, status(500));
    const up = await upstream(app);
    const scene = await setUp([up.port], {
      action: { retry: retryPolicy() },
      cluster: { breakers: { maxConnections: 9, maxPendingRequests: 9, maxRequests: 9, maxRetries: 0 } },
    });
    expect([(await call(scene.port(), "/")).status, seen.length]).toEqual([500, 1]);
  });
});

describe("time-outs", () => {
  const slow: http.RequestListener = () => undefined;

  test("of the route", async () => {
    const up = await upstream(slow);
    const scene = await setUp([up.port], { action: { timeoutMs: 50 } });
    const answer = await call(scene.port(), "/");
    expect([answer.status, answer.body.toString()]).toEqual([504, "upstream request timeout"]);
    await until("the connection is dropped", () => scene.plane.clusters()[0]?.usage.connections === 0);
  });

  test("of one try, retried until the tries run out", async () => {
    const up = await upstream(slow);
    const scene = await setUp([up.port], { action: { retry: retryPolicy({ perTryTimeoutMs: 30, numRetries: 2 }) } });
    expect((await call(scene.port(), "/")).status).toBe(504);
    expect(scene.plane.clusters()[0]?.hosts[0]?.stats.rqTotal).toBe(3);
  });

  test("the whole covers waiting between tries", async () => {
    const { app, seen } = failing(9, status(500));
    const up = await upstream(app);
    const scene = await setUp([up.port], {
      action: { timeoutMs: 60, retry: retryPolicy({ numRetries: 50, backoffBaseMs: 2000, backoffMaxMs: 2000 }) },
    });
    expect((await call(scene.port(), "/")).status).toBe(504);
    expect(seen.length).toBeLessThan(5);
  });

  test("gRPC callers hear 14", async () => {
    const up = await upstream(slow);
    const scene = await setUp([up.port], { action: { timeoutMs: 50 } });
    const answer = await call(scene.port(), "/", { method: "POST", headers: { "content-type": "application/grpc" } });
    expect([answer.status, answer.headers["grpc-status"], answer.headers["grpc-message"]]).toEqual([200, "14", "upstream request timeout"]);
  });

  test("of the whole stream, as real Envoy was seen to answer", async () => {
    const up = await upstream((request, response) => void (request.url === "/begun" && response.write("x")));
    const scene = await setUp([up.port], { manager: { maxStreamDurationMs: 60 } });
    const slowly = await raw(
      scene.port(),
      "GET /slow HTTP/1.1\r\nhost: a\r\n\r\nGET /again HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    );
    expect(slowly.match(/HTTP\/1.1 504 Gateway Timeout/g)).toHaveLength(2);
    expect(slowly).toContain("\r\n\r\ndownstream duration timeout");
    const half = await raw(scene.port(), "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nab");
    expect(half).toMatch(/^HTTP\/1.1 408 Request Timeout[^]*connection: close\r\n[^]*downstream duration timeout$/);
    const begun = await raw(scene.port(), "GET /begun HTTP/1.1\r\nhost: a\r\n\r\n");
    expect(begun).toMatch(/^HTTP\/1.1 200 OK[^]*1\r\nx\r\n$/);
    const grpc = await call(scene.port(), "/", { method: "POST", headers: { "content-type": "application/grpc" } });
    expect([grpc.status, grpc.headers["grpc-status"], grpc.headers["grpc-message"]]).toEqual([200, "4", "downstream duration timeout"]);
    const counters = [...scene.stats.counters()].find(({ fullName }) => fullName.endsWith("downstream_rq_max_duration_reached"));
    expect(counters?.metric.value).toBe(5);
  });

  test("an idle stream", async () => {
    const up = await upstream(slow);
    const scene = await setUp([up.port], { action: { idleTimeoutMs: 40 } });
    const answer = await call(scene.port(), "/");
    expect([answer.status, answer.body.toString()]).toEqual([504, "stream timeout"]);
  });
});

describe("circuit breakers", () => {
  test("one request too many overflows", async () => {
    const waiting: http.ServerResponse[] = [];
    const up = await upstream((_, response) => void waiting.push(response));
    const scene = await setUp([up.port], {
      cluster: { breakers: { maxConnections: 1, maxPendingRequests: 1, maxRequests: 9, maxRetries: 3 } },
    });
    const first = call(scene.port(), "/");
    await until("the first runs", () => waiting.length === 1);
    const second = call(scene.port(), "/");
    await until("the second waits", () => scene.plane.clusters()[0]?.usage.pending === 1);
    const third = await call(scene.port(), "/");
    expect([third.status, third.headers["x-envoy-overloaded"], third.body.toString()]).toEqual([
      503,
      "true",
      "upstream connect error or disconnect/reset before headers. reset reason: overflow",
    ]);
    waiting[0]?.end("1");
    expect((await first).status).toBe(200);
    await until("the second runs", () => waiting.length === 2);
    waiting[1]?.end("2");
    expect((await second).body.toString()).toBe("2");
  });
});

describe("failures without an upstream", () => {
  test("no hosts", async () => {
    const scene = await setUp([]);
    const answer = await call(scene.port(), "/");
    expect([answer.status, answer.body.toString()]).toEqual([503, "no healthy upstream"]);
  });

  test("no cluster", async () => {
    const scene = await setUp([], { action: { cluster: { kind: "cluster", name: "gone" } } });
    const answer = await call(scene.port(), "/");
    expect([answer.status, answer.body.toString()]).toEqual([503, ""]);
  });
});

describe("hostile upstreams", () => {
  test.each<[string, string]>([
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
    ["length and chunked", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
    [
      "101 that nobody asked for",
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ],
    ["flood of 100", "HTTP/1.1 100 Continue\r\n\r\n".repeat(50)],
    ["not HTTP", "SSH-2.0-x\r\n\r\n"],
    ["bare CR in a header", "HTTP/1.1 200 OK\r\nx: a\rb\r\ncontent-length: 0\r\n\r\n"],
  ])("%s is 502, and its bytes reach nobody", async (_, bytes) => {
    const up = await startTcp((socket) => void socket.once("data", () => socket.write(bytes)));
    started.push(up);
    const scene = await setUp([up.port]);
    const answer = await call(scene.port(), "/");
    expect([answer.status, answer.body.toString()]).toEqual([
      502,
      "upstream connect error or disconnect/reset before headers. reset reason: protocol error",
    ]);
  });

  test("bytes behind an answer are never the next one", async () => {
    const up = await startTcp((socket) =>
      socket.on("data", () =>
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"),
      ),
    );
    started.push(up);
    const scene = await setUp([up.port]);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 3; i++) expect((await call(scene.port(), "/", { agent })).body.toString()).toBe("ok");
    agent.destroy();
  });

  test("an answer that breaks off resets the caller", async () => {
    const up = await startTcp((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
        setImmediate(() => socket.end());
      });
    });
    started.push(up);
    const scene = await setUp([up.port]);
    await expect(call(scene.port(), "/")).rejects.toThrow(/aborted|ECONNRESET|hang up/);
  });
});

describe("headers", () => {
  const echo: http.RequestListener = (request, response) => {
    response.setHeader("x-up", "1");
    response.end(JSON.stringify([request.method, request.url, request.rawHeaders]));
  };
  const lines = (answer: { body: Buffer }): { method: string; url: string; headers: Record<string, string> } => {
    const [method, url, list] = JSON.parse(answer.body.toString()) as [string, string, string[]];
    const headers: Record<string, string> = {};
    for (let i = 0; i < list.length; i += 2) headers[(list[i] ?? "").toLowerCase()] = list[i + 1] ?? "";
    return { method, url, headers };
  };

  test("a caller's x-envoy headers: at a sidecar", async () => {
    const up = await upstream(echo);
    const scene = await setUp([up.port], {
      manager: { tracing: "egress" },
      host: { includeAttemptCount: true },
      route: { decorator: "svc:80/*" },
    });
    const { headers } = lines(
      await call(scene.port(), "/", {
        headers: {
          "x-envoy-retry-on": "5xx",
          "x-envoy-internal": "true",
          "x-envoy-original-path": "/forged",
          "x-envoy-attempt-count": "7",
          "x-envoy-decorator-operation": "op",
          "x-envoy-unknown": "kept",
          "x-request-id": "mine",
          "x-forwarded-for": "10.1.2.3",
          te: "gzip",
          "proxy-connection": "x",
        },
      }),
    );
    expect(headers).toMatchObject({
      "x-envoy-original-path": "/forged",
      "x-envoy-attempt-count": "1",
      "x-envoy-decorator-operation": "svc:80/*",
      "x-envoy-unknown": "kept",
      "x-request-id": "mine",
      "x-forwarded-for": "10.1.2.3",
      "x-forwarded-proto": "http",
    });
    for (const gone of ["x-envoy-retry-on", "x-envoy-internal", "te", "proxy-connection", "connection"])
      expect(headers[gone]).toBeUndefined();
  });

  test("at an edge", async () => {
    const up = await upstream(echo);
    const scene = await setUp([up.port], { manager: { useRemoteAddress: true } });
    const { headers } = lines(
      await call(scene.port(), "/", {
        headers: {
          "x-request-id": "mine",
          "x-envoy-original-path": "/f",
          "x-forwarded-for": "203.0.113.9",
          "x-forwarded-proto": "https",
          "x-envoy-external-address": "9.9.9.9",
        },
      }),
    );
    expect(headers).toMatchObject({
      "x-forwarded-for": "203.0.113.9,10.0.0.9",
      "x-forwarded-proto": "http",
      "x-envoy-external-address": "127.0.0.1",
    });
    expect(headers["x-envoy-original-path"]).toBeUndefined();
    expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each<[number, string, string]>([
    [1, "203.0.113.9, 198.51.100.2", "198.51.100.2"],
    [2, "203.0.113.9, 198.51.100.2", "203.0.113.9"],
    [2, "203.0.113.9", "127.0.0.1"],
    [1, "junk", "127.0.0.1"],
    [1, "203.0.113.9:80", "127.0.0.1"],
    [1, "2001:db8::8", "2001:db8::8"],
  ])("%i trusted hops in %s: %s", async (hops, forwarded, client) => {
    const up = await upstream(echo);
    const scene = await setUp([up.port], { manager: { useRemoteAddress: true, xffNumTrustedHops: hops } });
    expect(lines(await call(scene.port(), "/", { headers: { "x-forwarded-for": forwarded } })).headers["x-envoy-external-address"]).toBe(
      client,
    );
  });

  const value = (
    format: string,
    name = "x-a",
    action: "OVERWRITE_IF_EXISTS_OR_ADD" | "APPEND_IF_EXISTS_OR_ADD" = "OVERWRITE_IF_EXISTS_OR_ADD",
  ) => ({
    name,
    value: { literal: format.includes("%") ? undefined : format, format },
    action,
    keepEmpty: false,
  });

  test("operations: remove, then sets, then adds; empty values do nothing", async () => {
    const up = await upstream(echo);
    const scene = await setUp([up.port], {
      route: {
        request: {
          add: [value("one", "x-a", "APPEND_IF_EXISTS_OR_ADD"), value("set %REQ(x-b)% %REQ(:path)%"), value("%REQ(nope)%", "x-empty")],
          remove: ["x-b"],
        },
        response: { add: [value("%RESPONSE_CODE%", "x-code"), value("got %REQ(x-b)%", "x-got")], remove: ["x-up"] },
      },
      action: { prefixRewrite: "/new" },
    });
    const answer = await call(scene.port(), "/old?q=1", { headers: { "x-a": "0", "x-b": "b" } });
    const { url, headers } = lines(answer);
    expect([url, headers["x-b"], headers["x-empty"], headers["x-envoy-original-path"]]).toEqual([
      "/newold?q=1",
      undefined,
      undefined,
      "/old?q=1",
    ]);
    expect(answer.body.toString()).toContain('"x-a","set b /old?q=1"');
    expect(answer.body.toString()).toContain('"x-a","one"');
    expect([answer.headers["x-up"], answer.headers["x-code"]]).toEqual([undefined, "200"]);
  });

  test("the connection header of an answer stays here", async () => {
    const up = await upstream((_, response) => {
      response.setHeader("keep-alive", "timeout=5");
      response.end("x");
    });
    const scene = await setUp([up.port]);
    expect(await raw(scene.port(), "GET / HTTP/1.1\r\nhost: a\r\n\r\n", { enough: (t) => t.endsWith("x") })).not.toMatch(/keep-alive/i);
  });

  test("HTTP/1.0 callers get no chunks, and the connection's end", async () => {
    const up = await upstream((_, response) => {
      response.write("abc");
      setImmediate(() => response.end("def"));
    });
    const scene = await setUp([up.port], { manager: { http10: { accept: true, defaultHost: "" } } });
    const got = await raw(scene.port(), "GET / HTTP/1.0\r\nhost: a\r\n\r\n");
    expect(got).toMatch(/^HTTP\/1\.0 200 OK[^]*connection: close\r\n\r\nabcdef$/);
  });
});

describe("balancing", () => {
  test("weights and round robin", async () => {
    const names = ["a", "b", "c"];
    const ups = await Promise.all(names.map((name) => upstream((_, response) => void response.end(name))));
    const ports = ups.map((up) => up.port);
    const table = routeTable([
      routeTo(
        forwardAction("", {
          cluster: {
            kind: "weighted",
            total: 100,
            headerName: undefined,
            clusters: [
              {
                name: "one",
                weight: 90,
                request: { add: [], remove: [] },
                response: { add: [], remove: [] },
                hostRewrite: undefined,
              },
              {
                name: "two",
                weight: 10,
                request: { add: [], remove: [] },
                response: { add: [], remove: [] },
                hostRewrite: undefined,
              },
            ],
          },
        }),
      ),
    ]);
    const scene = await startScene(
      runtimeConfig(
        [listenerConfig(httpConfig(table))],
        [
          clusterConfig("one", ports.slice(0, 2)),
          clusterConfig("two", [], {
            endpoints: { clusterName: "two", overprovisioningFactor: 140, endpoints: [endpointConfig(ports[2] ?? 0)] },
          }),
        ],
      ),
    );
    started.push(scene);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (let i = 0; i < 400; i++) {
      const name = (await call(scene.port(), "/", { agent })).body.toString();
      counts[name] = (counts[name] ?? 0) + 1;
    }
    agent.destroy();
    expect(Math.abs((counts["a"] ?? 0) - (counts["b"] ?? 0))).toBeLessThanOrEqual(1);
    // Binomial(400, 0.1): outside [12, 74] with less than 10^-6.
    expect(counts["c"]).toBeGreaterThan(11);
    expect(counts["c"]).toBeLessThan(75);
  });
});

test("expect: 100-continue goes through", async () => {
  const up = await startTcp((socket: net.Socket) => {
    let text = "";
    socket.on("data", (chunk) => {
      const before = text.includes("\r\n\r\n");
      text += chunk.toString();
      if (!before && text.includes("\r\n\r\n")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      if (text.endsWith("abc")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
  });
  started.push(up);
  const scene = await setUp([up.port], { manager: { proxy100Continue: true } });
  const got = await new Promise<string>((done) => {
    const socket = net.connect(scene.port(), "127.0.0.1");
    let text = "";
    socket.write("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n");
    socket.on("data", (chunk) => {
      text += chunk.toString();
      if (text === "HTTP/1.1 100 Continue\r\n\r\n") socket.write("abc");
      if (text.endsWith("ok")) {
        socket.destroy();
        done(text);
      }
    });
  });
  expect(got).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/);
});
