// One bootstrap through this proxy and through real Envoy, with a DNS server of the test's own: requests that bring the name to go to.
import http from "node:http";
import https from "node:https";
import type net from "node:net";
import tls from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testCa, type TestCa } from "../../testing/certs.ts";
import { type DnsServer, startDns } from "../../testing/dns-server.ts";
import { listenOnOnePort } from "../../testing/one-port.ts";
import { type Answer, ask, type BootstrapJson, eventually, type Plane, planes } from "../../testing/planes.ts";

const EXT = "type.googleapis.com/envoy.extensions";
const HCM = `${EXT}.filters.network.http_connection_manager.v3.HttpConnectionManager`;
const TCP = `${EXT}.filters.network.tcp_proxy.v3.TcpProxy`;
const SNI_FORWARD = `${EXT}.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig`;
const CLUSTER = `${EXT}.clusters.dynamic_forward_proxy.v3.ClusterConfig`;
const FILTER = `${EXT}.filters.http.dynamic_forward_proxy.v3.FilterConfig`;
const CARES = `${EXT}.network.dns_resolver.cares.v3.CaresDnsResolverConfig`;
const UPSTREAM_TLS = `${EXT}.transport_sockets.tls.v3.UpstreamTlsContext`;
const HTTP_OPTIONS = `${EXT}.upstreams.http.v3.HttpProtocolOptions`;
const TLS_INSPECTOR = `${EXT}.filters.listener.tls_inspector.v3.TlsInspector`;
const ROUTER = { name: "router", typed_config: { "@type": `${EXT}.filters.http.router.v3.Router` } };

let dns: DnsServer;
let ca: TestCa;
let port: number;
let tlsPort: number;
const servers: net.Server[] = [];

function listen(server: net.Server, host: string): Promise<number> {
  servers.push(server);
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(0, host, () => done((server.address() as net.AddressInfo).port));
  });
}

function app(name: string): http.RequestListener {
  return (request, response) => {
    let length = 0;
    request.on("data", (part: Buffer) => (length += part.length));
    request.on("end", () => response.end(`${name} ${request.headers.host?.split(":")[0]} ${length}`));
  };
}

beforeAll(async () => {
  ca = testCa();
  const made = (name: string) => () => http.createServer(app(name));
  const onPort = await listenOnOnePort({ "127.0.0.1": made("one"), "127.0.0.2": made("two"), "127.0.0.3": made("three") });
  port = onPort.port;
  servers.push(...onPort.servers);
  const pair = ca.issue({ dns: ["a.test", "b.test"] });
  tlsPort = await listen(https.createServer(pair, app("tls")), "127.0.0.2");
});

afterAll(() => {
  for (const server of servers) server.close();
});

interface Setup {
  readonly cache?: object;
  readonly route?: object;
  readonly filter?: boolean;
  readonly cluster?: object;
  readonly insecure?: boolean;
  /** Port of a cluster beside it, on 127.0.0.2. */
  readonly fixed?: number;
}

function bootstrap({ cache = {}, route = {}, filter = true, cluster = {}, insecure = true, fixed = 1 }: Setup): BootstrapJson {
  const dnsServers = [{ socket_address: { protocol: "UDP", address: "127.0.0.1", port_value: dns.port } }];
  const config = {
    name: "names",
    dns_lookup_family: "V4_ONLY",
    typed_dns_resolver_config: { name: "envoy.network.dns_resolver.cares", typed_config: { "@type": CARES, resolvers: dnsServers } },
    ...cache,
  };
  const address = { socket_address: { address: "127.0.0.1", port_value: 0 } };
  const details = { header: { key: "x-details", value: "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%" } };
  const manager = {
    "@type": HCM,
    stat_prefix: "in",
    http_filters: [...(filter ? [{ name: "forward", typed_config: { "@type": FILTER, dns_cache_config: config } }] : []), ROUTER],
    route_config: {
      name: "r",
      response_headers_to_add: [details],
      virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "c", ...route } }] }],
    },
  };
  const forward = { name: "sni", typed_config: { "@type": SNI_FORWARD, port_value: tlsPort, dns_cache_config: config } };
  const tcp = { name: "tcp", typed_config: { "@type": TCP, stat_prefix: "t", cluster: "c" } };
  const inspector = { name: "tls", typed_config: { "@type": TLS_INSPECTOR } };
  return {
    node: { id: "n", cluster: "n" },
    static_resources: {
      clusters: [
        {
          name: "c",
          connect_timeout: "1s",
          lb_policy: "CLUSTER_PROVIDED",
          cluster_type: {
            name: "envoy.clusters.dynamic_forward_proxy",
            typed_config: { "@type": CLUSTER, dns_cache_config: config, allow_insecure_cluster_options: insecure },
          },
          ...cluster,
        },
        {
          name: "fixed",
          type: "STATIC",
          connect_timeout: "1s",
          load_assignment: {
            cluster_name: "fixed",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: "127.0.0.2", port_value: fixed } } } }] }],
          },
        },
      ],
      listeners: [
        { name: "http", address, filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }] },
        { name: "tcp", address, listener_filters: [inspector], filter_chains: [{ filters: [forward, tcp] }] },
      ],
    },
  };
}

