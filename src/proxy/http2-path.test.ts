// HTTP/2 through the data plane, in all four translations.
import { createHash, randomBytes } from "node:crypto";
import type http from "node:http";
import type http2 from "node:http2";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { ForwardAction } from "./config/index.ts";
import {
  clusterConfig,
  forwardAction,
  httpConfig,
  listenerConfig,
  retryPolicy,
  routeTable,
  routeTo,
  runtimeConfig,
  oneRoute,
  type OneRoute,
} from "./testing/config.ts";
import { http2Caller, type Http2Caller, startHttp2 } from "./testing/http2.ts";
import type { Http2Session } from "./http2/stream.ts";
import { call, raw, type Scene, startHttp, startScene, startTcp, until } from "./testing/scene.ts";
import { Http2Pool } from "./upstream/pool/http2-pool.ts";
import { Http2UpstreamStream } from "./upstream/pool/http2-stream.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0).toReversed()) thing.stop();
});

const LOG = {
  path: "-",
  format: { kind: "text", text: "%PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %GRPC_STATUS%\n" },
} as const;

async function setUp(port: number, setup: OneRoute = {}): Promise<Scene> {
  const manager = { accessLogs: [{ ...LOG, responseFlags: undefined }], ...setup.manager };
  const scene = await startScene(oneRoute([port], { ...setup, manager }));
  started.push(scene);
  return scene;
}

function caller(scene: Scene, settings: http2.Settings = {}): Http2Caller {
  const made = http2Caller(scene.port(), settings);
  started.push(made);
  return made;
}

async function h2Upstream(
  onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
  settings: http2.Settings = {},
): ReturnType<typeof startHttp2> {
  const server = await startHttp2(onStream, settings);
  started.push(server);
  return server;
}

async function h1Upstream(app: http.RequestListener): ReturnType<typeof startHttp> {
  const server = await startHttp(app);
  started.push(server);
  return server;
}

const HTTP2 = { cluster: { protocol: "http2" } } as const;

/** Answers with what it saw, as JSON. */
function echo2(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
  let body = "";
  stream.on("data", (part: Buffer) => (body += part.toString("latin1")));
  stream.on("trailers", (trailers: http2.IncomingHttpHeaders) => (headers["x-trailer-seen"] = JSON.stringify(trailers)));
  stream.on("end", () => {
    stream.respond({ ":status": 200, "x-up": "2" });
    stream.end(JSON.stringify({ ...headers, body }));
  });
}

const echo1: http.RequestListener = (request, response) => {
  let body = "";
  request.on("data", (part: Buffer) => (body += part.toString("latin1")));
  request.on("end", () => {
    const headers = Object.fromEntries(Object.entries(request.headers));
    response.setHeader("keep-alive", "timeout=5");
    response.end(JSON.stringify({ method: request.method, url: request.url, version: request.httpVersion, ...headers, body }));
  });
};

