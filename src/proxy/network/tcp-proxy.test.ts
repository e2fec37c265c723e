import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { FilterChain, Listener, TcpProxyConfig, TunnelConfig } from "../config/index.ts";
import { testCa } from "../testing/certs.ts";
import { clusterConfig, listenerConfig, runtimeConfig, tcpConfig } from "../testing/config.ts";
import { raw, type Scene, startScene, startTcp, until } from "../testing/scene.ts";
import { callTls, downstreamTls, upstreamTransport } from "../testing/tls.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

const LOG = {
  path: "p",
  format: { kind: "text" as const, text: "%RESPONSE_FLAGS% %UPSTREAM_TRANSPORT_FAILURE_REASON%" },
  responseFlags: undefined,
};

async function scene(
  over: Partial<TcpProxyConfig>,
  cluster: Parameters<typeof clusterConfig>,
  listener: Partial<Listener> = {},
): Promise<Scene> {
  const base = listenerConfig(tcpConfig([{ name: "up", weight: 1 }], { accessLogs: [LOG], ...over }), listener);
  const made = await startScene(runtimeConfig([base], [clusterConfig(...cluster)]));
  started.push(made);
  return made;
}

/** Sends, half-closes, reads until the end. */
function talk(port: number, text: string): Promise<string> {
  return new Promise((done) => {
    const sock = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    let got = "";
    sock.on("data", (bytes: Buffer) => (got += bytes.toString("latin1")));
    sock.on("error", () => undefined);
    sock.on("close", () => done(got));
    sock.end(text);
  });
}

async function logged(running: Scene): Promise<string> {
  await until("it is logged", () => running.logs.length > 0);
  return running.logs.join("").trim();
}

function listening(server: net.Server | http2.Http2Server): Promise<number> {
  started.push({ stop: () => void server.close() });
  return new Promise((done) => void server.listen(0, "127.0.0.1", () => done((server.address() as net.AddressInfo).port)));
}

const tunnel = (over: Partial<TunnelConfig> = {}): TunnelConfig => ({
  hostname: "far.example.com:443",
  usePost: false,
  postPath: "/",
  headers: {
    add: [
      {
        name: "x-from",
        value: { literal: undefined, format: "%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%" },
        action: "OVERWRITE_IF_EXISTS_OR_ADD",
        keepEmpty: false,
      },
    ],
    remove: [],
  },
  ...over,
});

