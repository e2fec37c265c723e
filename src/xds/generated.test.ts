// What real istiod 1.29 generates for the same resources, field by field, where a rule is easy to get wrong.
import { describe, expect, test } from "vitest";
import { TYPE_URL } from "../kit/index.ts";
import { type Caller, viewOf } from "../translate/view-of.fixture.ts";
import { generate } from "./index.ts";
import { jsonByName } from "./json-by-name.fixture.ts";

type Json = Readonly<Record<string, unknown>>;

/** Resources by kind and name, for a state-of-the-world client. */
function generatedFor(
  text: string,
  of: Caller = {},
): { listeners: Map<string, Json>; clusters: Map<string, Json>; routes: Map<string, Json> } {
  const made = generate(viewOf(text, of));
  const byName = (url: string): Map<string, Json> => jsonByName(made, url);
  return { listeners: byName(TYPE_URL.listener), clusters: byName(TYPE_URL.cluster), routes: byName(TYPE_URL.route) };
}

const SERVICE = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: a, namespace: default}
spec:
  hosts: [a.default.svc.cluster.local]
  addresses: [240.0.1.1]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 81, name: http2, protocol: HTTP2}, {number: 90, name: tcp, protocol: TCP}, {number: 91, name: auto}]
  endpoints: [{address: 10.9.9.9, ports: {http: 8080, http2: 8081, tcp: 8090, auto: 8091}, labels: {version: v1}}]
`;

const rule = (policy: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a, namespace: default}
spec: {host: a, ${policy}}
`;