beforeEach(async () => {
  dns = await startDns({
    "a.test": { addresses: ["127.0.0.2"], ttl: 300 },
    "b.test": { addresses: ["127.0.0.3"], ttl: 300 },
    "both.test": { addresses: ["127.0.0.4", "127.0.0.3"], ttl: 300 },
    "slow.test": { addresses: ["127.0.0.3"], ttl: 300, delayMs: 200 },
    "broken.test": "SERVFAIL",
  });
  return () => dns.stop();
});

describe.each(planes())("%s", (_, start) => {
  let plane: Plane | undefined;

  beforeEach(() => async () => {
    await plane?.stop();
    plane = undefined;
  });

  async function run(setup: Setup = {}): Promise<Plane> {
    return (plane = await start(bootstrap(setup)));
  }

  async function get(host: string, body = ""): Promise<Answer> {
    return ask(plane?.port("http") ?? 0, { headers: { host }, method: body === "" ? "GET" : "POST" }, body);
  }

  async function count(stat: string): Promise<number> {
    const { body } = await ask(plane?.adminPort ?? 0, { path: "/stats" });
    return Number(new RegExp(`^dns_cache\\.names\\.${stat}: (\\d+)$`, "m").exec(body)?.[1]);
  }

  test("each request goes to the host it names, which is looked up once", async () => {
    await run();
    expect((await get(`a.test:${port}`)).body).toBe("two a.test 0");
    expect((await get(`b.test:${port}`)).body).toBe("three b.test 0");
    expect((await get(`B.test:${port}`)).body).toMatch(/^three b\.test 0$/i);
    expect((await get(`127.0.0.3:${port}`)).body).toBe("three 127.0.0.3 0");
    expect(dns.asked.filter((one) => one === "a.test A")).toHaveLength(1);
    expect(await count("dns_query_failure")).toBe(0);
  });

  test("names that cannot be looked up: 503, and nobody asks again for now", async () => {
    await run();
    for (const [host, problem] of [
      ["none.test", "cares_norecords:Domain_name_not_found"],
      ["none.test", "cares_norecords:Domain_name_not_found"],
      ["broken.test", "cares_failure:DNS_server_returned_general_failure"],
    ] as const) {
      const answer = await get(`${host}:${port}`);
      expect([answer.status, answer.body]).toEqual([503, "DNS resolution failure"]);
      expect(answer.headers["x-details"]).toBe(`DF dns_resolution_failure{${problem}}`);
    }
    expect(await count("dns_query_attempt")).toBe(2);
  });

  test("hosts that are none break nothing", async () => {
    await run();
    const hosts = ["a.test:99999", "a.test:0", ":1", "[", "[]:80", "a..test", `${"a".repeat(300)}.test`, "*"];
    for (const host of hosts) expect((await get(host)).status).toBe(503);
    expect((await get(`a.test:${port}`)).status).toBe(200);
  });

  test("no more hosts than it may keep; those that are there go on", async () => {
    await run({ cache: { max_hosts: 1 } });
    expect((await get(`a.test:${port}`)).status).toBe(200);
    const answer = await get(`b.test:${port}`);
    expect([answer.status, answer.body, answer.headers["x-details"]]).toEqual([503, "DNS cache overflow", "- dns_cache_overflow"]);
    expect((await get(`a.test:${port}`)).status).toBe(200);
    expect(await count("host_overflow")).toBe(1);
    expect(await count("num_hosts")).toBe(1);
  });

  test("no more requests than may wait", async () => {
    await run({ cache: { dns_cache_circuit_breaker: { max_pending_requests: 1 } } });
    // Long enough for the second to come meanwhile on a busy machine too.
    dns.records.set("slow.test", { addresses: ["127.0.0.3"], ttl: 300, delayMs: 1500 });
    const first = get(`slow.test:${port}`);
    await eventually(() => dns.asked.includes("slow.test A"));
    const answer = await get(`a.test:${port}`);
    expect([answer.status, answer.body]).toEqual([503, "Dynamic forward proxy pending request overflow"]);
    expect(answer.headers["x-details"]).toBe("- dynamic_forward_proxy_pending_request_overflow");
    expect((await first).body).toBe("three slow.test 0");
  });

  test("a body waits with its request", async () => {
    await run();
    expect((await get(`slow.test:${port}`, "x".repeat(100_000))).body).toBe("three slow.test 100000");
  });

  test("the next address of a name where the first refuses", async () => {
    await run();
    expect((await get(`both.test:${port}`)).body).toBe("three both.test 0");
  });

  test("a host that the route writes is looked up too, with and without the filter", async () => {
    await run({ route: { host_rewrite_literal: `b.test:${port}` } });
    expect((await get(`a.test:${port}`)).body).toBe("three b.test 0");
    await plane?.stop();
    await run({ route: { host_rewrite_literal: `b.test:${port}` }, filter: false });
    expect((await get("anything")).body).toBe("three b.test 0");
  });

  test("a copy goes to the host that it names too", async () => {
    const seen: string[] = [];
    const other = http.createServer((request, response) => {
      seen.push(String(request.headers.host));
      response.end("other");
    });
    const at = await listen(other, "127.0.0.1");
    await run({
      route: { cluster: "fixed", request_mirror_policies: [{ cluster: "c", disable_shadow_host_suffix_append: true }] },
      fixed: port,
    });
    for (const host of ["localhost", "localhost"]) expect((await get(`${host}:${at}`)).body).toBe("two localhost 0");
    await eventually(() => seen.length === 2);
    expect(seen).toEqual([`localhost:${at}`, `localhost:${at}`]);
  });

  test("without the filter a name that cannot be looked up has no upstream", async () => {
    await run({ filter: false });
    const answer = await get(`none.test:${port}`);
    expect([answer.status, answer.body]).toEqual([503, "no healthy upstream"]);
    expect(answer.headers["x-details"]).toBe("UH dns_resolution_failure{cares_norecords:Domain_name_not_found}");
  });

  test("TLS to the upstream: the server's name is the request's, and its certificate must have it", async () => {
    const context = { trusted_ca: { inline_string: ca.cert } };
    const socket = { name: "tls", typed_config: { "@type": UPSTREAM_TLS, common_tls_context: { validation_context: context } } };
    const options = {
      explicit_http_config: { http_protocol_options: {} },
      upstream_http_protocol_options: { auto_sni: true, auto_san_validation: true },
    };
    const cluster = {
      transport_socket: socket,
      typed_extension_protocol_options: { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": { "@type": HTTP_OPTIONS, ...options } },
    };
    dns.records.set("c.test", { addresses: ["127.0.0.2"], ttl: 300 });
    await run({ cluster, insecure: false });
    expect((await get(`a.test:${tlsPort}`)).body).toBe("tls a.test 0");
    const refused = await get(`c.test:${tlsPort}`);
    expect([refused.status, refused.headers["x-details"]]).toEqual([503, expect.stringMatching(/CERTIFICATE_VERIFY_FAILED/)]);
  });

  function shake(servername: string): Promise<string> {
    return new Promise((done) => {
      const sock = tls.connect({ host: "127.0.0.1", port: plane?.port("tcp") ?? 0, servername, ca: ca.cert }, () => {
        sock.write(`GET / HTTP/1.1\r\nhost: ${servername}\r\nconnection: close\r\n\r\n`);
      });
      let got = "";
      sock.on("data", (part: Buffer) => (got += part.toString()));
      sock.on("error", (error: NodeJS.ErrnoException) => (got = error.code ?? "error"));
      sock.on("close", () => done(got.split("\r\n\r\n")[1] ?? got));
    });
  }

  test("TLS that passes through goes to the name in its hello", async () => {
    await run();
    expect(await shake("a.test")).toContain("tls a.test 0");
    // Nobody listens there.
    expect(await shake("b.test")).toMatch(/^(ECONNRESET)?$/);
    expect(await shake("none.test")).toMatch(/^(ECONNRESET)?$/);
  });

  test("a cluster that does not follow names must say that it may", async () => {
    const options = { explicit_http_config: { http_protocol_options: {} } };
    const cluster = {
      typed_extension_protocol_options: { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": { "@type": HTTP_OPTIONS, ...options } },
    };
    await expect(run({ cluster, insecure: false })).rejects.toThrow(/allow_insecure_cluster_options/);
  });
});
