// What goes to the host that a request names: ServiceEntries with resolution DYNAMIC_DNS, and unknown hosts under ALLOW_ANY_DYNAMIC_DNS, as Istio
// after 1.29 generates them for sidecars.
import { describe, expect, test } from "vitest";
import { TYPE_URL } from "../kit/index.ts";
import { type Caller, viewOf } from "../translate/view-of.fixture.ts";
import { generate } from "./index.ts";
import { jsonByName } from "./json-by-name.fixture.ts";
import { type ClusterConfig, tryDecodeResources } from "../proxy/matcher.ts";

type Json = Readonly<Record<string, unknown>>;

interface Generated {
  /** As our proxy reads them. */
  readonly decoded: ReadonlyMap<string, ClusterConfig>;
  readonly clusters: ReadonlyMap<string, Json>;
  readonly listeners: ReadonlyMap<string, Json>;
  readonly routes: ReadonlyMap<string, Json>;
}

function generated(text: string, of: Pick<Caller, "type" | "mesh" | "metadata"> = {}): Generated {
  const resources = generate(viewOf(text, { ...of, labels: { istio: "ingressgateway" } }));
  const decoded = tryDecodeResources(resources);
  expect(decoded.rejected).toEqual([]);
  const byName = (url: string): Map<string, Json> => jsonByName(resources, url);
  return {
    decoded: decoded.config.clusters,
    clusters: byName(TYPE_URL.cluster),
    listeners: byName(TYPE_URL.listener),
    routes: byName(TYPE_URL.route),
  };
}

const ENTRY = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: names, namespace: default}
spec:
  hosts: ["*.example.com"]
  location: MESH_EXTERNAL
  resolution: DYNAMIC_DNS
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 8443, name: tls, protocol: TLS}, {number: 90, name: grpc, protocol: GRPC}]
---`;

const PLAIN = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: plain, namespace: default}
spec: {hosts: [a.test], location: MESH_EXTERNAL, resolution: STATIC, ports: [{number: 81, name: http, protocol: HTTP}], endpoints: [{address: 10.0.0.1}]}
---`;

