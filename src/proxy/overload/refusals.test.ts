// What is refused and how: our proxy and real Envoy on one bootstrap whose memory limit is passed from the start.
import http2 from "node:http2";
import { afterEach, describe, expect, test } from "vitest";
import { decodeBootstrap } from "../bootstrap/bootstrap.ts";
import { startProxy } from "../start-proxy.ts";
import { http2Caller } from "../testing/http2.ts";
import { envoyIsMissing, startRealEnvoy } from "../testing/real-envoy.ts";
import { raw, until } from "../testing/scene.ts";

const EXT = "type.googleapis.com/envoy.extensions";
const socket = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
const monitor = (name: string, typed_config: unknown) => ({ name: `envoy.resource_monitors.${name}`, typed_config });
const HEAP = monitor("fixed_heap", { "@type": `${EXT}.resource_monitors.fixed_heap.v3.FixedHeapConfig`, max_heap_size_bytes: 1000 });
const THREE = monitor("global_downstream_max_connections", {
  "@type": `${EXT}.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig`,
  max_active_downstream_connections: 3,
});
const FULL = [{ name: HEAP.name, threshold: { value: 0.95 } }];
const STOP = { name: "envoy.overload_actions.stop_accepting_requests", triggers: FULL };

function listener(name: string, over: Record<string, unknown> = {}): unknown {
  const manager = {
    "@type": `${EXT}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    route_config: {
      virtual_hosts: [{ name: "v", domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response: { status: 201 } }] }],
    },
    http_filters: [{ name: "router", typed_config: { "@type": `${EXT}.filters.http.router.v3.Router` } }],
  };
  return { name, address: socket(0), filter_chains: [{ filters: [{ name: "h", typed_config: manager }] }], ...over };
}

function bootstrap(overload_manager: unknown): Record<string, unknown> {
  const listeners = [listener("in"), listener("free", { bypass_overload_manager: true, ignore_global_conn_limit: true })];
  return { node: { id: "n", cluster: "c" }, overload_manager, static_resources: { listeners } };
}

interface Running {
  port(name: string): number;
  stat(name: string): Promise<number>;
}

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

const START: Readonly<Record<"serin" | "envoy", (config: Record<string, unknown>) => Promise<Running>>> = {
  async serin(config) {
    const proxy = await startProxy({ bootstrap: decodeBootstrap(config) });
    stops.push(() => proxy.stop());
    await until("live", () => proxy.state() === "LIVE");
    const all = () => [...proxy.stats.gauges(), ...proxy.stats.counters()];
    return {
      port: (name) => proxy.plane.listeners().find((one) => one.name === name)?.port ?? 0,
      stat: (name) => Promise.resolve(all().find(({ fullName }) => fullName === name)?.metric.value ?? -1),
    };
  },
  async envoy(config) {
    const envoy = await startRealEnvoy(config);
    stops.push(() => envoy.stop());
    return {
      port: (name) => envoy.port(name),
      stat: async (name) => Number(/: (\d+)/.exec(await envoy.admin(`stats?filter=^${name.replaceAll(".", "\\.")}$`))?.[1] ?? -1),
    };
  },
};

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
    await new Promise((done) => void setTimeout(done, 20));
  }
}

const missing = envoyIsMissing();

describe.each(["serin", "envoy"] as const)("%s", (plane) => {
  const skip = plane === "envoy" && missing;
  /** Of our own: Envoy does not say when to come again. */
  const again = plane === "serin" ? "1" : undefined;

  async function overloaded(): Promise<Running> {
    const config = bootstrap({ refresh_interval: "0.05s", resource_monitors: [HEAP], actions: [STOP] });
    const running = await START[plane](config);
    await eventually(
      "requests are refused",
      async () => (await running.stat("overload.envoy.overload_actions.stop_accepting_requests.active")) === 1,
    );
    return running;
  }

  test.skipIf(skip)(
    "HTTP/1 requests are refused before anything else is asked of them; their connection goes on where it can",
    async () => {
      const running = await overloaded();
      const ask = (text: string) => raw(running.port("in"), text, { enough: (got) => got.endsWith("envoy overloaded") });
      const headers = (text: string): string[] =>
        text
          .toLowerCase()
          .split("\r\n")
          .filter((line) => !/^(?:date|retry-after):/.test(line))
          .sort();
      const plain = [
        "",
        "content-length: 16",
        "content-type: text/plain",
        "envoy overloaded",
        "http/1.1 503 service unavailable",
        "server: envoy",
      ];
      const get = await ask("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      expect(headers(get)).toEqual(plain);
      expect(/retry-after: (\d+)/.exec(get)?.[1]).toBe(again);
      // No Host would be a 400.
      expect(headers(await ask("GET / HTTP/1.1\r\nx: a\r\n\r\n"))).toEqual(plain);
      const post = await ask("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nab");
      expect(headers(post)).toEqual([...plain, "connection: close"].sort());
      expect(await running.stat("http.in.downstream_rq_overload_close")).toBe(3);
      expect(await running.stat("http.in.downstream_rq_5xx")).toBe(3);
    },
  );

  test.skipIf(skip)("HTTP/2 and gRPC requests are too", async () => {
    const running = await overloaded();
    const { call, stop } = http2Caller(running.port("in"));
    stops.push(stop);
    const plain = await call("/");
    expect([plain.status, plain.body, plain.headers["retry-after"]]).toEqual([503, "envoy overloaded", again]);
    const grpc = await call("/s/m", { headers: { ":method": "POST", "content-type": "application/grpc" }, body: "" });
    expect([grpc.status, grpc.headers["grpc-status"], grpc.headers["grpc-message"], grpc.code]).toEqual([
      200,
      "14",
      "envoy overloaded",
      http2.constants.NGHTTP2_NO_ERROR,
    ]);
  });

  test.skipIf(skip)("a listener that bypasses the overload manager serves on", async () => {
    const running = await overloaded();
    expect(await raw(running.port("free"), "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).toContain("HTTP/1.1 201");
  });

  test.skipIf(skip)("connections beyond the limit are closed, and make room when they go", async () => {
    const running = await START[plane](bootstrap({ resource_monitors: [THREE], actions: [] }));
    const waits = Array.from({ length: 3 }, () => raw(running.port("in"), "GET / HTTP/1.1\r\n", { ms: 600 }));
    await eventually("three are open", async () => (await running.stat("http.in.downstream_cx_active")) === 3);
    expect(await raw(running.port("in"), "GET / HTTP/1.1\r\nhost: a\r\n\r\n")).toBe("");
    expect(await running.stat("listener.127.0.0.1_0.downstream_global_cx_overflow")).toBe(1);
    expect(await raw(running.port("free"), "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).toContain("HTTP/1.1 201");
    await Promise.all(waits);
    await eventually("they are gone", async () => (await running.stat("http.in.downstream_cx_active")) === 0);
    expect(await raw(running.port("in"), "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).toContain("HTTP/1.1 201");
  });
});