describe("HTTP/2 to HTTP/1", () => {
  test("a request without a body, and one whose length is not said", async () => {
    const scene = await setUp((await h1Upstream(echo1)).port);
    const { call } = caller(scene);
    const get = await call("/a?b", { headers: { cookie: ["a=1", "b=2"], "x-two": ["1", "2"] } });
    expect([get.status, get.headers["server"], get.headers["keep-alive"]]).toEqual([200, "envoy", undefined]);
    expect(JSON.parse(get.body)).toMatchObject({
      method: "GET",
      url: "/a?b",
      version: "1.1",
      host: "demo",
      cookie: "a=1; b=2",
      "x-two": "1, 2",
    });
    expect(JSON.parse(get.body)).not.toHaveProperty("content-length");
    expect(JSON.parse((await call("/", { headers: { ":method": "POST" } })).body)).toMatchObject({ "content-length": "0", body: "" });
    const chunked = JSON.parse((await call("/", { headers: { ":method": "POST" }, body: ["abc", "def"] })).body);
    expect(chunked).toMatchObject({ "transfer-encoding": "chunked", body: "abcdef" });
    const sized = await call("/", { headers: { ":method": "POST", "content-length": 6 }, body: ["abc", "def"] });
    expect(JSON.parse(sized.body)).toMatchObject({ "content-length": "6", body: "abcdef" });
    await until("it is logged", () => scene.logs.length > 0);
    expect(scene.logs.join("")).toContain("HTTP/2 200 - via_upstream");
  });

  test("large bodies both ways, many at once", async () => {
    const big = randomBytes(2_000_000);
    const up = await h1Upstream((request, response) => {
      const hash = createHash("sha1");
      request.on("data", (part: Buffer) => hash.update(part));
      request.on("end", () => response.setHeader("x-sha", hash.digest("hex")).end(big));
    });
    const { call } = caller(await setUp(up.port));
    const sha = createHash("sha1").update(big).digest("hex");
    const answers = await Promise.all([1, 2, 3].map(() => call("/", { headers: { ":method": "POST" }, body: big })));
    for (const answer of answers) {
      expect(answer.headers["x-sha"]).toBe(sha);
      expect(createHash("sha1").update(Buffer.from(answer.body, "latin1")).digest("hex")).toBe(sha);
    }
  });

  test("HEAD, 204, 103, chunks, and a body that lasts until the close", async () => {
    const up = await startTcp((socket) =>
      socket.on("data", (data) => {
        const path = data.toString().split(" ")[1];
        if (path === "/head") socket.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
        if (path === "/204") socket.write("HTTP/1.1 204 No Content\r\n\r\n");
        if (path === "/103") socket.write("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        if (path === "/chunks") socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3;x=1\r\ndef\r\n0\r\n\r\n");
        if (path === "/close") socket.end("HTTP/1.1 200 OK\r\n\r\nuntil");
        if (path === "/short") socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart");
      }),
    );
    started.push(up);
    const scene = await setUp(up.port, { manager: { proxy100Continue: true } });
    const { call } = caller(scene);
    const head = await call("/head", { headers: { ":method": "HEAD" } });
    expect([head.status, head.headers["content-length"], head.body]).toEqual([200, "5", ""]);
    expect((await call("/204")).status).toBe(204);
    const hints = await call("/103");
    expect([hints.informational, hints.status, hints.body]).toEqual([[103], 200, "ok"]);
    const chunks = await call("/chunks");
    expect([chunks.body, chunks.headers["transfer-encoding"]]).toEqual(["abcdef", undefined]);
    expect((await call("/close")).body).toBe("until");
    const short = await call("/short");
    expect([short.body, short.code]).toEqual(["part", 2]);
    await until("all are logged", () => scene.logs.join("").includes("protocol_error"));
    expect(scene.logs.join("")).toContain("HTTP/2 200 UPE upstream_reset_after_response_started{protocol_error}");
  });
});

