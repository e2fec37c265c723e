// What the proxy itself writes into requests and answers, and what rules can do about it; as real Envoy 1.40 was seen to do it.
import type http from "node:http";
import net from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { HeaderMutations, HttpConnectionManagerConfig, WeightedCluster } from "../config/index.ts";
import { retryPolicy, oneRoute, type OneRoute } from "../testing/config.ts";
import { call, type Scene, startHttp, startScene, startTcp } from "../testing/scene.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

async function scene(port: number, setup: OneRoute): Promise<Scene> {
  const made = await startScene(oneRoute([port], setup));
  started.push(made);
  return made;
}

/** Each request's header lines, and what the app answers. */
async function upstream(app: http.RequestListener = (_, response) => void response.end("ok")) {
  const seen: string[][] = [];
  const server = await startHttp((request, response) => {
    const lines: string[] = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2)
      lines.push(`${request.rawHeaders[i]?.toLowerCase()}: ${request.rawHeaders[i + 1]}`);
    seen.push([...lines, `path: ${request.url}`]);
    app(request, response);
  });
  started.push(server);
  return { port: server.port, seen };
}

const set = (name: string, value: string) => ({
  name,
  value: { literal: value, format: value },
  action: "OVERWRITE_IF_EXISTS_OR_ADD" as const,
  keepEmpty: false,
});
const edits = (add: HeaderMutations["add"], remove: readonly string[] = []): HeaderMutations => ({ add, remove });
const named = (lines: readonly string[] | undefined, name: string): string[] =>
  (lines ?? []).filter((line) => line.startsWith(`${name}: `));

describe("attempt count", () => {
  const failing = (times: number) => {
    let calls = 0;
    return upstream((_, response) => {
      response.statusCode = calls++ < times ? 500 : 200;
      response.end();
    });
  };

  test("each try says its own", async () => {
    const up = await failing(1);
    const made = await scene(up.port, { action: { retry: retryPolicy() }, host: { includeAttemptCount: true } });
    await call(made.port(), "/");
    expect(up.seen.map((lines) => named(lines, "x-envoy-attempt-count"))).toEqual([
      ["x-envoy-attempt-count: 1"],
      ["x-envoy-attempt-count: 2"],
    ]);
  });

  test("a rule that removes or sets it has its way with the first try only", async () => {
    for (const [request, first] of [
      [edits([], ["x-envoy-attempt-count"]), []],
      [edits([set("x-envoy-attempt-count", "7")]), ["x-envoy-attempt-count: 7"]],
    ] as const) {
      const up = await failing(1);
      const made = await scene(up.port, { action: { retry: retryPolicy() }, route: { request }, host: { includeAttemptCount: true } });
      await call(made.port(), "/");
      expect(up.seen.map((lines) => named(lines, "x-envoy-attempt-count"))).toEqual([first, ["x-envoy-attempt-count: 2"]]);
    }
  });

  test("rules are applied once, however many tries there are", async () => {
    const up = await failing(2);
    const add = { ...set("x-a", "1"), action: "APPEND_IF_EXISTS_OR_ADD" as const };
    const made = await scene(up.port, {
      action: { retry: retryPolicy(), prefixRewrite: "/p/", hostRewrite: "h" },
      route: { request: edits([add]) },
    });
    await call(made.port(), "/x");
    expect(up.seen.map((lines) => [named(lines, "x-a"), named(lines, "path"), named(lines, "x-envoy-original-path")])).toEqual(
      [0, 1, 2].map(() => [["x-a: 1"], ["path: /p/x"], ["x-envoy-original-path: /x"]]),
    );
  });
});

describe("time that the upstream has", () => {
  test("the caller's own word on it is not passed on", async () => {
    const up = await upstream();
    const made = await scene(up.port, { action: { timeoutMs: 5000 } });
    await call(made.port(), "/", { headers: { "x-envoy-expected-rq-timeout-ms": "9", "x-envoy-upstream-rq-timeout-ms": "9" } });
    expect(named(up.seen[0], "x-envoy-expected-rq-timeout-ms")).toEqual(["x-envoy-expected-rq-timeout-ms: 5000"]);
    expect(named(up.seen[0], "x-envoy-upstream-rq-timeout-ms")).toEqual([]);
  });

  test("gRPC's header is written anew", async () => {
    const up = await upstream();
    const made = await scene(up.port, { action: { timeoutMs: 5000, maxGrpcTimeoutMs: 5000 } });
    const headers = { "content-type": "application/grpc", "grpc-timeout": "1S" };
    await call(made.port(), "/", { method: "POST", headers });
    expect(named(up.seen[0], "grpc-timeout")).toEqual(["grpc-timeout: 1000m"]);
  });
});