const routes = (http: string): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs, namespace: default}
spec: {hosts: [a], http: ${http}}
`;

const all = (...documents: readonly string[]): string => documents.join("\n---\n");

function cluster(name: string, resources: string, of: Caller = {}): Json {
  const found = generatedFor(resources, of).clusters.get(name);
  if (found === undefined) throw new Error(`no cluster ${name}`);
  return found;
}

const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const protocolOf = (built: Json): unknown => {
  const options = (built["typed_extension_protocol_options"] as Json | undefined)?.[HTTP_OPTIONS] as Json | undefined;
  const { "@type": _, ...rest } = options ?? {};
  return options === undefined ? undefined : rest;
};
const keepaliveOf = (built: Json): unknown => (built["upstream_connection_options"] as Json | undefined)?.["tcp_keepalive"];

function routesOf(http: string, mesh: unknown = {}): Json[] {
  const { routes: tables } = generatedFor(all(SERVICE, routes(http)), { mesh });
  const hosts = tables.get("80")?.["virtual_hosts"] as Json[];
  return hosts.find((host) => host["name"] === "a.default.svc.cluster.local:80")?.["routes"] as Json[];
}

const actionOf = (route: Json | undefined): Json => route?.["route"] as Json;

interface Manager extends Json {
  readonly http_filters: readonly Json[];
}

function managerOf(listener: Json | undefined, chainName?: string): Manager {
  const every = [...((listener?.["filter_chains"] as Json[] | undefined) ?? [])];
  const chains = every.filter((chain) => chainName === undefined || chain["name"] === chainName);
  for (const chain of chains) {
    const config = (chain["filters"] as Json[])[0]?.["typed_config"] as Json;
    if (String(config["@type"]).endsWith("HttpConnectionManager")) return config as Manager;
  }
  throw new Error("no HTTP connection manager");
}

describe("connection pools", () => {
  test("the idle time of TCP stands in for that of HTTP, on ports of every protocol", () => {
    const pool =
      "trafficPolicy: {connectionPool: {tcp: {idleTimeout: 12s, maxConnectionDuration: 11s}, http: {maxRequestsPerConnection: 8}}}";
    const common = { idle_timeout: "12s", max_connection_duration: "11s", max_requests_per_connection: 8 };
    const http1 = { common_http_protocol_options: common, explicit_http_config: { http_protocol_options: {} } };
    for (const port of [80, 90])
      expect(protocolOf(cluster(`outbound|${port}||a.default.svc.cluster.local`, all(SERVICE, rule(pool))))).toEqual(http1);
    const own = rule("trafficPolicy: {connectionPool: {tcp: {idleTimeout: 12s}, http: {idleTimeout: 5s}}}");
    expect(protocolOf(cluster("outbound|80||a.default.svc.cluster.local", all(SERVICE, own)))).toMatchObject({
      common_http_protocol_options: { idle_timeout: "5s" },
    });
  });

  test("maxConcurrentStreams counts for HTTP/2 only, and is lost with the client's protocol", () => {
    const pool = (http: string) => all(SERVICE, rule(`trafficPolicy: {connectionPool: {http: {${http}}}}`));
    const http2 = (options: object) => ({ explicit_http_config: { http2_protocol_options: options } });
    const at = (port: number, http: string) => protocolOf(cluster(`outbound|${port}||a.default.svc.cluster.local`, pool(http)));
    expect(at(81, "maxConcurrentStreams: 4")).toEqual(http2({ max_concurrent_streams: 4 }));
    expect(at(80, "maxConcurrentStreams: 4")).toBeUndefined();
    expect(at(80, "maxConcurrentStreams: 4, h2UpgradePolicy: UPGRADE")).toEqual(http2({ max_concurrent_streams: 4 }));
    const followed = { use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} } };
    for (const port of [80, 81, 91]) expect(at(port, "maxConcurrentStreams: 4, useClientProtocol: true")).toEqual(followed);
    expect(at(91, "maxConcurrentStreams: 4, h2UpgradePolicy: UPGRADE")).toEqual(followed);
    expect(at(81, "http2KeepAlive: {interval: 30s, timeout: 5s}")).toEqual(
      http2({ connection_keepalive: { interval: "30s", timeout: "5s" } }),
    );
  });

  test("each number of tcpKeepalive is the rule's own, else the mesh's", () => {
    const mesh = { tcpKeepalive: { probes: 3, time: "30s", interval: "5s" } };
    const at = (resources: string, of: Caller) => keepaliveOf(cluster("outbound|80||a.default.svc.cluster.local", resources, of));
    expect(at(SERVICE, {})).toBeUndefined();
    expect(at(SERVICE, { mesh })).toEqual({ keepalive_probes: 3, keepalive_time: 30, keepalive_interval: 5 });
    const own = all(SERVICE, rule("trafficPolicy: {connectionPool: {tcp: {tcpKeepalive: {time: 90.5s}}}}"));
    expect(at(own, { mesh })).toEqual({ keepalive_probes: 3, keepalive_time: 90, keepalive_interval: 5 });
    expect(at(own, {})).toEqual({ keepalive_time: 90 });
    expect(at(all(SERVICE, rule("trafficPolicy: {connectionPool: {tcp: {tcpKeepalive: {}}}}")), {})).toEqual({});
  });

  test("a DestinationRule's pool counts on the side of the service too, the Sidecar's in its place", () => {
    const pool = rule("trafficPolicy: {connectionPool: {tcp: {maxConnections: 5, connectTimeout: 2s}, http: {h2UpgradePolicy: UPGRADE}}}");
    const inbound = (resources: string) => cluster("inbound|8080||", resources);
    const limitOf = (built: Json) => ((built["circuit_breakers"] as Json)["thresholds"] as Json[])[0]?.["max_connections"];
    expect(limitOf(inbound(SERVICE))).toBe(4_294_967_295);
    const built = inbound(all(SERVICE, pool));
    expect(limitOf(built)).toBe(5);
    expect(built["connect_timeout"]).toBe("2s");
    expect(protocolOf(built)).toBeUndefined();
    const sidecar = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: s, namespace: default}
spec: {egress: [{hosts: ["*/*"]}], inboundConnectionPool: {tcp: {maxConnections: 7}}}`;
    expect(limitOf(inbound(all(SERVICE, pool, sidecar)))).toBe(7);
  });

  test("MeshConfig's defaultTrafficPolicy is for what no rule says", () => {
    const mesh = { defaultTrafficPolicy: { connectionPool: { tcp: { connectTimeout: "7s" } } } };
    const timeout = (resources: string) => cluster("outbound|80||a.default.svc.cluster.local", resources, { mesh })["connect_timeout"];
    expect(timeout(SERVICE)).toBe("7s");
    expect(timeout(all(SERVICE, rule("trafficPolicy: {loadBalancer: {simple: RANDOM}}")))).toBe("7s");
    expect(timeout(all(SERVICE, rule("trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}")))).toBe("10s");
  });

  test("pass-through takes the caller's protocol, for five minutes of silence", () => {
    expect(protocolOf(cluster("PassthroughCluster", SERVICE))).toEqual({
      common_http_protocol_options: { idle_timeout: "300s" },
      use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} },
    });
  });
});