describe("HTTP/1 to HTTP/2", () => {
  test("Host becomes :authority, connection headers stay behind", async () => {
    const scene = await setUp((await h2Upstream(echo2)).port, HTTP2);
    const answer = await call(scene.port(), "/a", {
      method: "POST",
      body: "abc",
      headers: { te: "trailers", "keep-alive": "1", host: "Demo:80" },
    });
    expect([answer.status, answer.headers["x-up"]]).toEqual([200, "2"]);
    const seen = JSON.parse(answer.body.toString());
    expect(seen).toMatchObject({
      ":method": "POST",
      ":path": "/a",
      ":scheme": "http",
      ":authority": "Demo:80",
      te: "trailers",
      body: "abc",
    });
    for (const name of ["host", "keep-alive", "connection", "transfer-encoding"]) expect(seen).not.toHaveProperty(name);
  });

  test("chunks become data, and trailers are passed where they are enabled", async () => {
    const up = await h2Upstream((stream, headers) => {
      stream.on("trailers", (trailers: http2.IncomingHttpHeaders) => (headers["x-sum"] = String(trailers["x-sum"])));
      let body = "";
      stream.on("data", (part: Buffer) => (body += part.toString()));
      stream.on("end", () => {
        stream.respond({ ":status": 200 }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "x-end": "yes", "content-type": "never" }));
        stream.end(`${body} ${headers["x-sum"] ?? "-"}`);
      });
    });
    const text = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n";
    const plain = await raw((await setUp(up.port, HTTP2)).port(), text);
    expect(plain).toMatch(/transfer-encoding: chunked[^]*abc -\r\n0\r\n\r\n$/);
    const enabled = await setUp(up.port, { ...HTTP2, manager: { enableTrailers: true } });
    expect(await raw(enabled.port(), text)).toMatch(/abc 7\r\n0\r\nx-end: yes\r\n\r\n$/);
  });

  test("answers without a body: HEAD, 204, 304, a length said", async () => {
    const up = await h2Upstream((stream, headers) => {
      const path = headers[":path"];
      if (path === "/204") stream.respond({ ":status": 204 }, { endStream: true });
      else if (path === "/304") stream.respond({ ":status": 304, etag: "x" }, { endStream: true });
      else if (path === "/none") stream.respond({ ":status": 200 }, { endStream: true });
      else if (path === "/sized") {
        stream.respond({ ":status": 200, "content-length": 3 });
        stream.end("abc");
      } else stream.respond({ ":status": 200, "content-length": 9 }, { endStream: true });
    });
    const port = (await setUp(up.port, HTTP2)).port();
    const close = "host: a\r\nconnection: close\r\n\r\n";
    expect(await raw(port, `HEAD /head HTTP/1.1\r\n${close}`)).toMatch(/^HTTP\/1.1 200 OK[^]*content-length: 9\r\n[^]*\r\n\r\n$/);
    expect(await raw(port, `GET /204 HTTP/1.1\r\n${close}`)).toMatch(/^HTTP\/1.1 204 No Content(?![^]*(?:content-length|chunked))/);
    expect(await raw(port, `GET /304 HTTP/1.1\r\n${close}`)).toMatch(/^HTTP\/1.1 304 (?![^]*(?:content-length|chunked))/);
    expect(await raw(port, `GET /none HTTP/1.1\r\n${close}`)).toMatch(/^HTTP\/1.1 200 [^]*content-length: 0\r\n/);
    expect(await raw(port, `GET /sized HTTP/1.1\r\n${close}`)).toMatch(/^HTTP\/1.1 200 [^]*content-length: 3\r\n[^]*\r\n\r\nabc$/);
    expect(await raw(port, `GET /sized HTTP/1.0\r\n${close}`)).toMatch(/426/);
  });

  test("100-continue and early hints pass", async () => {
    const up = await h2Upstream((stream, headers) => {
      if (headers["expect"] !== undefined) stream.additionalHeaders({ ":status": 100 });
      stream.additionalHeaders({ ":status": 103, link: "x" });
      stream.on("data", () => undefined);
      stream.on("end", () => stream.respond({ ":status": 200 }, { endStream: true }));
    });
    const scene = await setUp(up.port, { ...HTTP2, manager: { proxy100Continue: true } });
    const got = await raw(
      scene.port(),
      "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
    );
    expect(got).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP\/1\.1 200 OK/);
  });
});

