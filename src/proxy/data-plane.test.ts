import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import net from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clusterConfig, forwardAction, httpConfig, listenerConfig, routeTable, routeTo, runtimeConfig } from "./testing/config.ts";
import { call, raw, type Scene, startHttp, startScene, until, type Upstream } from "./testing/scene.ts";

const big = randomBytes(3_000_000);
let upstream: Upstream;
let scene: Scene;
const seen: http.IncomingMessage[] = [];

function app(request: http.IncomingMessage, response: http.ServerResponse): void {
  seen.push(request);
  switch (request.url) {
    case "/chunked":
      response.write("abc");
      setImmediate(() => {
        response.write("defg");
        response.end();
      });
      break;
    case "/big":
      response.setHeader("content-length", big.length);
      response.end(big);
      break;
    case "/bigchunked":
      for (let i = 0; i < big.length; i += 50_000) response.write(big.subarray(i, i + 50_000));
      response.end();
      break;
    case "/echo": {
      const hash = createHash("sha1");
      let length = 0;
      request.on("data", (part: Buffer) => {
        hash.update(part);
        length += part.length;
      });
      request.on("end", () => {
        response.setHeader("x-sha", hash.digest("hex"));
        response.end(String(length));
      });
      break;
    }
    case "/close":
      response.setHeader("connection", "close");
      response.end("bye");
      break;
    case "/die":
      request.socket.destroy();
      break;
    case "/204":
      response.statusCode = 204;
      response.end();
      break;
    case "/eof":
      request.socket.write("HTTP/1.1 200 OK\r\ncontent-type: a\r\n\r\nuntil-close");
      setImmediate(() => request.socket.end("!"));
      break;
    case "/bin":
      response.end(big.subarray(0, 5000));
      break;
    case "/early":
      response.end("early");
      break;
    case "/headers":
      response.end(JSON.stringify(request.rawHeaders));
      break;
    default:
      response.setHeader("content-length", 5);
      response.end(request.method === "HEAD" ? undefined : "hello");
  }
}

beforeAll(async () => {
  upstream = await startHttp(app, (socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n");
    socket.on("data", (chunk) => socket.write(chunk));
  });
  const table = routeTable([routeTo(forwardAction("up"))], {}, ["demo", "127.0.0.1"]);
  scene = await startScene(runtimeConfig([listenerConfig(httpConfig(table))], [clusterConfig("up", [upstream.port])]));
});

afterAll(() => {
  scene.stop();
  upstream.stop();
});

const H = "Host: demo\r\n";

describe("one hop", () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  afterAll(() => agent.destroy());

  test("small answers, with what Envoy adds", async () => {
    const answer = await call(scene.port(), "/", { agent });
    expect([answer.status, answer.body.toString(), answer.headers["server"]]).toEqual([200, "hello", "envoy"]);
    expect(answer.headers["x-envoy-upstream-service-time"]).toMatch(/^\d+$/);
    expect(seen.at(-1)?.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(seen.at(-1)?.headers["x-forwarded-proto"]).toBe("http");
  });

  test.each([
    ["/chunked", "abcdefg"],
    ["/close", "bye"],
    ["/eof", "until-close!"],
    ["/204", ""],
  ])("%s", async (path, body) => {
    expect((await call(scene.port(), path, { agent })).body.toString()).toBe(body);
  });

  test("large answers arrive whole", async () => {
    expect((await call(scene.port(), "/big", { agent })).body.equals(big)).toBe(true);
    expect((await call(scene.port(), "/bigchunked", { agent })).body.equals(big)).toBe(true);
    expect((await call(scene.port(), "/bin", { agent })).body.equals(big.subarray(0, 5000))).toBe(true);
  });

  test("large requests arrive whole", async () => {
    const sha = createHash("sha1").update(big).digest("hex");
    expect(
      (await call(scene.port(), "/echo", { agent, method: "POST", body: big, headers: { "content-length": big.length } })).headers["x-sha"],
    ).toBe(sha);
    expect(
      (await call(scene.port(), "/echo", { agent, method: "POST", body: big, headers: { "transfer-encoding": "chunked" } })).headers[
        "x-sha"
      ],
    ).toBe(sha);
    expect((await call(scene.port(), "/echo", { agent, method: "POST", body: "tiny" })).body.toString()).toBe("4");
  });

  test("HEAD has the length and no body", async () => {
    const answer = await call(scene.port(), "/", { agent, method: "HEAD" });
    expect([answer.status, answer.headers["content-length"], answer.body.length]).toEqual([200, "5", 0]);
  });

  test("connections to the upstream are used again", async () => {
    const before = scene.plane.clusters()[0]?.hosts[0]?.stats.cxTotal ?? 0;
    for (let i = 0; i < 50; i++) await call(scene.port(), "/", { agent });
    expect((scene.plane.clusters()[0]?.hosts[0]?.stats.cxTotal ?? 0) - before).toBeLessThanOrEqual(1);
  });

  test("40 at once", async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => call(scene.port(), i % 2 === 0 ? "/bin" : "/")));
    expect(answers.map((a) => a.body.length)).toEqual(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 5000 : 5)));
  });
});

