import http from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { decodeBootstrap } from "./bootstrap/bootstrap.ts";
import { type Proxy, startProxy } from "./start-proxy.ts";
import { call, until } from "./testing/scene.ts";

const TYPE = "type.googleapis.com/envoy.extensions";
const socket = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
const running: Proxy[] = [];
afterEach(() => running.splice(0).forEach((proxy) => proxy.stop()));

function bootstrap(): Record<string, unknown> {
  const manager = {
    "@type": `${TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "t",
    route_config: {
      virtual_hosts: [{ name: "v", domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response: { status: 201 } }] }],
    },
    http_filters: [{ name: "router", typed_config: { "@type": `${TYPE}.filters.http.router.v3.Router` } }],
  };
  return {
    node: { id: "n" },
    admin: { address: socket(0) },
    static_resources: {
      listeners: [{ name: "in", address: socket(0), filter_chains: [{ filters: [{ name: "h", typed_config: manager }] }] }],
    },
  };
}

async function start(): Promise<Proxy> {
  const proxy = await startProxy({ bootstrap: decodeBootstrap(bootstrap()) });
  running.push(proxy);
  await until("live", () => proxy.state() === "LIVE");
  return proxy;
}

function ask(port: number, path: string, options: http.RequestOptions = {}): Promise<{ status: number; body: string }> {
  return new Promise((done, fail) => {
    const request = http.request({ host: "127.0.0.1", port, path, ...options }, (response) => {
      let body = "";
      response.on("data", (part: Buffer) => (body += part.toString()));
      response.on("end", () => done({ status: response.statusCode ?? 0, body }));
    });
    request.on("error", fail);
    request.end();
  });
}

test("a bootstrap file becomes a proxy that answers, and tells about it", async () => {
  const proxy = await start();
  const port = proxy.plane.listeners()[0]?.port ?? 0;
  expect((await call(port, "/")).status).toBe(201);
  const admin = proxy.adminPort ?? 0;
  expect(await ask(admin, "/ready")).toEqual({ status: 200, body: "LIVE\n" });
  expect((await ask(admin, "/stats?filter=http.t.downstream_rq_2xx")).body).toBe("http.t.downstream_rq_2xx: 1\n");
  expect((await ask(admin, "/listeners")).body).toBe(`in::127.0.0.1:${port}\n`);
  expect((await ask(admin, "/stats/prometheus?filter=downstream_rq_2xx")).body).toContain('{envoy_http_conn_manager_prefix="t"} 1');
});

describe("the admin endpoint", () => {
  test("takes its own address as Host only, changes by POST only, and no unknown parameter", async () => {
    const admin = (await start()).adminPort ?? 0;
    expect((await ask(admin, "/ready", { headers: { host: "evil.example.com" } })).status).toBe(403);
    expect((await ask(admin, "/drain", { method: "POST", headers: { origin: "http://evil.example.com" } })).status).toBe(403);
    expect((await ask(admin, "/drain")).status).toBe(405);
    expect((await ask(admin, "/stats?fliter=x")).status).toBe(400);
    expect((await ask(admin, "/stats?filter=(")).status).toBe(400);
    expect((await ask(admin, "/nothing")).status).toBe(404);
    expect((await ask(admin, "/ready")).status).toBe(200);
  });

  test("drains on request", async () => {
    const proxy = await start();
    expect((await ask(proxy.adminPort ?? 0, "/drain", { method: "POST" })).status).toBe(200);
    expect(await ask(proxy.adminPort ?? 0, "/ready")).toEqual({ status: 503, body: "DRAINING\n" });
  });
});

describe("decodeBootstrap", () => {
  test.each([
    [{ admin: { address: { socket_address: { address: "0.0.0.0", port_value: 1 } } } }, "admin.address: 0.0.0.0 is not a loopback address"],
    [{ overload_manager: { buffer_factory_config: {} } }, "overload_manager.buffer_factory_config: is not supported"],
    [
      { overload_manager: { actions: [{ name: "envoy.overload_actions.reduce_timeouts" }] } },
      "overload_manager.actions[0].name: envoy.overload_actions.reduce_timeouts is not supported",
    ],
    [
      {
        overload_manager: {
          loadshed_points: [
            {
              name: "envoy.load_shed_points.tcp_listener_accept",
              triggers: [{ name: "envoy.resource_monitors.fixed_heap", threshold: { value: 0.9 } }],
            },
          ],
        },
      },
      "overload_manager.loadshed_points[0].triggers[0].name: envoy.resource_monitors.fixed_heap is no resource monitor here",
    ],
    [
      { overload_manager: { resource_monitors: [{ name: "envoy.resource_monitors.fixed_heap" }] } },
      "overload_manager.resource_monitors[0].typed_config: is missing",
    ],
    [{ nodee: {} }, "nodee: envoy.config.bootstrap.v3.Bootstrap has no such field"],
    [{ dynamic_resources: { lds_config: { path: "/x" } } }, "dynamic_resources.lds_config.path: is not supported"],
    [{ dynamic_resources: { lds_config: { ads: {} } } }, "dynamic_resources.ads_config: is missing"],
  ])("refuses %j by name", (part, message) => {
    expect(() => decodeBootstrap({ ...bootstrap(), ...part })).toThrow(message);
  });

  test("warns of runtime keys it does not know, not of those that Istio's agent sets", () => {
    const layers = [
      { name: "a", static_layer: { "re2.max_program_size.error_level": 32768, envoy: { reloadable_features: { x: true } } } },
    ];
    expect(decodeBootstrap({ ...bootstrap(), layered_runtime: { layers } }).warnings).toEqual([
      "runtime key envoy.reloadable_features.x = true has no effect in this proxy",
    ]);
  });
});