describe("HTTP/2 to HTTP/2", () => {
  test("fields pass as they came, with what the proxy adds", async () => {
    const scene = await setUp((await h2Upstream(echo2)).port, { ...HTTP2, host: { includeAttemptCount: true } });
    const { call } = caller(scene);
    const answer = await call("/a", { headers: { ":method": "PUT", "x-a": ["1", "2"], te: "trailers", accept: "text/html" }, body: "abc" });
    expect(JSON.parse(answer.body)).toMatchObject({
      ":method": "PUT",
      ":path": "/a",
      ":authority": "demo",
      "x-a": "1, 2",
      te: "trailers",
      accept: "text/html",
      "x-envoy-attempt-count": "1",
      "x-forwarded-proto": "http",
      body: "abc",
    });
  });

  test("trailers both ways; requests share one connection", async () => {
    const up = await h2Upstream((stream) => {
      let said: http2.IncomingHttpHeaders = {};
      stream.on("trailers", (trailers: http2.IncomingHttpHeaders) => (said = trailers));
      stream.on("data", () => undefined);
      stream.on("end", () => {
        stream.respond({ ":status": 200 }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "x-got": String(said["x-sum"]) }));
        stream.end("body");
      });
    });
    const { call } = caller(await setUp(up.port, HTTP2));
    const options = { headers: { ":method": "POST" }, body: "abc", trailers: { "x-sum": "7" } };
    const answers = await Promise.all([1, 2, 3, 4].map(() => call("/", options)));
    for (const answer of answers) expect([answer.body, answer.trailers?.["x-got"]]).toEqual(["body", "7"]);
    expect(up.sessions.size).toBe(1);
  });

  test("a slow reader stops the upstream, and nobody else", async () => {
    let sent = 0;
    const up = await h2Upstream((stream, headers) => {
      stream.respond({ ":status": 200 });
      if (headers[":path"] === "/small") stream.end("small");
      else {
        const more = (): void => {
          while (sent < 40_000_000) {
            sent += 16_384;
            if (!stream.write(Buffer.alloc(16_384))) {
              stream.once("drain", more);
              return;
            }
          }
          stream.end();
        };
        more();
      }
    });
    const { call } = caller(await setUp(up.port, HTTP2));
    let release: (() => void) | undefined;
    const slow = call("/slow", {
      steer(stream) {
        stream.end();
        stream.on("response", () => stream.pause());
        release = () => stream.resume();
      },
    });
    await until("the upstream is stopped", () => sent > 0);
    for (let i = 0; i < 5; i++) expect((await call("/small")).body).toBe("small");
    const stopped = sent;
    expect(stopped).toBeLessThan(8_000_000);
    release?.();
    expect((await slow).body.length).toBeGreaterThanOrEqual(40_000_000);
  });

  test("a slow upstream stops the caller", async () => {
    let take: (() => void) | undefined;
    const up = await h2Upstream((stream) => {
      stream.pause();
      take = () => {
        let length = 0;
        stream.resume();
        stream.on("data", (part: Buffer) => (length += part.length));
        stream.on("end", () => {
          stream.respond({ ":status": 200 });
          stream.end(String(length));
        });
      };
    });
    const { call } = caller(await setUp(up.port, HTTP2));
    let written = 0;
    const answer = call("/", {
      headers: { ":method": "POST" },
      steer(stream) {
        const more = (): void => {
          while (written < 20_000_000) {
            written += 16_384;
            if (!stream.write(Buffer.alloc(16_384))) {
              stream.once("drain", more);
              return;
            }
          }
          stream.end();
        };
        more();
      },
    });
    await until("the upstream has it", () => take !== undefined);
    await until(
      "the caller is stopped",
      (() => {
        let before = -1;
        let same = 0;
        return () => {
          same = written === before ? same + 1 : 0;
          before = written;
          return same > 20;
        };
      })(),
    );
    expect(written).toBeLessThan(8_000_000);
    take?.();
    const { body } = await answer;
    expect(Number(body)).toBe(written);
  });

  test("an answer before the request is whole ends the request", async () => {
    const up = await h2Upstream((stream) => {
      stream.respond({ ":status": 200 });
      stream.end("early");
    });
    const { call } = caller(await setUp(up.port, HTTP2));
    const answer = await call("/", { headers: { ":method": "POST" }, steer: (stream) => void stream.write("x") });
    expect([answer.status, answer.body, answer.code]).toEqual([200, "early", 0]);
  });
});

describe("protocol of the upstream", () => {
  test("follows the caller where the cluster says so", async () => {
    const two = await h2Upstream(echo2);
    const one = await h1Upstream(echo1);
    const to = async (port: number): Promise<Scene> => setUp(port, { cluster: { protocol: "downstream" } });
    expect(JSON.parse((await caller(await to(two.port)).call("/")).body)).toHaveProperty(":path");
    expect(JSON.parse((await call((await to(one.port)).port(), "/")).body.toString())).toMatchObject({ version: "1.1" });
    const wrong = await call((await to(two.port)).port(), "/");
    expect([wrong.status, wrong.body.toString()]).toEqual([
      502,
      "upstream connect error or disconnect/reset before headers. reset reason: protocol error",
    ]);
    expect((await caller(await to(one.port)).call("/")).status).toBe(503);
  });
});