describe("outlier detection and retry budgets", () => {
  const at = (policy: string, mesh: unknown = {}) =>
    cluster("outbound|80||a.default.svc.cluster.local", all(SERVICE, rule(`trafficPolicy: {${policy}}`)), { mesh });

  // Newer than istiod 1.29, which does not know the field: as its successors write it.
  test("outlierDetectionHttpErrorCodes is a matcher on the status of answers, one or any of several", () => {
    const status = (exact: string) => ({ http_response_headers_match: { headers: [{ name: ":status", string_match: { exact } }] } });
    const matcherOf = (built: Json) => (protocolOf(built) as Json)["outlier_detection"];
    expect(matcherOf(at("outlierDetection: {outlierDetectionHttpErrorCodes: [429]}"))).toEqual({ error_matcher: status("429") });
    const several = { error_matcher: { or_match: { rules: [status("429"), status("503")] } } };
    expect(matcherOf(at("outlierDetection: {outlierDetectionHttpErrorCodes: [429, 503]}"))).toEqual(several);
    const mesh = { defaultTrafficPolicy: { outlierDetection: { outlierDetectionHttpErrorCodes: [429, 503] } } };
    expect(matcherOf(at("loadBalancer: {simple: RANDOM}", mesh))).toEqual(several);
    expect(protocolOf(at("outlierDetection: {consecutive5xxErrors: 1}"))).toBeUndefined();
  });

  test("budgetInterval goes with the retry budget", () => {
    const budgetOf = (built: Json) => ((built["circuit_breakers"] as Json)["thresholds"] as Json[])[0]?.["retry_budget"];
    const rest = { budget_percent: { value: 50 }, min_retry_concurrency: 3 };
    expect(budgetOf(at("retryBudget: {percent: 50, budgetInterval: 1.5s}"))).toEqual({ ...rest, budget_interval: "1.500s" });
    expect(budgetOf(at("retryBudget: {percent: 50}"))).toEqual(rest);
  });
});