describe("host", () => {
  const only = (hostRewrite: string): WeightedCluster => ({
    name: "up",
    weight: 1,
    request: edits([]),
    response: edits([]),
    hostRewrite,
  });
  const weighted = (port: number, over: OneRoute, clusterHost: string) =>
    scene(port, {
      ...over,
      action: { cluster: { kind: "weighted", total: 1, headerName: undefined, clusters: [only(clusterHost)] }, ...over.action },
    });
  const hostLines = (lines: readonly string[] | undefined) =>
    (lines ?? []).filter((line) => /^(?:host|x-envoy-original-host|x-forwarded-host): /.test(line)).sort();

  test("a route's tells what it was", async () => {
    const up = await upstream();
    const made = await scene(up.port, { action: { hostRewrite: "by-route", appendXForwardedHost: true } });
    await call(made.port(), "/");
    expect(hostLines(up.seen[0])).toEqual(["host: by-route", "x-envoy-original-host: demo", "x-forwarded-host: demo"]);
  });

  test("a chosen cluster's does not, and a route's beats it and takes it for the original", async () => {
    const up = await upstream();
    const one = await weighted(up.port, {}, "by-cluster");
    await call(one.port(), "/");
    const two = await weighted(up.port, { action: { hostRewrite: "by-route", appendXForwardedHost: true } }, "by-cluster");
    await call(two.port(), "/");
    expect(up.seen.map(hostLines)).toEqual([
      ["host: by-cluster"],
      ["host: by-route", "x-envoy-original-host: by-cluster", "x-forwarded-host: by-cluster"],
    ]);
  });

  test("x-forwarded-host grows, but not twice by the same", async () => {
    const up = await upstream();
    const made = await scene(up.port, { action: { hostRewrite: "h", appendXForwardedHost: true } });
    for (const before of ["a", "a,demo", "demo"]) await call(made.port(), "/", { headers: { "x-forwarded-host": before } });
    expect(up.seen.map((lines) => named(lines, "x-forwarded-host"))).toEqual([
      ["x-forwarded-host: a,demo"],
      ["x-forwarded-host: a,demo"],
      ["x-forwarded-host: demo"],
    ]);
  });

  test("without Envoy's own headers nothing is told of what was", async () => {
    const up = await upstream();
    const made = await scene(up.port, { manager: { suppressEnvoyHeaders: true }, action: { hostRewrite: "h", prefixRewrite: "/p" } });
    const answer = await call(made.port(), "/");
    expect(up.seen[0]?.filter((line) => line.startsWith("x-envoy-"))).toEqual([]);
    expect(answer.headers["x-envoy-upstream-service-time"]).toBeUndefined();
  });
});

describe("x-forwarded-port", () => {
  test.each<[string, Partial<HttpConnectionManagerConfig>, string | undefined, (port: number) => string]>([
    ["a sidecar adds it", {}, undefined, String],
    ["and keeps a caller's", {}, "443", () => "443"],
    ["an edge does not believe one", { useRemoteAddress: true }, "443", String],
    ["but behind a trusted proxy it does", { useRemoteAddress: true, xffNumTrustedHops: 1 }, "443", () => "443"],
    ["and adds a missing one", { useRemoteAddress: true, xffNumTrustedHops: 1 }, undefined, String],
  ])("%s", async (_, manager, given, expected) => {
    const up = await upstream();
    const made = await scene(up.port, { manager: { appendXForwardedPort: true, ...manager } });
    await call(made.port(), "/", { headers: given === undefined ? {} : { "x-forwarded-port": given } });
    expect(named(up.seen[0], "x-forwarded-port")).toEqual([`x-forwarded-port: ${expected(made.port())}`]);
  });
});