describe("resets", () => {
  test.each<[number, number, string, string]>([
    [0, 503, "UR", "remote reset"],
    [1, 502, "UPE", "protocol error"],
    [2, 503, "UR", "remote reset"],
    [7, 503, "UR", "remote refused stream reset"],
    [8, 503, "UR", "remote reset"],
    [10, 503, "UR", "remote error with CONNECT request"],
  ])("RST_STREAM %i of an upstream: %i %s", async (code, status, flag, reason) => {
    const up = await h2Upstream((stream) => stream.close(code));
    const scene = await setUp(up.port, HTTP2);
    const answer = await caller(scene).call("/");
    expect([answer.status, answer.body]).toEqual([
      status,
      `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`,
    ]);
    await until("it is logged", () => scene.logs.length > 0);
    expect(scene.logs.join("")).toContain(`${status} ${flag} upstream_reset_before_response_started{${reason.replaceAll(" ", "_")}}`);
  });

  test("in the middle of an answer the caller's stream breaks off", async () => {
    const up = await h2Upstream((stream) => {
      stream.respond({ ":status": 200 });
      stream.write("part");
      setImmediate(() => stream.destroy(new Error("broken")));
    });
    const scene = await setUp(up.port, HTTP2);
    const answer = await caller(scene).call("/");
    expect([answer.status, answer.code]).toEqual([200, 2]);
    await until("it is logged", () => scene.logs.length > 0);
    expect(scene.logs.join("")).toContain("200 UR upstream_reset_after_response_started{remote_reset}");
    expect(await raw(scene.port(), "GET / HTTP/1.1\r\nhost: a\r\n\r\n")).toMatch(/^HTTP\/1.1 200 (?![^]*0\r\n\r\n$)/);
  });

  test("a caller's cancellation reaches either kind of upstream", async () => {
    const two = await h2Upstream((stream) => stream.respond({ ":status": 200 }));
    const scene = await setUp(two.port, HTTP2);
    const cancel = { steer: (stream: http2.ClientHttp2Stream) => void stream.on("response", () => stream.close(8)) };
    await caller(scene).call("/two", cancel);
    await until("the upstream hears of it", () => two.ended.length === 1);
    expect(two.ended).toEqual(["/two 8"]);
    await until("it is logged", () => scene.logs.length > 0);
    expect(scene.logs.join("")).toContain("HTTP/2 200 DR http2.remote_reset");
    let cut = false;
    const one = await h1Upstream((request, response) => {
      response.write("part");
      request.socket.on("close", () => (cut = true));
    });
    await caller(await setUp(one.port)).call("/one", cancel);
    await until("the upstream's connection is cut", () => cut);
  });

  test("a refused stream is tried again where the policy says so", async () => {
    let refused = 0;
    const up = await h2Upstream((stream, headers) => {
      if (++refused < 3) stream.close(7);
      else echo2(stream, headers);
    });
    const retry = retryPolicy({ on: new Set(["refused-stream"]) });
    const scene = await setUp(up.port, { ...HTTP2, action: { retry }, host: { includeAttemptCount: true } });
    const answer = await caller(scene).call("/", { headers: { ":method": "POST" }, body: "again" });
    expect(JSON.parse(answer.body)).toMatchObject({ "x-envoy-attempt-count": "3", body: "again" });
  });

  test("a stream that fails at once takes none of the body, which waits for the next try", async () => {
    const up = await h2Upstream((stream, headers) => {
      let length = 0;
      stream.on("data", (part: Buffer) => (length += part.length));
      stream.on("end", () => {
        stream.respond({ ":status": 200 });
        stream.end(`${headers["content-length"]} ${length}`);
      });
    });
    const retry = retryPolicy({ on: new Set(["reset"]), backoffBaseMs: 400, backoffMaxMs: 400 });
    const scene = await setUp(up.port, { ...HTTP2, action: { retry } });
    const session = { open: () => undefined, activeStreams: 1 } as unknown as Http2Session;
    const owner = { session, localAddress: "", tls: undefined, uses: 0, received: 0, onOpened() {}, countSent() {} };
    const acquire = vi.spyOn(Http2Pool.prototype, "acquire").mockImplementationOnce(() => new Http2UpstreamStream(owner));
    started.push({ stop: () => acquire.mockRestore() });
    const answer = await call(scene.port(), "/", { method: "POST", body: Buffer.alloc(3_000_000) });
    expect([answer.status, answer.body.toString(), acquire.mock.calls.length]).toEqual([200, "3000000 3000000", 2]);
  });
});

