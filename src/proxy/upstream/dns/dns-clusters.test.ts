// One bootstrap through this proxy and through real Envoy, with a DNS server of the test's own: what STRICT_DNS and LOGICAL_DNS clusters do
// with its answers, and endpoints on Unix sockets.
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import type net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type DnsServer, startDns } from "../../testing/dns-server.ts";
import { listenOnOnePort } from "../../testing/one-port.ts";
import { ask, eventually, type Plane, planes } from "../../testing/planes.ts";

/** What came back: the body of a 200, else the status. */
async function get(port: number, url = "/"): Promise<string> {
  const { status, body } = await ask(port, { path: url });
  return status === 200 ? body : String(status);
}

const HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const TCP = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
const DNS_CLUSTER = "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster";
const CARES = "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig";
const ROUTER = { name: "router", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" } };

let dns: DnsServer;
let port: number;
let socketPath: string;
let folder: string;
let servers: readonly net.Server[] = [];

function app(name: string): http.Server {
  return http.createServer((request, response) => response.end(`${name} ${request.headers.host}`));
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "serin-pipe-"));
  socketPath = path.join(folder, "app.sock");
  const onPort = await listenOnOnePort({ "127.0.0.1": () => app("one"), "127.0.0.2": () => app("two"), "127.0.0.3": () => app("three") });
  port = onPort.port;
  const onSocket = app("socket");
  servers = [...onPort.servers, onSocket];
  await new Promise<void>((done) => void onSocket.listen(socketPath, done));
});

afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

function resolver(): object {
  const servers = [{ socket_address: { protocol: "UDP", address: "127.0.0.1", port_value: dns.port } }];
  return { name: "envoy.network.dns_resolver.cares", typed_config: { "@type": CARES, resolvers: servers } };
}

function assignment(...addresses: readonly (readonly string[])[]): object {
  const socket = (address: string): object => ({ socket_address: { address, port_value: port } });
  const endpoints = addresses.map((group, priority) => ({
    priority,
    lb_endpoints: group.map((address) => ({
      endpoint: { address: address.startsWith("/") ? { pipe: { path: address } } : socket(address) },
    })),
  }));
  return { cluster_name: "c", endpoints };
}

function bootstrap(cluster: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const address = { socket_address: { address: "127.0.0.1", port_value: 0 } };
  const route = { match: { prefix: "/" }, route: { cluster: "c", auto_host_rewrite: true } };
  const manager = {
    "@type": HCM,
    stat_prefix: "in",
    http_filters: [ROUTER],
    route_config: { name: "r", virtual_hosts: [{ name: "all", domains: ["*"], routes: [route] }] },
  };
  const listener = (name: string, config: object): object => ({
    name,
    address,
    filter_chains: [{ filters: [{ name, typed_config: config }] }],
  });
  return {
    node: { id: "n", cluster: "n" },
    static_resources: {
      clusters: [{ name: "c", connect_timeout: "1s", dns_lookup_family: "V4_ONLY", dns_refresh_rate: "0.1s", ...cluster }],
      listeners: [listener("http", manager), listener("tcp", { "@type": TCP, stat_prefix: "t", cluster: "c" })],
    },
  };
}

beforeEach(async () => {
  dns = await startDns();
  return () => dns.stop();
});