const rule = (policy: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: names, namespace: default}
spec: {host: "*.example.com", ${policy}}
---`;

const CACHE = { name: "dynamic_dns", dns_lookup_family: "V4_ONLY", max_hosts: 1024 };

function clusterType(insecure: boolean): Json {
  return {
    name: "envoy.clusters.dynamic_forward_proxy",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig",
      dns_cache_config: CACHE,
      ...(insecure ? { allow_insecure_cluster_options: true } : {}),
    },
  };
}

const OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const namesOf = (cluster: Json | undefined): unknown =>
  ((cluster?.["typed_extension_protocol_options"] as Json | undefined)?.[OPTIONS] as Json | undefined)?.["upstream_http_protocol_options"];

/** Names of the network filters, and of the HTTP filters in parentheses, of every chain. */
function chainsOf(listener: Json | undefined): string[] {
  const chains = [...((listener?.["filter_chains"] as Json[] | undefined) ?? []), listener?.["default_filter_chain"] as Json | undefined];
  const short = (name: unknown): string => String(name).split(".").at(-1) ?? "";
  return chains
    .filter((chain) => chain !== undefined)
    .map((chain) =>
      (chain["filters"] as Json[])
        .map((filter) => {
          const http = ((filter["typed_config"] as Json)["http_filters"] as Json[] | undefined) ?? [];
          return `${short(filter["name"])}${http.length === 0 ? "" : `(${http.map((one) => short(one["name"])).join(" ")})`}`;
        })
        .join(" "),
    );
}

const HTTP = "http_connection_manager(grpc_stats fault cors router)";
const BY_NAME = "http_connection_manager(grpc_stats fault cors dynamic_forward_proxy router)";

describe("resolution DYNAMIC_DNS", () => {
  test("a cluster of names for every port, without endpoints", () => {
    const { clusters } = generated(ENTRY);
    const cluster = clusters.get("outbound|80||*.example.com");
    expect(cluster).toMatchObject({ lb_policy: "CLUSTER_PROVIDED", cluster_type: clusterType(true) });
    expect(cluster?.["type"]).toBeUndefined();
    expect(cluster?.["load_assignment"]).toBeUndefined();
    expect(namesOf(cluster)).toBeUndefined();
    expect(clusters.has("outbound|8443||*.example.com")).toBe(true);
    const http2 = (clusters.get("outbound|90||*.example.com")?.["typed_extension_protocol_options"] as Json)[OPTIONS];
    expect(http2).toMatchObject({ explicit_http_config: { http2_protocol_options: {} } });
  });

  test("the filter stands where routes may lead there, and nowhere else", () => {
    const { listeners } = generated(ENTRY + PLAIN, { mesh: { proxyHttpPort: 15_007 } });
    expect(chainsOf(listeners.get("0.0.0.0_80"))[0]).toBe(BY_NAME);
    expect(chainsOf(listeners.get("0.0.0.0_90"))[0]).toBe(BY_NAME);
    expect(chainsOf(listeners.get("0.0.0.0_81"))[0]).toBe(HTTP);
    expect(chainsOf(listeners.get("127.0.0.1_15007"))).toEqual([BY_NAME]);
    const without = generated(PLAIN, { mesh: { proxyHttpPort: 15_007 } }).listeners;
    expect(chainsOf(without.get("127.0.0.1_15007"))).toEqual([HTTP]);
  });

  test("TLS that passes through: by its name, wherever the listener is", () => {
    const chain = { server_names: ["*.example.com"] };
    const captured = generated(ENTRY).listeners.get("0.0.0.0_8443");
    expect((captured?.["filter_chains"] as Json[])[0]).toMatchObject({ filter_chain_match: chain });
    expect(chainsOf(captured)[0]).toBe("sni_dynamic_forward_proxy tcp_proxy");
    const bound = generated(ENTRY, { metadata: { INTERCEPTION_MODE: "NONE" } }).listeners.get("127.0.0.1_8443");
    expect((bound?.["filter_chains"] as Json[])[0]).toMatchObject({ filter_chain_match: chain });
    expect(JSON.stringify(bound)).toContain('"port_value":8443');
  });

  test("a TLS rule to the entry looks the name up too", () => {
    const vs = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v, namespace: default}
spec: {hosts: ["*.example.com"], tls: [{match: [{sniHosts: [a.example.com]}], route: [{destination: {host: "*.example.com", port: {number: 8443}}}]}]}
---`;
    const listener = generated(ENTRY + vs).listeners.get("0.0.0.0_8443");
    expect(chainsOf(listener)[0]).toBe("sni_dynamic_forward_proxy tcp_proxy");
    expect((listener?.["filter_chains"] as Json[])[0]).toMatchObject({ filter_chain_match: { server_names: ["a.example.com"] } });
  });

  test.each([
    ["{mode: SIMPLE}", true, true, false],
    ["{mode: SIMPLE, subjectAltNames: [b.test]}", true, true, false],
    ["{mode: SIMPLE, insecureSkipVerify: true}", true, undefined, true],
    ["{mode: SIMPLE, sni: c.test}", undefined, true, true],
    ["{mode: DISABLE}", undefined, undefined, true],
  ])("TLS %s", (tls, autoSni, autoSan, insecure) => {
    const cluster = generated(ENTRY + rule(`trafficPolicy: {tls: ${tls}}`)).clusters.get("outbound|80||*.example.com");
    const names = namesOf(cluster) as Json | undefined;
    expect([names?.["auto_sni"], names?.["auto_san_validation"]]).toEqual([autoSni, autoSan]);
    expect(cluster?.["cluster_type"]).toEqual(clusterType(insecure));
  });

  test("the mesh's own TLS names the request's host", () => {
    const cluster = generated(ENTRY + rule("trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}")).clusters.get("outbound|80||*.example.com");
    expect(namesOf(cluster)).toEqual({ auto_sni: true, auto_san_validation: true });
    expect(((cluster?.["transport_socket"] as Json)["typed_config"] as Json)["sni"]).toBeUndefined();
  });

  test("what a request names has no subsets, nothing to balance and limits like others", () => {
    const policy = "trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}, connectionPool: {http: {http1MaxPendingRequests: 3}}}";
    const { clusters } = generated(ENTRY + rule(`${policy}, subsets: [{name: v1, labels: {version: v1}}]`));
    expect([...clusters.keys()].filter((name) => name.includes("|v1|"))).toEqual([]);
    expect(clusters.get("outbound|80||*.example.com")).toMatchObject({
      lb_policy: "CLUSTER_PROVIDED",
      circuit_breakers: { thresholds: [{ max_pending_requests: 3 }] },
    });
  });

  test("gateways have the clusters too", () => {
    expect(generated(ENTRY, { type: "router" }).clusters.get("outbound|80||*.example.com")).toMatchObject({
      cluster_type: clusterType(true),
    });
  });
});

