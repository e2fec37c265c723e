import http from "node:http";
import net from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { FilterChain, Listener, RuntimeConfig } from "../config/index.ts";
import {
  clusterConfig,
  endpointConfig,
  forwardAction,
  httpConfig,
  listenerConfig,
  NO_INSPECTORS,
  routeTable,
  routeTo,
  runtimeConfig,
  tcpConfig,
} from "../testing/config.ts";
import { call, raw, type Scene, startHttp, startScene, startTcp, until } from "../testing/scene.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

async function scene(config: RuntimeConfig): Promise<Scene> {
  const made = await startScene(config);
  started.push(made);
  return made;
}

async function named(name: string): Promise<number> {
  const up = await startHttp((_, response) => void response.end(name));
  started.push(up);
  return up.port;
}

const to = (cluster: string) => routeTable([routeTo(forwardAction(cluster))]);

describe("config changes", () => {
  test("an open connection takes the new filter chain with its next request", async () => {
    const clusters = [clusterConfig("a", [await named("a")]), clusterConfig("b", [await named("b")])];
    const running = await scene(runtimeConfig([listenerConfig(httpConfig(to("a")))], clusters));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const port = running.port();
    expect((await call(port, "/", { agent })).body.toString()).toBe("a");
    running.publish(runtimeConfig([listenerConfig(httpConfig(to("b")))], clusters));
    const answer = await call(port, "/", { agent });
    expect([answer.body.toString(), answer.headers.connection]).toEqual(["b", undefined]);
    expect(running.port()).toBe(port);
    expect(running.plane.listeners()[0]?.connections).toBe(1);
    agent.destroy();
  });

  test("a request under way keeps its cluster when that goes; the next one has none", async () => {
    let answer: http.ServerResponse | undefined;
    const up = await startHttp((_, response) => void (answer = response));
    started.push(up);
    const listener = listenerConfig(httpConfig(to("a")));
    const running = await scene(runtimeConfig([listener], [clusterConfig("a", [up.port])]));
    const first = call(running.port(), "/");
    await until("the upstream has it", () => answer !== undefined);
    running.publish(runtimeConfig([listener], []));
    answer?.end("late");
    expect((await first).body.toString()).toBe("late");
    expect((await call(running.port(), "/")).status).toBe(503);
  });

  test("surviving hosts keep their connections", async () => {
    const port = await named("a");
    const listener = listenerConfig(httpConfig(to("a")));
    const eds = clusterConfig("a", [], { type: "EDS", endpoints: undefined });
    const config = (ports: readonly number[]): RuntimeConfig => ({
      ...runtimeConfig([listener], [eds]),
      endpoints: new Map([["a", { clusterName: "a", overprovisioningFactor: 140, endpoints: ports.map((p) => endpointConfig(p)) }]]),
    });
    const running = await scene(config([port]));
    await call(running.port(), "/");
    running.publish(config([port, await named("b")]));
    await call(running.port(), "/");
    await call(running.port(), "/");
    expect(running.plane.clusters()[0]?.hosts.map((h) => h.stats.cxTotal)).toEqual([1, 1]);
    running.publish(config([port]));
    await until("the other's connection is closed", () => running.plane.clusters()[0]?.usage.connections === 1);
  });

  test("a removed listener answers what it has, and closes", async () => {
    let answer: http.ServerResponse | undefined;
    const up = await startHttp((_, response) => void (answer = response));
    started.push(up);
    const clusters = [clusterConfig("a", [up.port])];
    const running = await scene(runtimeConfig([listenerConfig(httpConfig(to("a")))], clusters));
    const port = running.port();
    const agent = new http.Agent({ keepAlive: true });
    const first = call(port, "/", { agent });
    await until("the upstream has it", () => answer !== undefined);
    running.publish(runtimeConfig([], clusters));
    answer?.end("late");
    expect((await first).headers.connection).toBe("close");
    await expect(call(port, "/")).rejects.toThrow("ECONNREFUSED");
    agent.destroy();
  });

  test("200 weight changes under load lose nothing", async () => {
    const clusters = [clusterConfig("a", [await named("a")]), clusterConfig("b", [await named("b")])];
    const table = (name: string) => ({ ...to(name), name: "r" });
    const listener = listenerConfig({ ...httpConfig(to("a")), routes: { kind: "rds", name: "r" } });
    const config = (name: string) => runtimeConfig([listener], clusters, [table(name)]);
    const running = await scene(config("a"));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    let going = true;
    const statuses = new Map<number, number>();
    const callers = Array.from({ length: 8 }, async () => {
      while (going) {
        const { status } = await call(running.port(), "/", { agent });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    for (let i = 0; i < 200; i++) {
      running.publish(config(i % 2 === 0 ? "b" : "a"));
      await new Promise((done) => void setImmediate(done));
    }
    await until("requests ran", () => (statuses.get(200) ?? 0) > 200);
    going = false;
    await Promise.all(callers);
    agent.destroy();
    expect([...statuses.keys()]).toEqual([200]);
  });
});

describe("drain", () => {
  test("answers what runs, then ends", async () => {
    let answer: http.ServerResponse | undefined;
    const up = await startHttp((_, response) => void (answer = response));
    started.push(up);
    const running = await scene(runtimeConfig([listenerConfig(httpConfig(to("a")))], [clusterConfig("a", [up.port])]));
    const port = running.port();
    const first = call(port, "/", { agent: new http.Agent({ keepAlive: true }) });
    await until("the upstream has it", () => answer !== undefined);
    const idle = net.connect(port, "127.0.0.1");
    const idleClosed = new Promise((done) => void idle.on("close", done));
    idle.resume();
    await until("it is accepted", () => running.plane.listeners()[0]?.connections === 2);
    const drained = running.plane.drain({ limitMs: 4000, idleMs: 50 });
    await expect(call(port, "/")).rejects.toThrow("ECONNREFUSED");
    answer?.end("last");
    expect((await first).headers.connection).toBe("close");
    await idleClosed;
    await drained;
  });
});

describe("TCP", () => {
  test("bytes both ways, and half-close", async () => {
    const up = await startTcp((socket) => {
      let text = "";
      socket.write("hello\n");
      socket.on("data", (chunk) => (text += chunk.toString()));
      socket.on("end", () => socket.end(text.toUpperCase()));
    });
    started.push(up);
    const running = await scene(runtimeConfig([listenerConfig(tcpConfig([{ name: "t", weight: 1 }]))], [clusterConfig("t", [up.port])]));
    const got = await new Promise<string>((done) => {
      const socket = net.connect({ port: running.port(), host: "127.0.0.1", allowHalfOpen: true });
      let text = "";
      socket.on("data", (chunk) => (text += chunk.toString()));
      socket.on("end", () => done(text));
      socket.end("abc");
    });
    expect(got).toBe("hello\nABC");
    await until("all is closed", () => running.plane.clusters()[0]?.usage.connections === 0);
  });

  test("large streams arrive whole", async () => {
    const data = Buffer.alloc(5_000_000, "0123456789");
    const up = await startTcp((socket) => void socket.on("data", (chunk) => socket.write(chunk)).on("end", () => socket.end()));
    started.push(up);
    const running = await scene(runtimeConfig([listenerConfig(tcpConfig([{ name: "t", weight: 1 }]))], [clusterConfig("t", [up.port])]));
    const got = await new Promise<Buffer>((done) => {
      const socket = net.connect({ port: running.port(), host: "127.0.0.1", allowHalfOpen: true });
      const parts: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => parts.push(chunk));
      socket.on("end", () => done(Buffer.concat(parts)));
      socket.end(data);
    });
    expect(got.equals(data)).toBe(true);
  });

  test("nobody there: closed", async () => {
    const dead = await startTcp(() => undefined);
    dead.stop();
    const running = await scene(runtimeConfig([listenerConfig(tcpConfig([{ name: "t", weight: 1 }]))], [clusterConfig("t", [dead.port])]));
    expect(await raw(running.port(), "x")).toBe("");
  });
});

describe("filter chains by what is spoken", () => {
  function sniffing(http: FilterChain["network"], tcp: FilterChain["network"], over: Partial<Listener["inspectors"]> = {}): Listener {
    const base = listenerConfig(http);
    const chain = base.filterChains[0] as FilterChain;
    return {
      ...base,
      filterChains: [
        { ...chain, name: "http", match: { ...chain.match, applicationProtocols: ["http/1.1", "http/1.0", "h2c"] } },
        { ...chain, name: "tcp", network: tcp },
      ],
      inspectors: { ...NO_INSPECTORS, http: true, tls: true, timeoutMs: 40, ...over },
    };
  }

  async function sniffed(over: Partial<Listener["inspectors"]> = {}): Promise<Scene> {
    const up = await startTcp((socket) => {
      socket.write("tcp\n");
      socket.on("data", () => undefined);
    });
    started.push(up);
    const clusters = [clusterConfig("a", [await named("http")]), clusterConfig("t", [up.port])];
    return scene(runtimeConfig([sniffing(httpConfig(to("a")), tcpConfig([{ name: "t", weight: 1 }]), over)], clusters));
  }

  test("HTTP in pieces", async () => {
    const running = await sniffed({ timeoutMs: 30_000 });
    expect(await raw(running.port(), ["GE", "T / HT", "TP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"])).toMatch(/ 200 [^]*http$/);
  });

  test("anything else, and silence", async () => {
    const running = await sniffed();
    expect(await raw(running.port(), "\x01\x02", { enough: (t) => t.includes("\n") })).toBe("tcp\n");
    expect(await raw(running.port(), [], { enough: (t) => t.includes("\n") })).toBe("tcp\n");
  });

  test("where the inspectors are disabled nobody waits for the caller's bytes", async () => {
    const everywhere = { kind: "not", rule: { kind: "range", start: 0, end: 1 } } as const;
    const running = await sniffed({ skipsHttp: everywhere, skipsTls: everywhere, timeoutMs: 0 });
    expect(await raw(running.port(), [], { enough: (t) => t.includes("\n") })).toBe("tcp\n");
  });
});

test("an address in use is reported, not thrown", async () => {
  const up = await startTcp(() => undefined);
  started.push(up);
  const running = await scene(runtimeConfig([listenerConfig(tcpConfig([]), { address: { host: "127.0.0.1", port: up.port } })], []));
  expect(running.plane.listeners()[0]).toMatchObject({ state: "failed", error: "EADDRINUSE" });
});