describe("connectionSettings of a ProxyConfig", () => {
  // Newer than istiod 1.29, which does not know them: as its successors write them.
  const GATEWAY = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g, namespace: default}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}`;
  const settings = {
    httpIdleTimeout: "9s",
    httpMaxConnectionDuration: "8s",
    httpMaxStreamDuration: "3s",
    httpRequestTimeout: "7s",
    httpRequestHeadersTimeout: "6s",
    httpStreamIdleTimeout: "5s",
    httpDrainTimeout: "4s",
    httpMaxConcurrentStreams: 3,
    http2InitialStreamWindowSize: 70_000,
    http2InitialConnectionWindowSize: 80_000,
    listenerPerConnectionBufferLimitBytes: 9000,
    httpHeadersWithUnderscoresAction: "HEADERS_WITH_UNDERSCORES_DROP_HEADER",
    httpMergeSlashes: false,
    httpPathWithEscapedSlashesAction: "REJECT_REQUEST",
  };
  const written = {
    common_http_protocol_options: {
      idle_timeout: "9s",
      max_connection_duration: "8s",
      max_stream_duration: "3s",
      headers_with_underscores_action: "DROP_HEADER",
    },
    http2_protocol_options: { max_concurrent_streams: 3, initial_stream_window_size: 70_000, initial_connection_window_size: 80_000 },
    request_timeout: "7s",
    request_headers_timeout: "6s",
    stream_idle_timeout: "5s",
    drain_timeout: "4s",
    path_with_escaped_slashes_action: "REJECT_REQUEST",
  };
  const gateway = (of: Caller) => generatedFor(GATEWAY, { type: "router", ...of }).listeners.get("0.0.0.0_80");
  const edge = { connectionSettings: { profile: "EDGE", httpRequestTimeout: "7s" } };

  test("each is in every HTTP connection manager, and beats pathNormalization; the buffer is that of gateway listeners", () => {
    const mesh = { defaultConfig: { connectionSettings: settings }, pathNormalization: { normalization: "DECODE_AND_MERGE_SLASHES" } };
    const listener = gateway({ mesh });
    expect(managerOf(listener)).toMatchObject(written);
    expect(managerOf(listener)).not.toHaveProperty("merge_slashes");
    expect(listener).toMatchObject({ per_connection_buffer_limit_bytes: 9000 });
    const { listeners } = generatedFor(SERVICE, { mesh: { ...mesh, proxyHttpPort: 15_007 } });
    for (const [name, chain] of [
      ["virtualInbound", "0.0.0.0_8080"],
      ["127.0.0.1_15007", undefined],
    ] as const) {
      expect(managerOf(listeners.get(name), chain)).toMatchObject(written);
      expect(listeners.get(name)).not.toHaveProperty("per_connection_buffer_limit_bytes");
    }
  });

  test("the profile EDGE fills the rest in at gateways only; a proxy's own stands in place of the mesh's", () => {
    expect(gateway({ mesh: { defaultConfig: edge } })).toMatchObject({ per_connection_buffer_limit_bytes: 32_768 });
    expect(managerOf(gateway({ mesh: { defaultConfig: edge } }))).toMatchObject({
      request_timeout: "7s",
      stream_idle_timeout: "300s",
      merge_slashes: true,
      path_with_escaped_slashes_action: "UNESCAPE_AND_REDIRECT",
      common_http_protocol_options: { idle_timeout: "3600s", headers_with_underscores_action: "REJECT_REQUEST" },
    });
    const sidecar = generatedFor(SERVICE, { mesh: { defaultConfig: edge } }).listeners.get("virtualInbound");
    expect(managerOf(sidecar, "0.0.0.0_8080")).toMatchObject({ request_timeout: "7s", stream_idle_timeout: "0s" });
    const mesh = { defaultConfig: { connectionSettings: settings } };
    expect(managerOf(gateway({ mesh, metadata: { PROXY_CONFIG: edge } }))).toMatchObject({ stream_idle_timeout: "300s" });
    expect(managerOf(gateway({ mesh, metadata: { PROXY_CONFIG: { gatewayTopology: {} } } }))).toMatchObject(written);
    expect(managerOf(gateway({}))).not.toHaveProperty("request_timeout");
  });
});

describe("zone aware load balancing", () => {
  // Newer than istiod 1.29, which does not know the field: as its successors write it.
  const commonOf = (policy: string, mesh: unknown = {}) =>
    cluster("outbound|80||a.default.svc.cluster.local", all(SERVICE, rule(`trafficPolicy: {${policy}}`)), { mesh })["common_lb_config"];

  test("the rule's setting, else the mesh's; off is said, and beats the mesh", () => {
    expect(commonOf("loadBalancer: {zoneAwareLbSetting: {minClusterSize: 3}}")).toEqual({
      zone_aware_lb_config: { min_cluster_size: "3" },
    });
    expect(commonOf("loadBalancer: {zoneAwareLbSetting: {}}")).toEqual({ zone_aware_lb_config: {} });
    const mesh = { zoneAwareLbSetting: { minClusterSize: 9 }, localityLbSetting: { failover: [{ from: "a", to: "b" }] } };
    expect(commonOf("outlierDetection: {}", mesh)).toEqual({
      healthy_panic_threshold: {},
      zone_aware_lb_config: { min_cluster_size: "9" },
    });
    const off = { zone_aware_lb_config: { routing_enabled: {} } };
    expect(commonOf("loadBalancer: {zoneAwareLbSetting: {enabled: false}}", mesh)).toEqual(off);
    expect(commonOf("loadBalancer: {localityLbSetting: {enabled: true}}", mesh)).toBeUndefined();
  });
});

describe("where connections go", () => {
  const open = (port: string, resolution = "NONE"): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: open, namespace: default}
spec: {hosts: [open.test], addresses: [240.0.1.9], resolution: ${resolution}, ports: [${port}]${resolution === "NONE" ? "" : ", endpoints: [{address: 10.0.0.1}]"}}
`;

  test("resolution NONE keeps the address and goes to targetPort, if that is written", () => {
    const built = (port: string, ...more: string[]) => cluster("outbound|443||open.test", all(open(port), ...more));
    const to = (port: number) => ({ type: "ORIGINAL_DST", original_dst_lb_config: { upstream_port_override: port } });
    expect(built("{number: 443, name: tls, protocol: TLS, targetPort: 8443}")).toMatchObject(to(8443));
    expect(built("{number: 443, name: tls, protocol: TLS, targetPort: 443}")).toMatchObject(to(443));
    expect(built("{number: 443, name: tls, protocol: TLS}")).not.toHaveProperty("original_dst_lb_config");
    const passThrough = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: open, namespace: default}
spec: {host: open.test, trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}}}
`;
    const fixed = open("{number: 443, name: tls, protocol: TLS, targetPort: 8443}", "STATIC");
    expect(cluster("outbound|443||open.test", all(fixed, passThrough))).not.toHaveProperty("original_dst_lb_config");
  });

  test("a gateway has clusters of what is exported to it, and of nothing else that rules of the mesh send to", () => {
    const hidden = open("{number: 80, name: http, protocol: HTTP}").replace("spec: {", "spec: {exportTo: [elsewhere], ");
    const rules = routes("[{route: [{destination: {host: open.test}}]}]");
    const has = (of: Caller) => generatedFor(all(SERVICE, hidden, rules), of).clusters.has("outbound|80||open.test");
    expect(has({ type: "router" })).toBe(false);
    expect(has({ namespace: "elsewhere" })).toBe(true);
  });

  test("PASSTHROUGH of a subset holds whatever it says of single ports; of the whole service, unless that port says otherwise", () => {
    const type = (text: string, subset = "v1") =>
      cluster(`outbound|80|${subset}|a.default.svc.cluster.local`, all(SERVICE, rule(text)))["type"];
    const pass = "loadBalancer: {simple: PASSTHROUGH}";
    const port = "portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: RANDOM}}]";
    expect(type(`subsets: [{name: v1, trafficPolicy: {${pass}, ${port}}}]`)).toBe("ORIGINAL_DST");
    expect(type(`trafficPolicy: {${pass}, ${port}}, subsets: [{name: v1}]`)).toBe("EDS");
    expect(type(`trafficPolicy: {${pass}}, subsets: [{name: v1, trafficPolicy: {loadBalancer: {simple: RANDOM}}}]`)).toBe("ORIGINAL_DST");
  });

  test("an application at the pod's own address sees the inbound side's address, one at loopback does not", () => {
    const ingress = (endpoint: string): string => `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: own, namespace: default}
