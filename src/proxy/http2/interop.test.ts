// Against Node's own HTTP/2 (nghttp2), both ways, over loopback.
import { createHash } from "node:crypto";
import http2 from "node:http2";
import net from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../kit/index.ts";
import { adopt, dial } from "../network/conn.ts";
import { createTimerWheel } from "../network/timer-wheel.ts";
import { fields, Recorder } from "../testing/http2-peer.ts";
import { until } from "../testing/scene.ts";
import { Http2Header } from "./header.ts";
import { createHttp2Stats } from "./http2-stats.ts";
import { http2Limits } from "./limits.ts";
import { createHttp2Session } from "./session.ts";
import type { Http2Session, Http2Stream, ReceivedBlock, SessionHandler, SessionOptions } from "./stream.ts";

const wheel = createTimerWheel(systemClock);
const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const fn of cleanUp.splice(0)) fn();
});

function options(role: "server" | "client", handler: Partial<SessionHandler>): SessionOptions {
  return {
    role,
    limits: http2Limits({ allowConnect: true }),
    stats: createHttp2Stats(
      () => ({ value: 0 }),
      () => ({ value: 0 }),
    ),
    clock: systemClock,
    wheel,
    handler: {
      onRequest() {},
      onOversizedRequest: (stream) => void stream.sendHeaders([new Http2Header(":status", "431")], true),
      onMalformedRequest() {},
      onStreamClosed() {},
      onSettings() {},
      onGoAway() {},
      onClosed() {},
      ...handler,
    },
  };
}

async function listen(server: net.Server | http2.Http2Server): Promise<number> {
  await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
  cleanUp.push(() => void server.close());
  return (server.address() as net.AddressInfo).port;
}

/** Answers as it is asked: /echo sends back what came, /bytes?N so many bytes, with back-pressure. */
function answer(stream: Http2Stream, block: ReceivedBlock, endStream: boolean): void {
  const [path, count = "0"] = block.path.split("?");
  if (path === "/echo") {
    stream.sendHeaders(
      fields([
        [":status", "200"],
        ["x-method", block.method],
      ]),
      endStream,
    );
    stream.user = {
      onHeaders() {},
      onData(data, end) {
        if (!stream.sendData(data, false)) stream.pause();
        if (end) stream.sendTrailers(fields([["x-sum", "done"]]));
      },
      onTrailers: (trailers) => void stream.sendTrailers(trailers.headers),
      onReset() {},
      onWritable: () => stream.resume(),
    };
    return;
  }
  stream.sendHeaders(
    fields([
      [":status", "200"],
      ["content-length", count],
    ]),
    false,
  );
  let left = Number(count);
  const chunk = Buffer.alloc(50_000, "b");
  const more = (): void => {
    while (left > 0) {
      const take = Math.min(left, chunk.length);
      left -= take;
      if (!stream.sendData(chunk.subarray(0, take), left === 0)) return;
    }
  };
  stream.user = { onHeaders() {}, onData() {}, onTrailers() {}, onReset() {}, onWritable: more };
  more();
}

async function startServer(
  handler: Partial<SessionHandler> = {},
): Promise<{ client: http2.ClientHttp2Session; sessions: Http2Session[]; sockets: net.Socket[] }> {
  const sessions: Http2Session[] = [];
  const sockets: net.Socket[] = [];
  const port = await listen(
    net.createServer({ noDelay: true, allowHalfOpen: true }, (sock) => {
      const session = createHttp2Session(options("server", { onRequest: answer, ...handler }));
      sessions.push(session);
      sockets.push(sock);
      session.start(adopt(sock, session));
    }),
  );
  const client = http2.connect(`http://127.0.0.1:${port}`);
  client.on("error", () => {});
  cleanUp.push(() => client.destroy());
  await new Promise((done) => void client.once("remoteSettings", done));
  return { client, sessions, sockets };
}

interface Answer {
  readonly headers: http2.IncomingHttpHeaders;
  readonly trailers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly code: number;
}

