// Ring hash and maglev place every key where real Envoy places it, whatever the key is read from.
import http from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRng } from "../../../kit/index.ts";
import { decodeBootstrap } from "../../bootstrap/bootstrap.ts";
import { hexHash, xxh64 } from "../../hash/index.ts";
import { type Proxy, startProxy } from "../../start-proxy.ts";
import { envoyIsMissing, type RealEnvoy, startRealEnvoy } from "../../testing/real-envoy.ts";
import { startHttp, until, type Upstream } from "../../testing/scene.ts";

const PREFIX = "type.googleapis.com/envoy.extensions.filters";
const ENDPOINTS = 7;

type Json = Readonly<Record<string, unknown>>;

interface Group {
  readonly ports: readonly number[];
  readonly weights?: readonly number[];
  readonly locality?: string;
  readonly localityWeight?: number;
  readonly priority?: number;
  readonly sick?: readonly number[];
}

function group({ ports, weights = [], locality, localityWeight, priority = 0, sick = [] }: Group): Json {
  return {
    priority,
    ...(locality === undefined ? {} : { locality: { region: locality } }),
    ...(localityWeight === undefined ? {} : { load_balancing_weight: localityWeight }),
    lb_endpoints: ports.map((port, i) => ({
      endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } },
      health_status: sick.includes(i) ? "UNHEALTHY" : "HEALTHY",
      ...(weights[i] === undefined ? {} : { load_balancing_weight: weights[i] }),
    })),
  };
}

const cluster = (name: string, groups: readonly Group[], rest: Json): Json => ({
  name,
  type: "STATIC",
  connect_timeout: "2s",
  load_assignment: { cluster_name: name, endpoints: groups.map(group) },
  ...rest,
});

const HEADER = [{ header: { header_name: "x-user" } }];

const route = (name: string, hashPolicy: readonly Json[] = HEADER, rest: Json = {}): Json => ({
  match: { prefix: `/${name}/` },
  route: { cluster: name, hash_policy: hashPolicy, ...rest },
});