spec: {ingress: [{port: {number: 9090, name: in, protocol: HTTP}, defaultEndpoint: "${endpoint}"}], egress: [{hosts: ["*/*"]}]}
`;
    expect(cluster("inbound|8080||", SERVICE)).toMatchObject({ type: "ORIGINAL_DST", cleanup_interval: "9223372035s" });
    const source = { upstream_bind_config: { source_address: { address: "127.0.0.6", port_value: 0 } } };
    expect(cluster("inbound|9090||", ingress("0.0.0.0:8080"))).toMatchObject(source);
    expect(cluster("inbound|9090||", ingress("127.0.0.1:8080"))).not.toHaveProperty("upstream_bind_config");
    expect(cluster("inbound|9090||", ingress("unix:///tmp/app.sock"))).not.toHaveProperty("upstream_bind_config");
  });
});

describe("several DestinationRules of one host", () => {
  const one = (name: string, spec: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${name}, namespace: default}
spec: {host: a, ${spec}}
`;
  const RANDOM = "trafficPolicy: {loadBalancer: {simple: RANDOM}}";
  const balancerOf = (...rules: string[]) => cluster("outbound|80||a.default.svc.cluster.local", all(SERVICE, ...rules))["lb_policy"];
  const subsetsOf = (...rules: string[]) =>
    [...generatedFor(all(SERVICE, ...rules)).clusters.keys()]
      .filter((name) => name.startsWith("outbound|80|v"))
      .map((name) => name.slice(12, 14));

  test("become one where their exportTo is written alike; else the last is taken alone", () => {
    expect(balancerOf(one("r1", RANDOM), one("r2", "subsets: [{name: v1}]"))).toBe("RANDOM");
    expect(balancerOf(one("r1", `${RANDOM}, exportTo: ["*"]`), one("r2", "subsets: [{name: v1}]"))).toBe("LEAST_REQUEST");
    expect(subsetsOf(one("r1", `subsets: [{name: v1}], exportTo: ["*"]`), one("r2", "subsets: [{name: v2}]"))).toEqual(["v2"]);
  });

  test("a wider exportTo joins a narrower one", () => {
    const rules = [one("r1", `subsets: [{name: v1}], exportTo: [default]`), one("r2", `subsets: [{name: v2}], exportTo: [default, b]`)];
    expect(subsetsOf(...rules)).toEqual(["v1", "v2"]);
    expect(subsetsOf(...rules.toReversed().map((text, i) => text.replace(/r[12]/, `r${i + 1}`)))).toEqual(["v1"]);
  });

  test("a rule for some workloads takes in a plain one that is private by a dot", () => {
    const some = one("r1", `${RANDOM}, workloadSelector: {matchLabels: {app: other}}`);
    const plain = "trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}";
    expect(balancerOf(some, one("r2", `trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x}}}`))).toBe("RING_HASH");
    expect(balancerOf(some, one("r2", `${plain.replace("ROUND_ROBIN", "RANDOM")}, exportTo: [default]`))).toBe("RANDOM");
    expect(balancerOf(some, one("r2", `trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x}}}, exportTo: ["."]`))).toBe(
      "LEAST_REQUEST",
    );
  });
});