describe("upstream connections", () => {
  test("no more streams than the upstream and the cluster allow", async () => {
    const waiting: http2.ServerHttp2Stream[] = [];
    const up = await h2Upstream((stream) => void waiting.push(stream), { maxConcurrentStreams: 2 });
    const scene = await setUp(up.port, HTTP2);
    const { call } = caller(scene);
    const first = [call("/1"), call("/2")];
    await until("two are there", () => waiting.length === 2);
    const third = call("/3");
    await until("a second connection carries the third", () => waiting.length === 3);
    expect(up.sessions.size).toBe(2);
    for (const stream of waiting) stream.respond({ ":status": 200 }, { endStream: true });
    for (const answer of await Promise.all([...first, third])) expect(answer.status).toBe(200);
    const limited = await setUp(up.port, { cluster: { protocol: "http2", http2: { maxConcurrentStreams: 1 } } });
    waiting.length = 0;
    const two = [caller(limited).call("/4"), caller(limited).call("/5")];
    await until("both are there", () => waiting.length === 2);
    expect(limited.plane.clusters()[0]?.usage.connections).toBe(2);
    for (const stream of waiting) stream.respond({ ":status": 200 }, { endStream: true });
    await Promise.all(two);
  });

  test("requests of one connection end it when it has had enough", async () => {
    let opened = 0;
    const up = await h2Upstream((stream) => stream.respond({ ":status": 200 }, { endStream: true }));
    const scene = await setUp(up.port, { cluster: { protocol: "http2", maxRequestsPerConnection: 2 } });
    const { call } = caller(scene);
    for (let i = 0; i < 6; i++) expect((await call("/")).status).toBe(200);
    for (const { metric, fullName } of scene.stats.counters()) if (fullName === "cluster.up.upstream_cx_http2_total") opened = metric.value;
    expect(opened).toBe(3);
  });

  test("a GOAWAY sends new requests elsewhere and leaves those under way alone", async () => {
    const waiting: http2.ServerHttp2Stream[] = [];
    const up = await h2Upstream((stream, headers) => {
      if (headers[":path"] === "/wait") waiting.push(stream);
      else stream.respond({ ":status": 200 }, { endStream: true });
    });
    const { call } = caller(await setUp(up.port, HTTP2));
    const slow = call("/wait");
    await until("it waits", () => waiting.length === 1);
    const session = waiting[0]?.session;
    session?.goaway(0);
    await until("a new connection is used", () => true);
    for (let i = 0; i < 3; i++) expect((await call("/next")).status).toBe(200);
    waiting[0]?.respond({ ":status": 200 });
    waiting[0]?.end("late");
    expect((await slow).body).toBe("late");
  });

  test("the circuit breaker counts requests", async () => {
    const waiting: http2.ServerHttp2Stream[] = [];
    const up = await h2Upstream((stream) => void waiting.push(stream));
    const breakers = { ...clusterConfig("x", []).breakers, maxRequests: 1 };
    const { call } = caller(await setUp(up.port, { cluster: { protocol: "http2", breakers } }));
    const first = call("/");
    await until("it is there", () => waiting.length === 1);
    const second = await call("/");
    expect([second.status, second.headers["x-envoy-overloaded"]]).toEqual([503, "true"]);
    waiting[0]?.respond({ ":status": 200 }, { endStream: true });
    expect((await first).status).toBe(200);
  });

  test("nobody listens", async () => {
    const dead = await startTcp(() => undefined);
    dead.stop();
    const { call } = caller(await setUp(dead.port, HTTP2));
    expect((await call("/")).body).toBe(
      "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
    );
  });
});

describe("gRPC", () => {
  const GRPC = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };

  test("local answers are trailers-only", async () => {
    const scene = await setUp(1, { action: { cluster: { kind: "cluster", name: "gone" } } });
    const answer = await caller(scene).call("/s/m", { headers: GRPC, body: "" });
    expect([answer.status, answer.headers["grpc-status"], answer.headers["content-length"], answer.body]).toEqual([
      200,
      "14",
      undefined,
      "",
    ]);
    await until("it is logged", () => scene.logs.length > 0);
    expect(scene.logs.join("")).toContain("200 NC cluster_not_found Unavailable");
    const status = {
      name: "grpc-status",
      value: { literal: "3", format: "3" },
      action: "OVERWRITE_IF_EXISTS_OR_ADD",
      keepEmpty: false,
    } as const;
    const ruled = await setUp(1, {
      host: { response: { add: [status], remove: [] } },
      action: { cluster: { kind: "cluster", name: "gone" } },
    });
    expect((await caller(ruled).call("/s/m", { headers: GRPC, body: "" })).headers["grpc-status"]).toBe("3");
  });

  test("a status in the answer's head is retried, one in its trailers is not", async () => {
    const tries: string[] = [];
    const up = await h2Upstream((stream, headers) => {
      tries.push(String(headers[":path"]));
      if (headers[":path"] === "/head")
        stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": 14 }, { endStream: true });
      else {
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "14" }));
        stream.end();
      }
    });
    const retry = retryPolicy({ on: new Set(["unavailable"]), numRetries: 2 });
    const scene = await setUp(up.port, { ...HTTP2, action: { retry } });
    const { call } = caller(scene);
    expect((await call("/head", { headers: GRPC, body: "" })).headers["grpc-status"]).toBe("14");
    expect((await call("/trailers", { headers: GRPC, body: "" })).trailers?.["grpc-status"]).toBe("14");
    expect(tries).toEqual(["/head", "/head", "/head", "/trailers"]);
    await until("both are logged", () => scene.logs.join("").split("\n").length > 2);
    expect(scene.logs.join("")).toMatch(/via_upstream Unavailable\n[^]*via_upstream Unavailable\n/);
  });

  test("a stream both ways passes message by message", async () => {
    const up = await h2Upstream((stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.on("data", (part: Buffer) => stream.write(`<${part.toString()}>`));
      stream.on("end", () => stream.end());
    });
    const { call } = caller(await setUp(up.port, HTTP2));
    const got: string[] = [];
    const answer = await call("/s/m", {
      headers: GRPC,
      steer(stream) {
        let n = 0;
        stream.write(`m${++n}`);
        stream.on("data", (part: Buffer) => {
          got.push(part.toString());
          if (n === 3) stream.end();
          else stream.write(`m${++n}`);
        });
      },
    });
    expect(got).toEqual(["<m1>", "<m2>", "<m3>"]);
    expect(answer.trailers?.["grpc-status"]).toBe("0");
  });
});