function bootstrap(clusters: readonly Json[], routes: readonly Json[]): Json {
  const manager = {
    "@type": `${PREFIX}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "in",
    use_remote_address: false,
    route_config: { name: "r", virtual_hosts: [{ name: "all", domains: ["*"], routes }] },
    http_filters: [{ name: "envoy.filters.http.router", typed_config: { "@type": `${PREFIX}.http.router.v3.Router` } }],
  };
  return {
    node: { id: "test", cluster: "test" },
    static_resources: {
      listeners: [
        {
          name: "in",
          address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
          filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
        },
      ],
      clusters,
    },
  };
}

interface Seen {
  readonly port: string;
  readonly cookies: readonly string[];
  /** The caller's own end of the connection. */
  readonly from: string;
}

const shared = new http.Agent({ keepAlive: true, maxSockets: 8 });
const freshAgent = (): http.Agent => new http.Agent({ keepAlive: false });

function ask(port: number, path: string, headers: http.OutgoingHttpHeaders, agent = shared): Promise<Seen> {
  return new Promise((done, fail) => {
    const request = http.get({ host: "127.0.0.1", port, path, headers: { host: "demo", ...headers }, agent }, (response) => {
      const from = `127.0.0.1:${response.socket.localPort}`;
      response.resume();
      response.on("end", () =>
        done({ port: String(response.headers["x-port"] ?? response.statusCode), cookies: response.headers["set-cookie"] ?? [], from }),
      );
    });
    request.on("error", fail);
  });
}

describe.skipIf(envoyIsMissing())("against real Envoy", () => {
  const upstreams: Upstream[] = [];
  let envoy: RealEnvoy;
  let proxy: Proxy;
  let ours = 0;
  let theirs = 0;

  beforeAll(async () => {
    for (let i = 0; i < ENDPOINTS; i++) {
      const one: Upstream = await startHttp((request, response) => {
        const status = Number(request.headers["x-status"] ?? 200);
        response.writeHead(status, { "x-port": String(one.port) }).end();
      });
      upstreams.push(one);
    }
    const ports = upstreams.map((one) => one.port);
    const three = ports.slice(0, 3);
    const ring = (name: string, groups: readonly Group[], config: Json = {}, rest: Json = {}): Json =>
      cluster(name, groups, { lb_policy: "RING_HASH", ring_hash_lb_config: config, ...rest });
    const maglev = (name: string, groups: readonly Group[], size: number, rest: Json = {}): Json =>
      cluster(name, groups, { lb_policy: "MAGLEV", maglev_lb_config: { table_size: size }, ...rest });
    const weighted = { common_lb_config: { locality_weighted_lb_config: {} } };
    const localities: Group[] = [
      { ports: ports.slice(0, 2), locality: "eu", localityWeight: 3, weights: [1, 4] },
      { ports: ports.slice(2, 4), locality: "asia", localityWeight: 1 },
      { ports: ports.slice(4, 6), locality: "us" },
    ];
    const clusters = [
      ring("ring", [{ ports }]),
      ring("ring-1", [{ ports: three }], { minimum_ring_size: 1 }),
      ring("ring-7", [{ ports: three }], { minimum_ring_size: 7 }),
      ring("ring-max", [{ ports }], { minimum_ring_size: 3, maximum_ring_size: 10 }),
      ring("ring-20000", [{ ports: three }], { minimum_ring_size: 20_000 }),
      ring("ring-weights", [{ ports, weights: [1, 2, 3, 5, 8, 13, 100] }]),
      ring("ring-local", localities, { minimum_ring_size: 100 }, weighted),
      ring("ring-sick", [{ ports, sick: [1, 4] }]),
      ring("ring-panic", [{ ports, sick: [0, 1, 2, 3] }]),
      ring("ring-priority", [
        { ports: ports.slice(0, 4), sick: [0, 1] },
        { ports: ports.slice(4), priority: 1 },
      ]),
      maglev("maglev", [{ ports }], 65_537),
      maglev("maglev-2", [{ ports: three }], 2),
      maglev("maglev-3", [{ ports: three }], 3),
      maglev("maglev-101", [{ ports, weights: [1, 2, 3, 5, 8, 13, 100] }], 101),
      maglev("maglev-5-of-7", [{ ports }], 5),
      maglev("maglev-local", localities, 1009, weighted),
      maglev("maglev-large", [{ ports: three }], 4_999_999),
      ring("kinds", [{ ports }]),
      ring("cookies", [{ ports }]),
    ];
    const cookie = (name: string, rest: Json = {}): Json => ({ cookie: { name, ...rest } });
    const routes = [
      ...clusters.map((one) => route(String(one["name"]))).filter((_, i) => i < clusters.length - 2),
      { ...route("kinds", [cookie("sid")]), match: { prefix: "/kinds/cookie" } },
      { ...route("kinds", [{ query_parameter: { name: "q" } }]), match: { prefix: "/kinds/query" } },
      { ...route("kinds", [{ connection_properties: { source_ip: true } }]), match: { prefix: "/kinds/address" } },
      { ...route("kinds", [...HEADER, { query_parameter: { name: "q" } }]), match: { prefix: "/kinds/both" } },
      { ...route("kinds", [...HEADER, ...HEADER]), match: { prefix: "/kinds/twice" } },
      {
        ...route("kinds", [{ header: { header_name: "x-user" }, terminal: true }, { query_parameter: { name: "q" } }]),
        match: { prefix: "/kinds/terminal" },
      },
      {
        ...route("kinds", [{ header: { header_name: "x-user", regex_rewrite: { pattern: { regex: "@.*$" }, substitution: "" } } }]),
        match: { prefix: "/kinds/rewrite" },
      },
      {
        match: { prefix: "/kinds/added" },
        route: { cluster: "kinds", hash_policy: HEADER, prefix_rewrite: "/x" },
        request_headers_to_add: [{ header: { key: "x-user", value: "always" }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" }],
      },
      {
        ...route("cookies", [
          cookie("sid", { ttl: "1.9s", path: "/shop", attributes: [{ name: "SameSite", value: "Lax" }, { name: "Secure" }] }),
        ]),
        match: { prefix: "/cookies/a" },
      },
      { ...route("cookies", [cookie("sid", { ttl: "0s" })]), match: { prefix: "/cookies/b" } },
      { ...route("cookies", [cookie("one", { ttl: "5s" }), cookie("two", { ttl: "5s" })]), match: { prefix: "/cookies/c" } },
      {
        ...route("cookies", [cookie("sid", { ttl: "0s" })]),
        match: { prefix: "/cookies/d" },
        response_headers_to_remove: ["set-cookie"],
      },
    ];
    const config = bootstrap(clusters, routes);
    envoy = await startRealEnvoy(config);
    proxy = await startProxy({ bootstrap: decodeBootstrap(config) });
    await until("our proxy listens", () => proxy.state() === "LIVE");
    ours = proxy.plane.listeners()[0]?.port ?? 0;
    theirs = envoy.port("in");
  }, 60_000);

  afterAll(async () => {
    shared.destroy();
    proxy?.stop();
    await envoy?.stop();
    for (const one of upstreams) one.stop();
  });

  interface Case {
    readonly path: string;
    readonly headers?: http.OutgoingHttpHeaders;
  }

  async function compare(cases: readonly Case[]): Promise<{ readonly differences: unknown[]; readonly used: number }> {
    const differences: unknown[] = [];
    const used = new Set<string>();
    let at = 0;
    const worker = async (): Promise<void> => {
      for (let i = at++; i < cases.length; i = at++) {
        const { path, headers = {} } = cases[i] as Case;
        const [mine, real] = await Promise.all([ask(ours, path, headers), ask(theirs, path, headers)]);
        used.add(real.port);
        if (mine.port !== real.port) differences.push({ path, headers, mine: mine.port, real: real.port });
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    return { differences, used: used.size };
  }

  /** Keys of all lengths, and of bytes beyond ASCII. */
  function keys(count: number, seed: number): string[] {
    const rng = seededRng(seed);
    const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-_.@ÄÖß";
    return Array.from({ length: count }, (_, i) => {
      if (i % 3 === 0) return `user-${i}`;
      return Array.from({ length: 1 + Math.floor(rng.random() * 70) }, () => alphabet[Math.floor(rng.random() * alphabet.length)]).join("");
    });
  }

  test.each([
    ["ring", 2000, 7],
    // With one point each, a host may be left with next to nothing.
    ["ring-1", 200, 2],
    ["ring-7", 200, 3],
    ["ring-max", 200, 3],
    ["ring-20000", 1000, 3],
    ["ring-weights", 2000, 6],
    ["ring-local", 1000, 4],
    ["ring-sick", 500, 5],
    ["ring-panic", 500, 7],
    ["ring-priority", 500, 5],
    ["maglev", 2000, 7],
    ["maglev-2", 100, 2],
    ["maglev-3", 100, 3],
    ["maglev-101", 500, 5],
    ["maglev-5-of-7", 100, 5],
    ["maglev-local", 1000, 4],
    ["maglev-large", 1000, 3],
  ])(
    "%s: %d keys",
    async (name, count, least) => {
      const { differences, used } = await compare(
        keys(count, name.length).map((key) => ({ path: `/${name}/`, headers: { "x-user": key } })),
      );
      expect(differences).toEqual([]);
      expect(used).toBeGreaterThanOrEqual(least);
    },
    60_000,
  );

  test("every kind of key", async () => {
    const some = keys(40, 9).map((key) => key.replace(/[^a-z0-9]/g, ""));
    const { differences } = await compare([
      ...some.map((key) => ({ path: "/kinds/cookie", headers: { cookie: `theme=dark; sid=${key}x; sid=other` } })),
      ...some.map((key) => ({ path: "/kinds/cookie", headers: { cookie: `a=1;sid="${key}"` } })),
      ...some.map((key) => ({ path: "/kinds/cookie", headers: { cookie: `sid=${key} ; b=2` } })),
      ...some.map((key) => ({ path: "/kinds/cookie", headers: { cookie: `sid="${key}; b=2` } })),
      ...some.map((key) => ({ path: `/kinds/query?a=b&q=${key}&q=2` })),
      ...some.map((key) => ({ path: `/kinds/query?q=${key}%20x` })),
      { path: "/kinds/query?q" },
      { path: "/kinds/query?q=" },
      { path: "/kinds/query?q==&" },
      ...["1.2.3.4", "10.0.0.1, 5.6.7.8", "2001:DB8::1", "::ffff:1.2.3.4", "9.9.9.9,2001:db8:0:0:0:0:0:2"].map((ip) => ({
        path: "/kinds/address",
        headers: { "x-forwarded-for": ip },
      })),
      { path: "/kinds/address" },
      ...some.flatMap((key) =>
        ["both", "twice", "terminal"].map((kind) => ({ path: `/kinds/${kind}?q=${key}`, headers: { "x-user": `u${key}` } })),
      ),
      ...some.map((key) => ({ path: `/kinds/terminal?q=${key}` })),
      ...some.map((key) => ({ path: "/kinds/rewrite", headers: { "x-user": `${key}@example.org` } })),
      ...some.map((key) => ({ path: "/kinds/both", headers: { "x-user": [key, "zebra", "ant"] } })),
      ...some.map((key) => ({ path: "/kinds/added", headers: { "x-user": key } })),
      { path: "/kinds/both", headers: { "x-user": "" } },
    ]);
    expect(differences).toEqual([]);
  });

  describe.each(["a", "b", "c", "d"])("the cookie issued on route %s", (kind) => {
    test.each<[string, http.OutgoingHttpHeaders]>([
      ["no cookie", {}],
      ["an error of the upstream", { "x-status": "503" }],
      ["an empty cookie", { cookie: "sid=" }],
      ["a cookie", { cookie: "sid=mine; one=1" }],
      ["behind another proxy", { "x-forwarded-for": "7.7.7.7" }],
    ])("%s", async (_, headers) => {
      const [mine, real] = await Promise.all([ours, theirs].map((port) => ask(port, `/cookies/${kind}`, headers, freshAgent())));
      const shape = (seen: Seen | undefined): unknown => seen?.cookies.map((line) => line.replace(/"[0-9a-f]{16}"/, "*"));
      expect(shape(mine)).toEqual(shape(real));
      for (const [port, seen] of [[ours, mine] as const, [theirs, real] as const]) {
        const value = hexHash(xxh64(`${seen?.from}127.0.0.1:${port}`));
        for (const line of seen?.cookies ?? []) expect(line).toContain(`"${value}"`);
        if (seen === undefined || seen.cookies.length === 0) continue;
        const cookie = [...seen.cookies.map((line) => line.split(";")[0]), headers["cookie"] ?? "x=y"].join("; ");
        expect((await ask(port, `/cookies/${kind}`, { cookie })).port).toBe(seen.port);
      }
    });
  });
});