describe("ALLOW_ANY_DYNAMIC_DNS", () => {
  const mesh = { outboundTrafficPolicy: { mode: "ALLOW_ANY_DYNAMIC_DNS" }, proxyHttpPort: 15_007 };
  const NAME = "AllowAnyDynamicDNSCluster";

  test("unknown hosts go to the host that the request names, other connections on as before", () => {
    const { clusters, listeners, routes } = generated(PLAIN, { mesh });
    expect(clusters.get(NAME)).toMatchObject({ lb_policy: "CLUSTER_PROVIDED", cluster_type: clusterType(true), alt_stat_name: `${NAME};` });
    const last = (routes.get("81")?.["virtual_hosts"] as Json[]).at(-1);
    expect(last).toMatchObject({ name: "allow_any_dynamic_dns", domains: ["*"], routes: [{ route: { cluster: NAME, timeout: "0s" } }] });
    expect(chainsOf(listeners.get("0.0.0.0_81"))).toEqual([BY_NAME, "tcp_proxy"]);
    expect(chainsOf(listeners.get("127.0.0.1_15007"))).toEqual([BY_NAME]);
    const outbound = listeners.get("virtualOutbound");
    expect(chainsOf(outbound)).toEqual(["tcp_proxy", BY_NAME, "tcp_proxy"]);
    expect((outbound?.["filter_chains"] as Json[])[1]).toMatchObject({
      filter_chain_match: { application_protocols: ["http/1.1", "h2c"] },
    });
    expect((outbound?.["listener_filters"] as Json[]).map((one) => one["name"])).toEqual([
      "envoy.filters.listener.original_dst",
      "envoy.filters.listener.http_inspector",
    ]);
    expect(JSON.stringify(outbound)).toContain("PassthroughCluster");
  });

  test("a Sidecar's own policy counts for its workloads; gateways have none", () => {
    const sidecar = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: s, namespace: default}
spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}, egress: [{hosts: ["*/*"]}]}
---`;
    const own = generated(PLAIN + sidecar, { mesh });
    expect(own.clusters.has(NAME)).toBe(false);
    expect(chainsOf(own.listeners.get("virtualOutbound"))).toEqual(["tcp_proxy", "tcp_proxy"]);
    expect(generated(PLAIN, { mesh, type: "router" }).clusters.has(NAME)).toBe(false);
  });

  test("TLS to them: the name is the request's, and the server must have it", () => {
    const tls = { mode: "SIMPLE" };
    const cluster = generated(PLAIN, { mesh: { ...mesh, outboundTrafficPolicy: { mode: "ALLOW_ANY_DYNAMIC_DNS", tls } } }).clusters.get(
      NAME,
    );
    expect(namesOf(cluster)).toEqual({ auto_sni: true, auto_san_validation: true });
    expect(cluster?.["cluster_type"]).toEqual(clusterType(false));
    expect(cluster?.["transport_socket"]).toMatchObject({ name: "envoy.transport_sockets.tls" });
  });
});

test("names that are looked up again and again: at Istio's pace, not all proxies at one moment", () => {
  const entry = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: n, namespace: default}
spec: {hosts: [a.test], location: MESH_EXTERNAL, resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}
---`;
  const { clusters, decoded } = generated(entry);
  expect(clusters.get("outbound|80||a.test")).toMatchObject({
    type: "STRICT_DNS",
    dns_lookup_family: "V4_ONLY",
    dns_refresh_rate: "60s",
    respect_dns_ttl: true,
  });
  expect(decoded.get("outbound|80||a.test")?.dns).toMatchObject({ family: "V4_ONLY", refreshMs: 60_000, respectTtl: true, jitterMs: 100 });
});