describe("tunnels", () => {
  async function connectProxy(answer: string): Promise<{ port: number; asked: string[] }> {
    const asked: string[] = [];
    const server = http.createServer();
    server.on("connect", (request: http.IncomingMessage, sock: net.Socket, head: Buffer) => {
      asked.push(`${request.method} ${request.url} ${request.headers.host} ${String(request.headers["x-from"])}`);
      sock.on("error", () => undefined);
      sock.write(answer);
      let text = head.toString("latin1");
      sock.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
      sock.on("end", () => sock.end(text.toUpperCase()));
    });
    return { port: await listening(server), asked };
  }

  test.each(["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nhello "])(
    "by CONNECT over HTTP/1, answered %j",
    async (answer) => {
      const { port, asked } = await connectProxy(answer);
      const running = await scene({ tunnel: tunnel() }, ["up", [port]]);
      expect(await talk(running.port(), "abc")).toBe(`${answer.endsWith("hello ") ? "hello " : ""}ABC`);
      expect(asked).toEqual(["CONNECT far.example.com:443 far.example.com:443 127.0.0.1"]);
      expect(await logged(running)).toBe("- -");
      expect(running.plane.clusters()[0]?.usage).toMatchObject({ connections: 0, pending: 0 });
    },
  );

  test("a refusal is a failed connection, tried as often as the config says", async () => {
    const { port, asked } = await connectProxy("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    const running = await scene({ tunnel: tunnel(), maxConnectAttempts: 3 }, ["up", [port]]);
    expect(await talk(running.port(), "abc")).toBe("");
    expect(asked).toHaveLength(3);
    expect(await logged(running)).toBe("UF,URX tunnel_response:403");
  });

  test("by POST over HTTP/1: chunks both ways", async () => {
    const server = http.createServer((request, response) => {
      let text = `${request.method} ${request.url} `;
      response.write("first ");
      request.on("data", (bytes: Buffer) => (text += bytes.toString("latin1").toUpperCase()));
      request.on("end", () => response.end(text));
    });
    const running = await scene({ tunnel: tunnel({ usePost: true, postPath: "/in" }) }, ["up", [await listening(server)]]);
    expect(await talk(running.port(), "abc")).toBe("first POST /in ABC");
  });

  test.each([false, true])("over HTTP/2, POST: %s: two callers share a connection", async (usePost) => {
    let sessions = 0;
    const server = http2.createServer();
    server.on("session", () => sessions++);
    server.on("stream", (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
      stream.on("error", () => undefined);
      stream.respond({ ":status": 200 });
      let text = `${headers[":method"]} ${headers[":authority"]} ${headers[":path"] ?? "-"} `;
      stream.on("data", (bytes: Buffer) => (text += bytes.toString("latin1").toUpperCase()));
      stream.on("end", () => stream.end(text));
    });
    const running = await scene({ tunnel: tunnel({ usePost }) }, ["up", [await listening(server)], { protocol: "http2" }]);
    const wanted = `${usePost ? "POST" : "CONNECT"} far.example.com:443 ${usePost ? "/" : "-"} ABC`;
    expect([await talk(running.port(), "abc"), await talk(running.port(), "abc")]).toEqual([wanted, wanted]);
    expect(sessions).toBe(1);
  });

  test("a large stream arrives whole, past a slow reader", async () => {
    const server = http.createServer();
    server.on("connect", (_request, sock: net.Socket, head: Buffer) => {
      sock.write("HTTP/1.1 200 OK\r\n\r\n");
      sock.write(head);
      sock.on("error", () => undefined);
      sock.pipe(sock);
    });
    const running = await scene({ tunnel: tunnel() }, ["up", [await listening(server)]]);
    const data = Buffer.alloc(3_000_000, "0123456789abcdef");
    const got = await new Promise<Buffer>((done) => {
      const parts: Buffer[] = [];
      const sock = net.connect({ port: running.port(), host: "127.0.0.1", allowHalfOpen: true });
      sock.on("data", (part: Buffer) => {
        parts.push(part);
        sock.pause();
        setImmediate(() => sock.resume());
      });
      sock.on("end", () => done(Buffer.concat(parts)));
      sock.end(data);
    });
    expect(got.equals(data)).toBe(true);
  });
});

describe("the cluster by server name", () => {
  const sniListener = (chain: Partial<FilterChain>): Listener => {
    const base = listenerConfig(tcpConfig([{ name: "nobody", weight: 1 }], { sniCluster: true }));
    const first = base.filterChains[0] as FilterChain;
    return { ...base, filterChains: [{ ...first, ...chain }], inspectors: { ...base.inspectors, tls: true } };
  };

  test("is the name in the hello, in lower case; without one it is the configured one", async () => {
    const up = await startTcp((sock) => {
      sock.once("data", () => sock.end("hello\n"));
    });
    started.push(up);
    const pair = testCa().issue();
    const listener = sniListener({ tls: downstreamTls([pair]) });
    const running = await startScene(runtimeConfig([listener], [clusterConfig("outbound_.443_._.a.example.com", [up.port])]));
    started.push(running);
    expect((await callTls(running.port(), { servername: "OUTBOUND_.443_._.A.example.com" })).got).toBe("hello\n");
    expect((await callTls(running.port(), { servername: "b.example.com" })).got).toBe("");
    expect((await callTls(running.port(), {})).got).toBe("");
  });
});

describe("a connection that breaks off does so on the other side too", () => {
  test("the upstream's", async () => {
    const up = await startTcp((sock) => void sock.once("data", () => sock.resetAndDestroy()));
    started.push(up);
    const running = await scene({}, ["up", [up.port]]);
    const code = await new Promise((done) => {
      const sock = net.connect(running.port(), "127.0.0.1", () => sock.write("abc"));
      sock.on("error", (error: NodeJS.ErrnoException) => done(error.code));
      sock.on("end", () => done("end"));
      sock.resume();
    });
    expect([code, await logged(running)]).toEqual(["ECONNRESET", "UR -"]);
  });

  test("the caller's", async () => {
    let code: string | undefined;
    const up = await startTcp((sock) => {
      sock.on("data", () => undefined);
      sock.on("end", () => (code = "end"));
      sock.on("error", (error: NodeJS.ErrnoException) => (code = error.code));
    });
    started.push(up);
    const running = await scene({}, ["up", [up.port]]);
    const sock = net.connect(running.port(), "127.0.0.1");
    await until("connected", () => running.plane.clusters()[0]?.hosts[0]?.stats.cxActive === 1 && up.sockets.size === 1);
    sock.resetAndDestroy();
    await until("the upstream hears of it", () => code !== undefined);
    expect([code, await logged(running)]).toEqual(["ECONNRESET", "- -"]);
  });
});

describe("limits", () => {
  test("a connection is cut when it is too old, however busy", async () => {
    const up = await startTcp((sock) => void sock.pipe(sock));
    started.push(up);
    const running = await scene({ maxConnectionDurationMs: 30 }, ["up", [up.port]]);
    expect(await raw(running.port(), "abc")).toBe("abc");
    expect(await logged(running)).toBe("DT -");
  });

  test("why an upstream could not be reached", async () => {
    const dead = await startTcp(() => undefined);
    dead.stop();
    const running = await scene({}, ["up", [dead.port]]);
    expect(await raw(running.port(), "abc")).toBe("");
    expect(await logged(running)).toBe("UF,URX delayed_connect_error:_Connection_refused");
    const plain = await startTcp((sock) => sock.end("no TLS here"));
    started.push(plain);
    const secured = await scene({}, ["up", [plain.port], { transport: upstreamTransport() }]);
    expect(await raw(secured.port(), "abc")).toBe("");
    expect(await logged(secured)).toBe("UF,URX TLS_error:|268435703:SSL_routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end");
  });
});