describe("tunnels", () => {
  const echo = async (): ReturnType<typeof startTcp> => {
    const up = await startTcp((socket) => {
      socket.write("hello ");
      socket.on("data", (data) => socket.write(`<${data.toString()}>`));
      socket.on("end", () => socket.end(" bye"));
    });
    started.push(up);
    return up;
  };
  const CONNECT = { ":method": "CONNECT", ":path": undefined, ":authority": "demo:80" };
  const connectRoute = (action: Partial<ForwardAction>): OneRoute => ({
    action: { upgrades: new Map([["connect", true]]), ...action },
  });

  async function connectScene(port: number, setup: OneRoute): Promise<Scene> {
    const route = routeTo(forwardAction("up", setup.action), {
      match: { ...routeTo(forwardAction("up")).match, path: { kind: "connect" } },
    });
    const manager = httpConfig(routeTable([route]), { accessLogs: [{ ...LOG, responseFlags: undefined }], ...setup.manager });
    const scene = await startScene(runtimeConfig([listenerConfig(manager)], [clusterConfig("up", [port], setup.cluster)]));
    started.push(scene);
    return scene;
  }

  const say = (stream: http2.ClientHttp2Stream): void => {
    stream.on("response", () => stream.write("one"));
    stream.on("data", (part: Buffer) => {
      if (part.toString().includes("<one>")) stream.end("two");
    });
  };

  test("CONNECT ends here: bytes go to the upstream as they are", async () => {
    const up = await echo();
    const scene = await connectScene(up.port, connectRoute({ connect: { allowPost: false } }));
    const answer = await caller(scene).call("", { headers: CONNECT, steer: say });
    expect([answer.status, answer.body, answer.code]).toEqual([200, "hello <one><two> bye", 0]);
    const got = await raw(scene.port(), "CONNECT demo:80 HTTP/1.1\r\nhost: demo:80\r\n\r\nearly", {
      enough: (text) => text.includes("<early>"),
    });
    expect(got).toMatch(/^HTTP\/1\.1 200 OK\r\n(?![^]*(?:connection|transfer-encoding|content-length):)[^]*\r\n\r\nhello <early>$/);
    await until("its connections are closed", () => scene.plane.clusters()[0]?.usage.connections === 0);
  });

  test("CONNECT goes on to an upstream of either version", async () => {
    const two = await h2Upstream((stream, headers) => {
      stream.respond({ ":status": headers["x-no"] === undefined ? 200 : 403 });
      stream.on("data", (part: Buffer) => stream.write(`<${part.toString()}>`));
      stream.on("end", () => stream.end(" bye"));
      if (headers["x-no"] !== undefined) stream.end("no");
    });
    const scene = await connectScene(two.port, { ...connectRoute({}), ...HTTP2 });
    expect((await caller(scene).call("", { headers: CONNECT, steer: say })).body).toBe("<one><two> bye");
    const no = await raw(scene.port(), "CONNECT demo:80 HTTP/1.1\r\nhost: demo:80\r\nx-no: 1\r\n\r\n");
    expect(no).toMatch(/^HTTP\/1\.1 403 [^]*connection: close[^]*no/);
    const one = await startTcp((socket) => {
      socket.once("data", (head) => {
        socket.write(`HTTP/1.1 200 OK\r\n\r\n[${head.toString().split("\r\n")[0]}]${head.includes("chunked") ? "chunked" : ""}`);
        socket.on("data", (data) => socket.write(`<${data.toString()}>`));
        socket.on("end", () => socket.end(" bye"));
      });
    });
    started.push(one);
    const other = await connectScene(one.port, connectRoute({}));
    expect((await caller(other).call("", { headers: CONNECT, steer: say })).body).toBe("[CONNECT demo:80 HTTP/1.1]<one><two> bye");
  });

  test("only where a route is for it, and lets it", async () => {
    const scene = await setUp((await h2Upstream(echo2)).port, HTTP2);
    expect((await caller(scene).call("", { headers: CONNECT, body: "" })).status).toBe(404);
    const closed = await connectScene(1, {});
    expect((await caller(closed).call("", { headers: CONNECT, body: "" })).status).toBe(403);
    expect(await raw(scene.port(), "CONNECT demo:80 HTTP/1.1\r\nhost: demo\r\ncontent-length: 3\r\n\r\nabc")).toMatch(/^HTTP\/1\.1 400/);
  });

  test("POST where that is allowed", async () => {
    const up = await echo();
    const scene = await setUp(up.port, { action: { connect: { allowPost: true } } });
    const answer = await call(scene.port(), "/", { method: "POST", body: "abc" });
    expect([answer.status, answer.body.toString()]).toEqual([200, "hello <abc> bye"]);
  });

  test("nobody listens", async () => {
    const dead = await startTcp(() => undefined);
    dead.stop();
    const scene = await connectScene(dead.port, connectRoute({ connect: { allowPost: false } }));
    expect((await caller(scene).call("", { headers: CONNECT, body: "" })).status).toBe(503);
  });

  test("WebSocket: HTTP/1 to HTTP/2 and back", async () => {
    const two = await h2Upstream(
      (stream, headers) => {
        stream.respond({ ":status": 200 });
        stream.write(`[${headers[":method"]} ${headers[":protocol"]} ${headers[":path"]}]`);
        stream.on("data", (part: Buffer) => stream.write(`<${part.toString()}>`));
        stream.on("end", () => stream.end(" bye"));
      },
      { enableConnectProtocol: true },
    );
    const up = await setUp(two.port, { ...HTTP2, manager: { http2: { allowConnect: true } } });
    const upgrade = "GET /ws HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
    const got = await raw(up.port(), [upgrade, "one"], { enough: (text) => text.includes("<one>") });
    expect(got).toMatch(
      /^HTTP\/1\.1 101 Switching Protocols\r\n[^]*upgrade: websocket\r\n[^]*connection: Upgrade\r\n\r\n\[CONNECT websocket \/ws\]<one>$/,
    );
    const extended = { ":method": "CONNECT", ":protocol": "websocket", ":scheme": "http" };
    const both = caller(up);
    await new Promise((done) => both.session.once("remoteSettings", done));
    expect((await both.call("/ws", { headers: extended, steer: say })).body).toBe("[CONNECT websocket /ws]<one><two> bye");
    const one = await startTcp((socket) => {
      socket.once("data", (head) => {
        const text = head.toString();
        const said = `${text.split("\r\n")[0]} ${/connection: (\w+)/i.exec(text)?.[1]} ${/upgrade: (\w+)/i.exec(text)?.[1]}`;
        if (text.includes("/no")) socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
        else socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n[${said}]`);
        socket.on("data", (data) => socket.write(`<${data.toString()}>`));
        socket.on("end", () => socket.end(" bye"));
      });
    });
    started.push(one);
    const down = caller(await setUp(one.port, { manager: { http2: { allowConnect: true } } }));
    await new Promise((done) => down.session.once("remoteSettings", done));
    const answer = await down.call("/ws", { headers: extended, steer: say });
    expect([answer.status, answer.headers["upgrade"], answer.body]).toEqual([
      200,
      undefined,
      "[GET /ws HTTP/1.1 Upgrade websocket]<one><two> bye",
    ]);
    const refused = await down.call("/no", { headers: extended, steer: () => undefined });
    expect([refused.status, refused.body]).toEqual([403, "no"]);
    const one2one = await setUp(one.port);
    expect(await raw(one2one.port(), upgrade.replace("/ws", "/no"))).toMatch(/^HTTP\/1\.1 403 [^]*connection: close\r\n\r\nno$/);
  });
});