describe("answers of the proxy's own", () => {
  test("no virtual host", async () => {
    const answer = await call(scene.port(), "/", { headers: { host: "nobody" } });
    expect([answer.status, answer.body.toString(), answer.headers["content-length"]]).toEqual([404, "", "0"]);
  });

  test("a cut upstream", async () => {
    const answer = await call(scene.port(), "/die");
    expect([answer.status, answer.body.toString()]).toEqual([
      503,
      "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
    ]);
  });

  test("gRPC callers get 200 with a grpc-status", async () => {
    const answer = await call(scene.port(), "/", { method: "POST", headers: { host: "nobody", "content-type": "application/grpc" } });
    expect([answer.status, answer.headers["grpc-status"], answer.headers["content-type"]]).toEqual([200, "12", "application/grpc"]);
  });
});

describe("raw callers", () => {
  const count = (text: string) => (text.match(/HTTP\/1\.1 200/g) ?? []).length;

  test("pipelined requests are answered in order", async () => {
    const got = await raw(
      scene.port(),
      `GET / HTTP/1.1\r\n${H}\r\nGET /chunked HTTP/1.1\r\n${H}\r\nGET / HTTP/1.1\r\n${H}Connection: close\r\n\r\n`,
    );
    expect(count(got)).toBe(3);
    expect(got).toMatch(/hello[^]*abc[^]*defg[^]*hello/);
    expect(got.toLowerCase().match(/connection: close/g)?.length).toBe(1);
  });

  test("a chunked request in pieces, and one more behind it", async () => {
    const got = await raw(scene.port(), [
      "POST /ec",
      `ho HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n3`,
      "\r\nab",
      "c\r\n0\r",
      `\n\r\nGET / HTTP/1.1\r\n${H}Connection: close\r\n\r\n`,
    ]);
    expect(got).toMatch(/x-sha[^]*hello/);
  });

  test("WebSocket", async () => {
    const got = await raw(scene.port(), [`GET /ws HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, "ping"], {
      enough: (t) => t.includes("ping"),
    });
    expect(got).toMatch(/^HTTP\/1\.1 101 [^]*upgrade: websocket[^]*\r\n\r\nping$/i);
  });

  test("other upgrades are refused, h2c is not heard", async () => {
    // Without a tunnel nothing else can come behind it.
    expect(await raw(scene.port(), `GET / HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: irc\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 403[^]*connection: close\r\n\r\n$/,
    );
    expect(await raw(scene.port(), `GET / HTTP/1.1\r\n${H}Connection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 200[^]*hello/,
    );
  });

  test("an answer before the request is whole ends the connection", async () => {
    const got = await raw(scene.port(), `POST /early HTTP/1.1\r\n${H}Content-Length: 100\r\n\r\nabc`);
    expect(got).toMatch(/^HTTP\/1\.1 200[^]*connection: close[^]*early$/);
  });

  test("a caller that leaves takes its upstream request along", async () => {
    const active = () => scene.plane.clusters()[0]?.usage.requests;
    const socket = net.connect(scene.port(), "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(`POST /echo HTTP/1.1\r\n${H}Content-Length: 100\r\n\r\nabc`);
    await until("the request runs", () => active() === 1);
    socket.destroy();
    await until("it is gone", () => active() === 0);
    expect(scene.plane.clusters()[0]?.usage.pending).toBe(0);
  });

  test("a slow reader gets everything", async () => {
    const socket = net.connect(scene.port(), "127.0.0.1");
    let length = 0;
    socket.write(`GET /big HTTP/1.1\r\n${H}Connection: close\r\n\r\n`);
    socket.on("data", (chunk) => {
      length += chunk.length;
      socket.pause();
      setImmediate(() => socket.resume());
    });
    await new Promise((done) => void socket.on("close", done));
    expect(length).toBeGreaterThan(big.length);
    expect(length).toBeLessThan(big.length + 500);
  });

  test("pooled connections that the upstream closed meanwhile do not fail requests", async () => {
    await call(scene.port(), "/");
    for (const socket of upstream.sockets) socket.destroy();
    await until("they are gone", () => scene.plane.clusters()[0]?.usage.connections === 0);
    expect((await call(scene.port(), "/")).status).toBe(200);
  });
});

test("nothing leaks: all gauges go back to zero", async () => {
  await until("idle", () =>
    [...scene.stats.gauges()].filter((g) => /rq_active|pending_active/.test(g.name)).every((g) => g.metric.value === 0),
  );
  expect(scene.plane.clusters()[0]?.usage).toMatchObject({ pending: 0, requests: 0, retries: 0 });
});