function request(client: http2.ClientHttp2Session, headers: http2.OutgoingHttpHeaders, body?: Buffer): Promise<Answer> {
  return new Promise((done) => {
    const stream = client.request(headers, { endStream: body === undefined });
    let head: http2.IncomingHttpHeaders = {};
    let trailers: http2.IncomingHttpHeaders = {};
    const parts: Buffer[] = [];
    stream.on("response", (got) => (head = got));
    stream.on("trailers", (got: http2.IncomingHttpHeaders) => (trailers = got));
    stream.on("data", (part: Buffer) => void parts.push(part));
    stream.on("error", () => {});
    stream.on("close", () => done({ headers: head, trailers, body: Buffer.concat(parts), code: stream.rstCode }));
    if (body !== undefined) stream.end(body);
  });
}

function hash(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

const BODY = Buffer.from(Array.from({ length: 600_000 }, (_, i) => String.fromCharCode(97 + ((i * 7) % 26))).join(""));

describe("node:http2 as the client", () => {
  test("bodies both ways, larger than any window", async () => {
    const { client } = await startServer();
    const got = await request(client, { ":path": "/echo", ":method": "POST", "x-large": "v".repeat(20_000) }, BODY);
    expect([got.headers[":status"], got.headers["x-method"], got.trailers["x-sum"], hash(got.body)]).toEqual([
      200,
      "POST",
      "done",
      hash(BODY),
    ]);
    const large = await request(client, { ":path": "/bytes?5000000" });
    expect(large.body.length).toBe(5_000_000);
  });

  test("many requests at once, on one connection", async () => {
    const { client, sessions } = await startServer();
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        request(client, { ":path": "/echo", ":method": "PUT", "x-nr": `${i}` }, Buffer.from(`body ${i}`.repeat(i))),
      ),
    );
    answers.forEach((got, i) => expect(got.body.toString()).toBe(`body ${i}`.repeat(i)));
    await until("all streams are over", () => sessions[0]?.activeStreams === 0);
    expect(sessions[0]?.closed).toBe(false);
  });

  test("what it cancels is over here too", async () => {
    const { client, sessions } = await startServer();
    const stream = client.request({ ":path": "/echo", ":method": "POST" }, { endStream: false });
    stream.on("error", () => {});
    await new Promise((done) => void stream.once("response", done));
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await until("the stream is over", () => sessions[0]?.activeStreams === 0);
  });

  test("an answer before the request's end is an answer", async () => {
    const { client } = await startServer({
      onRequest: (stream) =>
        void stream.sendHeaders(
          fields([
            [":status", "404"],
            ["x-a", "1"],
          ]),
          true,
        ),
    });
    const got = await request(client, { ":path": "/", ":method": "POST" }, BODY);
    expect([got.headers[":status"], got.code]).toEqual([404, 0]);
    expect((await request(client, { ":path": "/again" })).headers[":status"]).toBe(404);
  });

  test("a head over the limits gets 431", async () => {
    const { client } = await startServer();
    const headers: http2.OutgoingHttpHeaders = { ":path": "/echo" };
    for (let i = 0; i < 150; i++) headers[`x-${i}`] = "1";
    expect((await request(client, headers)).headers[":status"]).toBe(431);
    expect((await request(client, { ":path": "/bytes?3" })).body.length).toBe(3);
  });

  test("draining lets requests finish and then closes", async () => {
    const { client, sessions } = await startServer();
    const stream = client.request({ ":path": "/echo", ":method": "POST" }, { endStream: false });
    await new Promise((done) => void stream.once("response", done));
    sessions[0]?.drain();
    const gone = new Promise((done) => void client.once("close", done));
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => void parts.push(part));
    stream.end("last words");
    await gone;
    expect(Buffer.concat(parts).toString()).toBe("last words");
    await until("the session is closed", () => sessions[0]?.closed === true);
  });

  test("a WebSocket's CONNECT", async () => {
    const { client } = await startServer();
    const stream = client.request(
      { ":method": "CONNECT", ":protocol": "websocket", ":path": "/echo", ":scheme": "http", ":authority": "a" },
      { endStream: false },
    );
    stream.on("error", () => {});
    await new Promise((done) => void stream.once("response", done));
    stream.write("ping");
    const echoed = await new Promise((done) => void stream.once("data", (part: Buffer) => done(part.toString())));
    expect(echoed).toBe("ping");
    stream.close();
  });
});