describe("decorator operation", () => {
  const decorating: http.RequestListener = (_, response) => {
    response.setHeader("x-envoy-decorator-operation", "theirs");
    response.end();
  };
  const route = { decorator: "svc:80/*" };

  test("outbound: in the request, and not back to the caller", async () => {
    const up = await upstream(decorating);
    const made = await scene(up.port, { route, manager: { tracing: "egress" } });
    const answer = await call(made.port(), "/", { headers: { "x-envoy-decorator-operation": "mine" } });
    expect(named(up.seen[0], "x-envoy-decorator-operation")).toEqual(["x-envoy-decorator-operation: svc:80/*"]);
    expect(answer.headers["x-envoy-decorator-operation"]).toBeUndefined();
  });

  test("inbound: not in the request; in the answer, unless the caller had its own", async () => {
    const up = await upstream(decorating);
    const made = await scene(up.port, { route, manager: { tracing: "ingress" } });
    const plain = await call(made.port(), "/");
    const own = await call(made.port(), "/", { headers: { "x-envoy-decorator-operation": "mine" } });
    expect(up.seen.map((lines) => named(lines, "x-envoy-decorator-operation"))).toEqual([[], []]);
    expect(plain.headers["x-envoy-decorator-operation"]).toBe("svc:80/*");
    expect(own.headers["x-envoy-decorator-operation"]).toBe("theirs");
  });

  test("inbound: answers of the proxy's own have it too", async () => {
    const made = await scene(1, { route, manager: { tracing: "ingress" }, action: { cluster: { kind: "cluster", name: "none" } } });
    expect((await call(made.port(), "/")).headers["x-envoy-decorator-operation"]).toBe("svc:80/*");
  });

  test("without tracing all of it passes", async () => {
    const up = await upstream(decorating);
    const made = await scene(up.port, { route });
    const answer = await call(made.port(), "/", { headers: { "x-envoy-decorator-operation": "mine" } });
    expect(named(up.seen[0], "x-envoy-decorator-operation")).toEqual(["x-envoy-decorator-operation: mine"]);
    expect(answer.headers["x-envoy-decorator-operation"]).toBe("theirs");
  });
});

describe("answers", () => {
  test("server and date have the last word, hop-by-hop headers of a rule none", async () => {
    const up = await upstream();
    const response = edits(
      [set("server", "rule"), set("keep-alive", "x"), set("connection", "x"), set("x-a", "1")],
      ["date", "x-envoy-upstream-service-time"],
    );
    const made = await scene(up.port, { route: { response } });
    const { headers } = await call(made.port(), "/");
    expect(headers["server"]).toBe("envoy");
    expect(headers["date"]).toMatch(/GMT$/);
    expect(headers["x-a"]).toBe("1");
    expect(headers["keep-alive"]).toBeUndefined();
    expect(headers["x-envoy-upstream-service-time"]).toBeUndefined();
  });

  test("a rule may name the server where the proxy does not", async () => {
    const up = await upstream((_, response) => {
      response.setHeader("server", "app");
      response.end();
    });
    const of = async (serverHeader: HttpConnectionManagerConfig["serverHeader"], response: HeaderMutations) =>
      (await call((await scene(up.port, { route: { response }, manager: { serverHeader } })).port(), "/")).headers["server"];
    expect(await of("PASS_THROUGH", edits([]))).toBe("app");
    expect(await of("PASS_THROUGH", edits([set("server", "rule")]))).toBe("rule");
    expect(await of("APPEND_IF_ABSENT", edits([]))).toBe("app");
    expect(await of("APPEND_IF_ABSENT", edits([], ["server"]))).toBe("envoy");
  });
});

describe("100 Continue", () => {
  async function talk(port: number): Promise<string> {
    return new Promise((done) => {
      const socket = net.connect(port, "127.0.0.1");
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
  }

  test("the proxy's own, once; the upstream does not see that it was asked for", async () => {
    let got = "";
    const up = await startTcp((socket) => {
      socket.on("data", (chunk) => {
        got += chunk.toString();
        if (got.endsWith("abc")) socket.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      });
    });
    started.push(up);
    const made = await scene(up.port, { manager: { proxy100Continue: false } });
    expect(await talk(made.port())).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/);
    expect(got).not.toMatch(/expect/i);
  });

  test("after an upstream's there is no other try", async () => {
    let requests = 0;
    const up = await startTcp((socket) => {
      let text = "";
      socket.on("data", (chunk) => {
        const begins = text === "";
        text += chunk.toString();
        if (begins) {
          requests++;
          socket.write("HTTP/1.1 100 Continue\r\n\r\n");
        }
        if (text.endsWith("abc")) socket.write("HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nok");
      });
    });
    started.push(up);
    const made = await scene(up.port, { manager: { proxy100Continue: true }, action: { retry: retryPolicy() } });
    expect(await talk(made.port())).toMatch(/HTTP\/1\.1 500/);
    expect(requests).toBe(1);
  });
});