describe.each(planes())("%s", (_, start) => {
  let plane: Plane | undefined;

  beforeEach(() => async () => {
    await plane?.stop();
    plane = undefined;
  });

  async function run(cluster: Readonly<Record<string, unknown>>): Promise<Plane> {
    return (plane = await start(bootstrap(cluster)));
  }

  async function count(stat: string): Promise<number> {
    const text = await get(plane?.adminPort ?? 0, "/stats");
    return Number(new RegExp(`^cluster\\.c\\.${stat}: (\\d+)$`, "m").exec(text)?.[1]);
  }

  /** Until lookups that began after now have been answered. */
  async function refreshed(): Promise<void> {
    const before = await count("update_attempt");
    await eventually(async () => (await count("update_attempt")) > before + 2);
  }

  test("STRICT_DNS: a host for every address of every name, which follow the answers", async () => {
    dns.records.set("a.test", { addresses: ["127.0.0.2"], ttl: 300 });
    dns.records.set("b.test", { addresses: ["127.0.0.3"], ttl: 300 });
    const { port } = await run({
      type: "STRICT_DNS",
      typed_dns_resolver_config: resolver(),
      load_assignment: assignment(["a.test", "b.test"]),
    });
    await eventually(async () => (await count("membership_total")) === 2);
    const seen = new Set([await get(port("http")), await get(port("http"))]);
    expect(seen).toEqual(new Set(["two a.test", "three b.test"]));
    dns.records.set("b.test", { addresses: ["127.0.0.2"], ttl: 300 });
    // Two names are two hosts, whatever their address.
    await eventually(async () => !(await get(plane?.adminPort ?? 0, "/clusters")).includes("127.0.0.3"));
    expect(await count("membership_total")).toBe(2);
    expect(new Set([await get(port("http")), await get(port("http"))])).toEqual(new Set(["two a.test", "two b.test"]));
  });

  test("STRICT_DNS: a server that fails changes nothing, a name that is gone has no hosts", async () => {
    dns.records.set("a.test", { addresses: ["127.0.0.2"], ttl: 300 });
    const { port } = await run({ type: "STRICT_DNS", typed_dns_resolver_config: resolver(), load_assignment: assignment(["a.test"]) });
    expect(await get(port("http"))).toBe("two a.test");
    dns.records.set("a.test", "SERVFAIL");
    await eventually(async () => (await count("update_failure")) > 1);
    expect(await get(port("http"))).toBe("two a.test");
    dns.records.set("a.test", "NXDOMAIN");
    await eventually(async () => (await count("membership_total")) === 0);
    expect(await get(port("http"))).toBe("503");
    const failures = await count("update_failure");
    await refreshed();
    expect(await count("update_failure")).toBe(failures);
    expect(await count("update_empty")).toBe(0);
  });

  test("LOGICAL_DNS: the first address for each new connection, the next where it refuses; a name that is gone changes nothing", async () => {
    dns.records.set("a.test", { addresses: ["127.0.0.2"], ttl: 300 });
    const { port } = await run({ type: "LOGICAL_DNS", typed_dns_resolver_config: resolver(), load_assignment: assignment(["a.test"]) });
    expect(await count("membership_total")).toBe(1);
    expect(await get(port("http"))).toBe("two a.test");
    // Nobody listens on the first.
    dns.records.set("a.test", { addresses: ["127.0.0.4", "127.0.0.3"], ttl: 300 });
    await refreshed();
    await eventually(async () => (await get(port("http"))) === "three a.test");
    dns.records.set("a.test", "NXDOMAIN");
    await eventually(async () => (await count("update_failure")) > 1);
    expect(await count("membership_total")).toBe(1);
    expect(await get(port("http"))).toBe("three a.test");
  });

  test("a typed DnsCluster says the same; TTLs count where they are respected", async () => {
    dns.records.set("a.test", { addresses: ["127.0.0.2"], ttl: 300 });
    const config = { "@type": DNS_CLUSTER, dns_refresh_rate: "0.05s", respect_dns_ttl: true, dns_lookup_family: "V4_ONLY" };
    const { port } = await run({
      cluster_type: { name: "envoy.cluster.dns", typed_config: { ...config, typed_dns_resolver_config: resolver() } },
      load_assignment: assignment(["a.test"]),
    });
    expect(await get(port("http"))).toBe("two a.test");
    await new Promise((done) => void setTimeout(done, 300));
    expect(await count("update_attempt")).toBe(1);
  });

  test("a lookup that nobody answers keeps the cluster from being used; one that fails does not", async () => {
    dns.records.set("a.test", "SERVFAIL");
    const { port } = await run({ type: "STRICT_DNS", typed_dns_resolver_config: resolver(), load_assignment: assignment(["a.test"]) });
    expect(await get(port("http"))).toBe("503");
    dns.records.set("a.test", { addresses: ["127.0.0.2"], ttl: 300 });
    await eventually(async () => (await get(port("http"))) === "two a.test");
  });

  test("names of the hosts file need no server", async () => {
    const { port } = await run({ type: "STRICT_DNS", load_assignment: assignment(["localhost"]) });
    expect(await count("membership_total")).toBe(1);
    expect(await get(port("http"))).toBe("one localhost");
  });

  test("an endpoint on a Unix socket, over HTTP and TCP", async () => {
    const { port } = await run({ type: "STATIC", load_assignment: assignment([socketPath]) });
    expect(await get(port("http"), "/x")).toMatch(/^socket /);
    expect(await get(port("tcp"), "/x")).toMatch(/^socket /);
    const clusters = await get(plane?.adminPort ?? 0, "/clusters");
    expect(clusters).toContain(`c::${socketPath}::cx_total::2`);
  });

  const byName = {
    cluster_name: "c",
    endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: "a.test", port_value: 1 } } } }] }],
  };

  test.each([
    [
      "a logical host without an endpoint",
      { type: "LOGICAL_DNS", load_assignment: { cluster_name: "c" } },
      /LOGICAL_DNS clusters must have a single/,
    ],
    ["a name without DNS", { type: "STATIC", load_assignment: byName }, /malformed IP address: a\.test/],
    [
      "a back-off that shrinks",
      { type: "STRICT_DNS", dns_failure_refresh_rate: { base_interval: "2s", max_interval: "1s" } },
      /dns_failure_refresh_rate/,
    ],
    ["a refresh rate of nothing", { type: "STRICT_DNS", dns_refresh_rate: "0s" }, /must be 1ms or more|DnsRefreshRate/],
  ] as const)("refuses %s", async (_, cluster, reason) => {
    await expect(run(cluster)).rejects.toThrow(reason);
  });
});