describe("node:http2 as the server", () => {
  async function startClient(
    onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
    settings: http2.Settings = {},
  ): Promise<{ session: Http2Session; server: http2.Http2Server; ends: string[] }> {
    const server = http2.createServer({ settings });
    server.on("stream", (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
      stream.on("error", () => {});
      onStream(stream, headers);
    });
    const port = await listen(server);
    const ends: string[] = [];
    const session = createHttp2Session(options("client", { onClosed: (end) => void ends.push(end) }));
    const conn = dial(
      {
        target: { address: "127.0.0.1", port, alternatives: undefined },
        localAddress: undefined,
        keepalive: undefined,
        transport: undefined,
        onConnect: () => session.start(conn),
      },
      session,
    );
    cleanUp.push(() => conn.destroy());
    await until("settings came", () => session.settled);
    return { session, server, ends };
  }

  const head = (method: string, path: string): Http2Header[] =>
    fields([
      [":method", method],
      [":scheme", "http"],
      [":authority", "a"],
      [":path", path],
    ]);

  test("bodies both ways, larger than any window", async () => {
    const { session } = await startClient((stream, headers) => {
      stream.respond({ ":status": 200, "x-path": headers[":path"] ?? "" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.pipe(stream);
    });
    const user = new Recorder();
    const stream = session.open(head("POST", "/up"), false, user) as Http2Stream;
    stream.sendData(BODY, false);
    stream.sendTrailers(fields([["x-end", "1"]]));
    await until("all came back", () => user.ended);
    expect(hash(Buffer.from(user.data, "latin1"))).toBe(hash(BODY));
    expect([user.blocks[0]?.status, user.blocks[0]?.headers.find((header) => header.name === "x-path")?.value]).toEqual([200, "/up"]);
    expect(user.trailers?.headers[0]?.value).toBe("0");
    await until("the stream is over", () => stream.closed);
  });

  test("a paused reader stops the server", async () => {
    let sent = 0;
    const { session } = await startClient((stream, headers) => {
      stream.respond({ ":status": 200 });
      if (headers[":path"] === "/small") {
        stream.end("small");
        return;
      }
      const chunk = Buffer.alloc(65_536, "x");
      const more = (): void => {
        sent += chunk.length;
        if (sent >= 20_000_000) stream.end(chunk);
        else if (stream.write(chunk)) setImmediate(more);
        else stream.once("drain", more);
      };
      more();
    });
    const user = new Recorder();
    const stream = session.open(head("GET", "/large"), true, user) as Http2Stream;
    stream.pause();
    // Round trips of other streams show that it had its chance.
    for (let i = 0; i < 100; i++) {
      const other = new Recorder();
      session.open(head("GET", "/small"), true, other);
      await until("it came", () => other.ended);
      expect(other.data).toBe("small");
    }
    expect([user.events, sent < 1_000_000]).toEqual([["headers 200"], true]);
    stream.resume();
    await until("it goes on", () => user.ended);
    expect(user.data.length).toBeGreaterThan(19_900_000);
  });

  test("103, HEAD, 204", async () => {
    const { session } = await startClient((stream, headers) => {
      if (headers[":method"] === "HEAD") stream.respond({ ":status": 200, "content-length": 10 }, { endStream: true });
      else if (headers[":path"] === "/204") stream.respond({ ":status": 204 }, { endStream: true });
      else {
        stream.additionalHeaders({ ":status": 103, link: "x" });
        stream.respond({ ":status": 200 });
        stream.end("ok");
      }
    });
    const users = [head("GET", "/"), head("HEAD", "/"), head("GET", "/204")].map((block) => {
      const user = new Recorder();
      session.open(block, true, user);
      return user;
    });
    await until("all are over", () => users.every((user) => user.ended));
    expect(users.map((user) => [user.data, user.blocks.map((block) => block.status)])).toEqual([
      ["ok", [103, 200]],
      ["", [200]],
      ["", [204]],
    ]);
  });

  test("it goes away: the session ends when its streams are over", async () => {
    const { session, server, ends } = await startClient((stream) => {
      stream.session?.close();
      stream.respond({ ":status": 200 });
      stream.end("bye");
    });
    const user = new Recorder();
    session.open(head("GET", "/"), true, user);
    await until("the session is over", () => session.closed);
    expect([user.data, user.ended, ends, session.goingAway]).toEqual(["bye", true, ["peer"], true]);
    server.close();
  });
});
