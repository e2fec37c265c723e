// How long connections live and how many requests they take, towards callers and upstreams, over HTTP/1 and real sockets. HTTP/2's are in
// http2-path.test.ts. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/protocol.proto (HttpProtocolOptions)
import http from "node:http";
import net from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { clusterConfig, listenerConfig, runtimeConfig, oneRoute, type OneRoute } from "./testing/config.ts";
import { call, counter, raw, type Scene, startHttp, startScene, startTcp, until, type Upstream } from "./testing/scene.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

async function setUp(port: number, setup: OneRoute): Promise<Scene> {
  const scene = await startScene(oneRoute([port], setup));
  started.push(scene);
  return scene;
}

/** Counts the connections it gets; answers when `gate` lets it. */
async function upstream(gate: (answer: () => void) => void = (answer) => answer()): Promise<Upstream & { connections(): number }> {
  let connections = 0;
  const made = await startHttp((_, response) => gate(() => void response.end("ok")));
  made.server.on("connection", () => connections++);
  started.push(made);
  return { ...made, connections: () => connections };
}

const upstreamConnections = ({ plane }: Scene): number => plane.clusters()[0]?.usage.connections ?? -1;

describe("towards an upstream", () => {
  test("maxRequestsPerConnection", async () => {
    const up = await upstream();
    const scene = await setUp(up.port, { cluster: { maxRequestsPerConnection: 2 } });
    for (let i = 0; i < 5; i++) await call(scene.port(), "/");
    expect([up.connections(), counter(scene, "upstream_cx_max_requests")]).toEqual([3, 2]);
  });

  test("maxConnectionDuration ends a connection that idles", async () => {
    const up = await upstream();
    const scene = await setUp(up.port, { cluster: { maxConnectionDurationMs: 30 } });
    await call(scene.port(), "/");
    await until("it is closed", () => upstreamConnections(scene) === 0);
    expect(counter(scene, "upstream_cx_max_duration_reached")).toBe(1);
  });

  test("maxConnectionDuration lets the request under way finish, and nothing follows it", async () => {
    let release: (() => void) | undefined;
    const up = await upstream((answer) => (release = answer));
    const scene = await setUp(up.port, { cluster: { maxConnectionDurationMs: 30 } });
    const first = call(scene.port(), "/");
    await until("it has had its time", () => counter(scene, "upstream_cx_max_duration_reached") === 1 && release !== undefined);
    release?.();
    expect((await first).status).toBe(200);
    await until("it is closed", () => upstreamConnections(scene) === 0);
  });

  test("idleTimeout", async () => {
    const up = await upstream();
    const scene = await setUp(up.port, { cluster: { idleTimeoutMs: 30 } });
    await call(scene.port(), "/");
    await until("it is closed", () => upstreamConnections(scene) === 0);
    expect(counter(scene, "upstream_cx_idle_timeout")).toBe(1);
  });

  test("maxConnections: requests wait for the one there is", async () => {
    const up = await upstream();
    const scene = await setUp(up.port, {
      cluster: { breakers: { maxConnections: 1, maxPendingRequests: 100, maxRequests: 100, maxRetries: 3, retryBudget: undefined } },
    });
    const answers = await Promise.all(Array.from({ length: 5 }, () => call(scene.port(), "/")));
    expect([answers.map(({ status }) => status), up.connections()]).toEqual([[200, 200, 200, 200, 200], 1]);
    expect(counter(scene, "upstream_cx_overflow")).toBeGreaterThan(0);
  });

  test("maxConnections: whoever waits for a host whose connection ends gets another one, also where other hosts use up the limit", async () => {
    const gates: ((close: boolean) => void)[] = [];
    const gated = (): Promise<Upstream> =>
      startHttp((_, response) => void gates.push((close) => void response.writeHead(200, close ? { connection: "close" } : {}).end("ok")));
    const both = [await gated(), await gated()];
    started.push(...both);
    const breakers = { maxConnections: 1, maxPendingRequests: 9, maxRequests: 9, maxRetries: 3, retryBudget: undefined };
    const ports = both.map(({ port }) => port);
    const scene = await startScene(oneRoute(ports, { cluster: { breakers } }));
    started.push(scene);
    const busy = [call(scene.port(), "/"), call(scene.port(), "/")];
    await until("each host has its one connection", () => gates.length === 2);
    const waiting = [call(scene.port(), "/"), call(scene.port(), "/")];
    await until("one request waits for each", () => scene.plane.clusters()[0]?.usage.pending === 2);
    gates[0]?.(true);
    await until("it comes over another connection", () => gates.length === 3);
    for (const release of gates.slice(1)) release(false);
    await until("the last one follows", () => gates.length === 4);
    gates[3]?.(false);
    expect((await Promise.all([...busy, ...waiting])).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  test("TCP: one connection too many is closed without a byte", async () => {
    const up = await startTcp((socket) => void socket.write("hello"));
    started.push(up);
    const tcp = {
      kind: "tcp",
      statPrefix: "t",
      clusters: [{ name: "up", weight: 1 }],
      sniCluster: false,
      tunnel: undefined,
      maxConnectionDurationMs: 0,
      idleTimeoutMs: 0,
      maxConnectAttempts: 1,
      hashSourceIp: false,
      accessLogs: [{ path: "-", format: { kind: "text", text: "%RESPONSE_FLAGS% %UPSTREAM_HOST%\n" }, responseFlags: undefined }],
    } as const;
    const breakers = { maxConnections: 1, maxPendingRequests: 1, maxRequests: 1, maxRetries: 1, retryBudget: undefined };
    const scene = await startScene(runtimeConfig([listenerConfig(tcp)], [clusterConfig("up", [up.port], { breakers })]));
    started.push(scene);
    const first = net.connect(scene.port(), "127.0.0.1");
    started.push({ stop: () => first.destroy() });
    await new Promise((done) => void first.once("data", done));
    expect(await raw(scene.port(), "x")).toBe("");
    await until("it is logged", () => scene.logs.length > 0);
    expect([scene.logs.join(""), counter(scene, "upstream_cx_overflow"), up.sockets.size]).toEqual(["UO -\n", 1, 1]);
  });
});

describe("towards a caller", () => {
  const request = (agent: http.Agent, scene: Scene) => call(scene.port(), "/", { agent });
  function keepAlive(): http.Agent {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    started.push({ stop: () => agent.destroy() });
    return agent;
  }

  test("maxRequestsPerConnection: the last answer says close", async () => {
    const scene = await setUp((await upstream()).port, { manager: { maxRequestsPerConnection: 2 } });
    const agent = keepAlive();
    const said = [];
    for (let i = 0; i < 4; i++) said.push((await request(agent, scene)).headers.connection);
    expect(said).toEqual([undefined, "close", undefined, "close"]);
    expect(counter(scene, "downstream_cx_max_requests_reached")).toBe(2);
  });

  test("maxConnectionDuration: the next answer says close", async () => {
    const scene = await setUp((await upstream()).port, { manager: { maxConnectionDurationMs: 30 } });
    const agent = keepAlive();
    await request(agent, scene);
    await until("it has had its time", () => counter(scene, "downstream_cx_max_duration_reached") === 1);
    expect((await request(agent, scene)).headers.connection).toBe("close");
  });

  test("maxConnectionDuration: without another request it closes when the time to drain is over", async () => {
    const scene = await setUp((await upstream()).port, { manager: { maxConnectionDurationMs: 20, drainTimeoutMs: 20 } });
    expect(await raw(scene.port(), "GET / HTTP/1.1\r\nhost: h\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 [^]*ok$/);
    expect(counter(scene, "downstream_cx_max_duration_reached")).toBe(1);
  });
});