describe("what rules of a Sidecar's listeners send to", () => {
  const far = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: far, namespace: far}
spec: {hosts: [far.test], location: MESH_INTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}, {number: 90, name: tcp, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: own, namespace: default}
spec: {egress: [{hosts: ["./*"]}]}
`;
  const has = (spec: string): boolean =>
    generatedFor(
      all(
        SERVICE,
        far,
        `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs, namespace: default}
spec: {hosts: [a.default.svc.cluster.local], ${spec}}
`,
      ),
    ).clusters.has("outbound|80||far.test");

  test("an HTTP rule that names another namespace brings nothing, even beside a match that names none", () => {
    const http = (match: string) => `http: [{match: [${match}], route: [{destination: {host: far.test}}]}]`;
    expect(has(http("{uri: {prefix: /a}}"))).toBe(true);
    expect(has(http("{sourceNamespace: default}, {sourceNamespace: b}"))).toBe(true);
    expect(has(http("{sourceNamespace: b}, {uri: {prefix: /a}}"))).toBe(false);
  });

  test("rules of TCP and TLS bring what they send to, whoever they are for", () => {
    const l4 = (match: string) => `[{match: [${match}], route: [{destination: {host: far.test}}]}]`;
    expect(has(`tcp: ${l4("{sourceNamespace: b}")}`)).toBe(true);
    expect(has(`tls: ${l4("{sniHosts: [a.default.svc.cluster.local], sourceNamespace: b}")}`)).toBe(true);
  });
});

describe("routes", () => {
  test("the operation names the only destination, else the VirtualService, and the path as matched", () => {
    const built = routesOf(`[
      {match: [{uri: {exact: /x}}, {uri: {regex: "/r.*"}}, {uri: {prefix: /p}}], route: [{destination: {host: a, port: {number: 80}}}]},
      {match: [{uri: {prefix: /w}}], route: [{destination: {host: a}, weight: 1}, {destination: {host: b}, weight: 2}]},
      {match: [{method: {exact: PUT}}], redirect: {uri: /}},
      {directResponse: {status: 200}}]`);
    const host = "a.default.svc.cluster.local:80";
    expect(built.map((route) => (route["decorator"] as Json)["operation"])).toEqual([
      `${host}/x`,
      `${host}/r.*`,
      `${host}/p*`,
      "vs:80/w*",
      "vs:80/*",
      "vs:80/*",
    ]);
  });

  test("which Host wins: rewrite, route, destination; adding one is setting it", () => {
    const [rewrite, route, destination, added] = routesOf(`[
      {match: [{uri: {prefix: /1}}], rewrite: {authority: r}, route: [{destination: {host: a}, headers: {request: {set: {host: d}}}}]},
      {match: [{uri: {prefix: /2}}], headers: {request: {set: {":authority": h}}}, route: [{destination: {host: a}, headers: {request: {set: {host: d}}}}]},
      {match: [{uri: {prefix: /3}}], route: [{destination: {host: a}, headers: {request: {set: {Host: d}}}}]},
      {headers: {request: {add: {host: x}}}, route: [{destination: {host: a}}]}]`).map((one) => actionOf(one)["host_rewrite_literal"]);
    expect([rewrite, route, destination, added]).toEqual(["r", "h", "d", "x"]);
  });

  test("x-forwarded-host is for rewrites only, and for what passes through", () => {
    const mesh = { defaultConfig: { proxyHeaders: { xForwardedHost: { enabled: true } } } };
    const built = routesOf(
      `[{match: [{uri: {prefix: /1}}], rewrite: {uri: /x}, route: [{destination: {host: a}}]}, {headers: {request: {set: {host: d}}}, route: [{destination: {host: a}}]}]`,
      mesh,
    );
    expect(built.map((route) => actionOf(route)["append_x_forwarded_host"])).toEqual([true, undefined]);
    const hosts = generatedFor(SERVICE, { mesh }).routes.get("80")?.["virtual_hosts"] as Json[];
    const any = hosts.find((host) => host["name"] === "allow_any")?.["routes"] as Json[];
    expect(actionOf(any[0])["append_x_forwarded_host"]).toBe(true);
  });

  test("retries: numbers are status codes, five hosts are tried for one that is new, attempts 0 is none", () => {
    const retries = (text: string) => actionOf(routesOf(`[{retries: ${text}, route: [{destination: {host: a}}]}]`)[0])["retry_policy"];
    expect(retries("{attempts: 3, retryOn: '5xx,503', retryIgnorePreviousHosts: false, backoff: 1s, perTryTimeout: 2s}")).toEqual({
      num_retries: 3,
      retry_on: "5xx,retriable-status-codes",
      retriable_status_codes: [503],
      host_selection_retry_max_attempts: "5",
      per_try_timeout: "2s",
      retry_back_off: { base_interval: "1s" },
    });
    expect(retries("{attempts: 0}")).toBeUndefined();
  });
});

test("HTTP/1.0 for all proxies: taken, and found where a port is detected", () => {
  const found = (istiod: object) => {
    const { listeners } = generatedFor(SERVICE, { istiod });
    const chains = listeners.get("240.0.1.1_91")?.["filter_chains"] as Json[];
    const names = chains.map((chain) => (chain["filter_chain_match"] as Json | undefined)?.["application_protocols"]);
    return [managerOf(listeners.get("0.0.0.0_80"))["http_protocol_options"], names.find((one) => one !== undefined)];
  };
  expect(found({ http10: true })).toEqual([{ accept_http_10: true }, ["http/1.0", "http/1.1", "h2c"]]);
  expect(found({})).toEqual([undefined, ["http/1.1", "h2c"]]);
});

describe("HTTP connection managers", () => {
  const outbound = (of: Caller) => managerOf(generatedFor(SERVICE, of).listeners.get("0.0.0.0_80"));
  const GATEWAY = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g, namespace: default}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}]}`;
  const gateway = (of: Caller) => managerOf(generatedFor(all(SERVICE, GATEWAY), { type: "router", ...of }).listeners.get("0.0.0.0_8080"));
  const inbound = (of: Caller) => {
    return managerOf(generatedFor(SERVICE, { labels: { app: "a" }, ...of }).listeners.get("virtualInbound"), "0.0.0.0_8080");
  };
  const headers = (proxyHeaders: object): Caller => ({ mesh: { defaultConfig: { proxyHeaders } } });

  test("the server's name on each side, and none of the proxy's", () => {
    expect([outbound({}), inbound({}), gateway({})].map((manager) => manager["server_name"])).toEqual([
      undefined,
      "istio-envoy",
      "istio-envoy",
    ]);
    const named = headers({ server: { value: "x" } });
    expect([outbound(named), inbound(named), gateway(named)].map((manager) => manager["server_name"])).toEqual(["x", "x", "x"]);
    const off = headers({ server: { disabled: true } });
    for (const manager of [outbound(off), inbound(off), gateway(off)]) expect(manager["server_header_transformation"]).toBe("PASS_THROUGH");
  });

  test("client certificates: a sidecar has proxyHeaders, a gateway its topology", () => {
    expect(inbound({})).toMatchObject({
      forward_client_cert_details: "APPEND_FORWARD",
      set_current_client_cert_details: { subject: true, dns: true, uri: true },
    });
    const own = headers({ forwardedClientCert: "SANITIZE_SET", setCurrentClientCertDetails: { subject: false, cert: true, dns: false } });
    expect(inbound(own)["forward_client_cert_details"]).toBe("SANITIZE_SET");
    expect(inbound(own)["set_current_client_cert_details"]).toEqual({ subject: false, cert: true, uri: true });
    expect(gateway(own)["forward_client_cert_details"]).toBe("SANITIZE_SET");
    const topology = { mesh: { defaultConfig: { gatewayTopology: { forwardClientCertDetails: "FORWARD_ONLY" } } } };
    expect(gateway(topology)["forward_client_cert_details"]).toBe("FORWARD_ONLY");
    expect(gateway(topology)["set_current_client_cert_details"]).toBeUndefined();
  });

  test("debug headers, attempt counts, request ids, ports, the case of names", () => {
    const off = { envoyDebugHeaders: { disabled: true }, requestId: { disabled: true }, attemptCount: { disabled: true } };
    const manager = outbound(headers({ ...off, xForwardedPort: { enabled: true }, preserveHttp1HeaderCase: true }));
    expect(manager.http_filters.at(-1)).toMatchObject({ typed_config: { suppress_envoy_headers: true } });
    expect(manager).toMatchObject({ generate_request_id: false, append_x_forwarded_port: true });
    expect(JSON.stringify(manager["http_protocol_options"])).toContain("PreserveCaseFormatterConfig");
    const hosts = generatedFor(SERVICE, headers(off)).routes.get("80")?.["virtual_hosts"] as Json[];
    expect(hosts.map((host) => host["include_request_attempt_count"])).toEqual([undefined, undefined]);
  });

  test("a proxy's own ProxyConfig takes the place of the mesh's", () => {
    const mesh = { defaultConfig: { proxyHeaders: { server: { value: "mesh" } }, gatewayTopology: { numTrustedProxies: 2 } } };
    const metadata = { PROXY_CONFIG: { gatewayTopology: { numTrustedProxies: 1 } } };
    expect(gateway({ mesh })).toMatchObject({ server_name: "mesh", xff_num_trusted_hops: 2 });
    expect(gateway({ mesh, metadata })).toMatchObject({ server_name: "istio-envoy", xff_num_trusted_hops: 1 });
  });

  test("tracing is on without a provider, for the decorator's sake; metadata IDLE_TIMEOUT ends silent callers", () => {
    expect(outbound({})["tracing"]).toMatchObject({ random_sampling: { value: 1 } });
    expect(outbound({ mesh: { defaultConfig: { tracing: { sampling: 7 } } } })["tracing"]).toMatchObject({ random_sampling: { value: 7 } });
    expect(outbound({ mesh: { enableTracing: false } })["tracing"]).toBeUndefined();
    expect(outbound({ metadata: { IDLE_TIMEOUT: "30s" } })["common_http_protocol_options"]).toEqual({ idle_timeout: "30s" });
  });

  test("inbound requests are tried again when their connection broke before; gRPC ones are not; MeshConfig may say otherwise", () => {
    const policyOf = (resources: string, mesh: unknown = {}) => {
      const manager = managerOf(generatedFor(resources, { mesh }).listeners.get("virtualInbound"), "0.0.0.0_8081");
      const hosts = (manager["route_config"] as Json)["virtual_hosts"] as Json[];
      return actionOf((hosts[0]?.["routes"] as Json[])[0])["retry_policy"];
    };
    expect(policyOf(SERVICE)).toEqual({ num_retries: 2, retry_on: "reset-before-request" });
    expect(policyOf(SERVICE.replace("protocol: HTTP2", "protocol: GRPC"))).toBeUndefined();
    expect(policyOf(SERVICE, { defaultInboundHttpRetryPolicy: { attempts: 0 } })).toBeUndefined();
    expect(policyOf(SERVICE, { defaultInboundHttpRetryPolicy: { attempts: 1, retryOn: "503" } })).toMatchObject({ num_retries: 1 });
  });
});

describe("access logs", () => {
  const formatOf = (mesh: object) => {
    const manager = managerOf(generatedFor(SERVICE, { mesh: { accessLogFile: "/dev/stdout", ...mesh } }).listeners.get("0.0.0.0_80"));
    return ((manager["access_log"] as Json[])[0]?.["typed_config"] as Json)["log_format"] as Json;
  };

  test("a text of one's own ends with a line break; the operator of an extension brings it", () => {
    expect(formatOf({ accessLogFormat: "%REQ_WITHOUT_QUERY(:PATH)%" })).toMatchObject({
      text_format_source: { inline_string: "%REQ_WITHOUT_QUERY(:PATH)%\n" },
      formatters: [{ name: "envoy.formatter.req_without_query" }],
    });
  });

  test("a listener logs what no filter chain takes, unless that is switched off", () => {
    const logOf = (mesh: object) => {
      const { listeners } = generatedFor(SERVICE, { mesh: { accessLogFile: "/dev/stdout", ...mesh } });
      return listeners.get("virtualInbound")?.["access_log"] as Json[] | undefined;
    };
    expect(logOf({})).toMatchObject([{ filter: { response_flag_filter: { flags: ["NR"] } } }]);
    expect(logOf({ disableEnvoyListenerLog: true })).toBeUndefined();
  });

  test("JSON: one's own fields as they are, Istio's where those are no object", () => {
    const own = { accessLogEncoding: "JSON", accessLogFormat: '{"a": "%PROTOCOL%", "n": 1, "o": {"b": true}}' };
    expect(formatOf(own)["json_format"]).toEqual({ a: "%PROTOCOL%", n: 1, o: { b: true } });
    expect(formatOf({ accessLogEncoding: "JSON", accessLogFormat: "no json" })["json_format"]).toMatchObject({
      route_name: "%ROUTE_NAME%",
    });
  });
});
