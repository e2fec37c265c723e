import { describe, expect, test } from "vitest";
import {
  type Cluster,
  ClusterSchema,
  type FilterChain,
  fromBinary,
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
  type Listener,
  ListenerSchema,
  RouteConfigurationSchema,
  TypedExtensionConfigSchema,
  unpackAny,
  type VirtualHost,
  VirtualHostSchema,
} from "../../envoy-api/index.ts";
import { TYPE_URL, type XdsResources } from "../../kit/index.ts";
import { parseNode } from "../../model/index.ts";
import { parseSources } from "../../resources/index.ts";
import { buildMesh, checkReferences, inboundFor, viewFor } from "../../translate/index.ts";
import { checkEnvoyPatch, generate } from "../index.ts";

const WEB = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: shop}
spec: {hosts: [web.shop.svc.cluster.local], addresses: [240.8.0.1], location: MESH_INTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 127.0.0.1, ports: {http: 31001}}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: alt, namespace: shop}
spec: {hosts: [alt.shop.svc.cluster.local], addresses: [240.8.0.2], location: MESH_INTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 127.0.0.1, ports: {http: 31001}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec: {hosts: [web], http: [{name: main, match: [{uri: {prefix: /a}}], route: [{destination: {host: web}}]}, {name: moved, redirect: {uri: /x}}]}
`;

interface FilterOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly spec?: string;
  readonly created?: string;
}

function envoyFilter(patches: readonly string[], options: FilterOptions = {}): string {
  const { name = "f", namespace = "shop", spec = "", created = "2024-01-01T00:00:00Z" } = options;
  return `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: ${name}, namespace: ${namespace}, creationTimestamp: "${created}"}
spec: {${spec === "" ? "" : `${spec}, `}configPatches: [${patches.join(", ")}]}`;
}

const PROXY = {
  id: "sidecar~10.9.9.9~client-1.shop~shop.svc.cluster.local",
  metadata: { NAMESPACE: "shop", LABELS: { app: "client" }, CLUSTER_ID: "Kubernetes", ISTIO_VERSION: "1.29.0", TEAM: "blue" },
};

interface World {
  readonly resources: XdsResources;
  readonly listener: (name: string) => Listener | undefined;
  readonly cluster: (name: string) => Cluster | undefined;
  readonly hosts: () => readonly VirtualHost[];
}

function world(documents: readonly string[], options: { delta?: boolean; node?: typeof PROXY } = {}): World {
  const { resources, issues } = parseSources([{ file: "t.yaml", text: [WEB, ...documents].join("\n---\n") }]);
  const errors = issues.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  const snapshot = buildMesh({ resources, meshConfig: { proxyHttpPort: 15007 } });
  const node = parseNode({ ...(options.node ?? PROXY), virtualHostDiscovery: options.delta ?? false });
  if (!node.ok) throw new Error(node.error);
  const made = generate({
    config: viewFor(snapshot, node.value),
    inbound: inboundFor(snapshot, node.value),
    endpoints: snapshot.endpoints,
  });
  const bytes = (type: keyof typeof TYPE_URL, name: string): Uint8Array | undefined => made.byType.get(TYPE_URL[type])?.get(name)?.bytes;
  const read = <T>(found: Uint8Array | undefined, decode: (bytes: Uint8Array) => T): T | undefined =>
    found === undefined ? undefined : decode(found);
  return {
    resources: made,
    listener: (name) => read(bytes("listener", name), (found) => fromBinary(ListenerSchema, found)),
    cluster: (name) => read(bytes("cluster", name), (found) => fromBinary(ClusterSchema, found)),
    hosts: () => {
      const alone = [...(made.byType.get(TYPE_URL.virtualHost)?.values() ?? [])].map((one) => fromBinary(VirtualHostSchema, one.bytes));
      const inline = read(bytes("route", "http_proxy"), (found) => fromBinary(RouteConfigurationSchema, found))?.virtualHosts ?? [];
      return [...alone, ...inline];
    },
  };
}

const PORT = "127.0.0.1_15007";
const WEB_CLUSTER = "outbound|80||web.shop.svc.cluster.local";

function managerOf(listener: Listener | undefined): HttpConnectionManager | undefined {
  const chain: FilterChain | undefined = listener?.filterChains[0];
  const config = chain?.filters[0]?.configType;
  return config?.case === "typedConfig" ? unpackAny(HttpConnectionManagerSchema, config.value) : undefined;
}

function filterNames(made: World, listener = PORT): readonly string[] {
  return managerOf(made.listener(listener))?.httpFilters.map(({ name }) => name) ?? [];
}

const MARK = `typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation}`;

function mark(name: string, match = "{context: SIDECAR_OUTBOUND}"): string {
  return `{applyTo: HTTP_FILTER, match: ${match}, patch: {operation: INSERT_FIRST, value: {name: ${name}, ${MARK}}}}`;
}

function marks(made: World, listener = PORT): string {
  return filterNames(made, listener)
    .filter((name) => !name.startsWith("envoy."))
    .join();
}

describe("which patches, in which order", () => {
  test("priority, the root namespace's, the oldest, then by name; each puts itself in front of those before", () => {
    const made = world([
      envoyFilter([mark("late")], { name: "a", spec: "priority: 5" }),
      envoyFilter([mark("young")], { name: "b", created: "2025-01-01T00:00:00Z" }),
      envoyFilter([mark("old-z")], { name: "z" }),
      envoyFilter([mark("old-c")], { name: "c" }),
      envoyFilter([mark("root")], { name: "y", namespace: "istio-system", created: "2026-01-01T00:00:00Z" }),
      envoyFilter([mark("early")], { name: "x", spec: "priority: -1" }),
      envoyFilter([mark("foreign")], { name: "w", namespace: "elsewhere" }),
    ]);
    expect(marks(made)).toBe("late,young,old-z,old-c,root,early");
  });

  test("selectors, version, metadata and context of the proxy", () => {
    const proxy = (condition: string): string => `{context: SIDECAR_OUTBOUND, proxy: {${condition}}}`;
    const made = world([
      envoyFilter([mark("mine")], { name: "a", spec: "workloadSelector: {labels: {app: client}}" }),
      envoyFilter([mark("not-mine")], { name: "b", spec: "workloadSelector: {labels: {app: other}}" }),
      envoyFilter([mark("gateway-api")], { name: "c", spec: "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}]" }),
      envoyFilter([mark("v29", proxy(`proxyVersion: "29"`)), mark("v28", proxy(`proxyVersion: "^1[.]28"`))], { name: "d" }),
      envoyFilter([mark("blue", proxy("metadata: {TEAM: blue}")), mark("red", proxy("metadata: {TEAM: red}"))], { name: "e" }),
      envoyFilter([mark("any", "{}"), mark("in", "{context: SIDECAR_INBOUND}"), mark("gw", "{context: GATEWAY}")], { name: "f" }),
    ]);
    expect(marks(made)).toBe("any,blue,v29,mine");
  });

  test("a targetRef meets the gateway of that name", () => {
    const node = {
      id: "router~10.9.9.9~g-1.shop~shop.svc.cluster.local",
      metadata: { ...PROXY.metadata, LABELS: { app: "x", "gateway.networking.k8s.io/gateway-name": "g" } },
    };
    const gateway = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g, namespace: shop}
spec: {selector: {app: x}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}]}`;
    const targeted = `targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}]`;
    const made = world([gateway, envoyFilter([mark("gw", "{context: GATEWAY}")], { spec: targeted })], { node });
    expect(marks(made, "0.0.0.0_8080")).toBe("gw");
  });
});

describe("a patch that cannot work", () => {
  test("is left out by itself, and said with its place", () => {
    const bad = `{applyTo: HTTP_FILTER, match: {context: SIDECAR_OUTBOUND}, patch: {operation: ADD, value: {name: x, typed_config: {"@type": type.googleapis.com/a.B}}}}`;
    const odd = `{applyTo: CLUSTER, match: {context: SIDECAR_OUTBOUND}, patch: {operation: MERGE, value: {connect_timeout: 3s, no_such_field: 1}}}`;
    const documents = [envoyFilter([bad, mark("good"), odd])];
    const made = world(documents);
    expect(marks(made)).toBe("good");
    expect(made.cluster(WEB_CLUSTER)?.connectTimeout?.seconds).toBe(3n);
    const { resources } = parseSources([{ file: "t.yaml", text: documents.join("\n---\n") }]);
    const issues = checkReferences(buildMesh({ resources }), checkEnvoyPatch);
    expect(issues.map(({ code, severity, path, line }) => [code, severity, path, line > 0])).toEqual([
      ["SERIN0208", "error", "spec.configPatches[0].patch.value", true],
      ["SERIN0208", "warning", "spec.configPatches[2].patch.value", true],
    ]);
    expect(issues[0]?.message).toContain("a.B");
  });

  test.each([
    [`{applyTo: BOOTSTRAP, patch: {operation: MERGE, value: {}}}`, "SERIN0207", "applyTo"],
    [`{applyTo: CLUSTER, patch: {operation: REPLACE, value: {}}}`, "IST0152", "patch.operation"],
    [`{applyTo: ROUTE_CONFIGURATION, patch: {operation: ADD, value: {}}}`, "IST0153", "patch.operation"],
    [`{applyTo: ROUTE_CONFIGURATION, patch: {operation: REMOVE}}`, "IST0154", "patch.operation"],
    [`{applyTo: HTTP_FILTER, match: {context: GATEWAY}, patch: {operation: REMOVE}}`, "SERIN0207", "match"],
  ])("%s has no effect and says so", (patch, code, field) => {
    const { resources } = parseSources([{ file: "t.yaml", text: envoyFilter([patch]) }]);
    const issues = checkReferences(buildMesh({ resources }), checkEnvoyPatch);
    expect(issues.map((issue) => [issue.code, issue.severity, issue.path])).toEqual([[code, "warning", `spec.configPatches[0].${field}`]]);
  });

  test("MERGE of another type costs that listener its HTTP filter patches, as in Istio, and no other listener", () => {
    const wrong = `{applyTo: HTTP_FILTER, match: {context: SIDECAR_OUTBOUND, listener: {name: "${PORT}", filterChain: {filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: envoy.filters.http.router}}}}}, patch: {operation: MERGE, value: {${MARK}}}}`;
    const made = world([envoyFilter([mark("one"), wrong])]);
    expect(marks(made)).toBe("");
    expect(marks(made, "0.0.0.0_80")).toBe("one");
  });
});

describe("routes", () => {
  const TO_ADDED = `{applyTo: HTTP_ROUTE, match: {context: SIDECAR_OUTBOUND, routeConfiguration: {vhost: {route: {name: main, action: ROUTE}}}}, patch: {operation: MERGE, value: {route: {cluster: added}}}}`;
  const routesOf = (made: World, host: string): readonly string[] =>
    made
      .hosts()
      .find(({ name }) => name.endsWith(host))
      ?.routes.map(
        ({ name, action }) => `${name}:${action.case === "route" ? (action.value.clusterSpecifier.value as string) : action.case}`,
      ) ?? [];

  test.each([false, true])("reach the virtual host, alone or inline (delta: %s), which now waits for its cluster", (delta) => {
    const made = world([envoyFilter([TO_ADDED])], { delta });
    expect(routesOf(made, "web.shop.svc.cluster.local:80")).toEqual(["main:added", "moved:redirect"]);
    const set = made.resources.byType.get(delta ? TYPE_URL.virtualHost : TYPE_URL.route);
    const names = [...(set?.values() ?? [])].flatMap((one) => one.references?.map(({ name }) => name) ?? []);
    expect(names).toContain("added");
  });

  test("hosts that no patch meets are the very resources that other proxies have", () => {
    const plain = world([], { delta: true });
    const patched = world([envoyFilter([TO_ADDED])], { delta: true });
    const version = (made: World, name: string): string | undefined => made.resources.byType.get(TYPE_URL.virtualHost)?.get(name)?.version;
    expect(version(patched, "80/alt.shop.svc.cluster.local:80")).toBe(version(plain, "80/alt.shop.svc.cluster.local:80"));
    expect(version(patched, "80/web.shop.svc.cluster.local:80")).not.toBe(version(plain, "80/web.shop.svc.cluster.local:80"));
  });

  test("insertions around a named route, removal, and a host of its own", () => {
    const at = (route: string): string =>
      `{context: SIDECAR_OUTBOUND, routeConfiguration: {vhost: {name: "web.shop.svc.cluster.local:80"${route}}}}`;
    const direct = (name: string): string => `{name: ${name}, match: {prefix: /}, direct_response: {status: 200}}`;
    const made = world(
      [
        envoyFilter([
          `{applyTo: HTTP_ROUTE, match: ${at(", route: {name: moved}")}, patch: {operation: INSERT_BEFORE, value: ${direct("before")}}}`,
          `{applyTo: HTTP_ROUTE, match: ${at(", route: {name: gone}")}, patch: {operation: INSERT_FIRST, value: ${direct("lost")}}}`,
          `{applyTo: HTTP_ROUTE, match: ${at(", route: {name: before}")}, patch: {operation: INSERT_FIRST, value: ${direct("first")}}}`,
          `{applyTo: HTTP_ROUTE, match: ${at(", route: {name: main}")}, patch: {operation: REMOVE}}`,
          `{applyTo: VIRTUAL_HOST, match: {context: SIDECAR_OUTBOUND, routeConfiguration: {name: "80"}}, patch: {operation: ADD, value: {name: own, domains: [own.example]}}}`,
          `{applyTo: VIRTUAL_HOST, match: {context: SIDECAR_OUTBOUND, routeConfiguration: {portNumber: 80, vhost: {domainName: alt.shop.svc.cluster.local}}}, patch: {operation: REMOVE}}`,
        ]),
      ],
      { delta: true },
    );
    expect(routesOf(made, "80/web.shop.svc.cluster.local:80").map((one) => one.split(":")[0])).toEqual(["first", "before", "moved"]);
    const hosts = [...(made.resources.byType.get(TYPE_URL.virtualHost)?.keys() ?? [])];
    expect(hosts).toContain("80/own");
    expect(hosts.filter((name) => name.includes("alt."))).toEqual(["http_proxy/alt.shop.svc.cluster.local:80"]);
  });
});

describe("clusters and extensions", () => {
  test("removed ones take their endpoints with them, added ones are there", () => {
    const made = world([
      envoyFilter([
        `{applyTo: CLUSTER, match: {cluster: {service: web.shop.svc.cluster.local, portNumber: 80}}, patch: {operation: REMOVE}}`,
        `{applyTo: CLUSTER, match: {context: SIDECAR_OUTBOUND}, patch: {operation: ADD, value: {name: added, type: STATIC}}}`,
        `{applyTo: CLUSTER, match: {context: GATEWAY}, patch: {operation: ADD, value: {name: elsewhere, type: STATIC}}}`,
      ]),
    ]);
    expect([made.cluster(WEB_CLUSTER), made.cluster("elsewhere")]).toEqual([undefined, undefined]);
    expect(made.resources.byType.get(TYPE_URL.endpoint)?.has(WEB_CLUSTER)).toBe(false);
    expect(made.cluster("added")?.name).toBe("added");
  });

  test("extension configs are served by name", () => {
    const made = world([envoyFilter([`{applyTo: EXTENSION_CONFIG, patch: {operation: ADD, value: {name: ext, ${MARK}}}}`])]);
    const bytes = made.resources.byType.get(TYPE_URL.extensionConfig)?.get("ext")?.bytes ?? new Uint8Array();
    expect(fromBinary(TypedExtensionConfigSchema, bytes).typedConfig?.typeUrl).toContain("HeaderMutation");
  });
});

test("proxies that are patched alike share one view, and those that are not keep the plain one", () => {
  const text = [WEB, envoyFilter([mark("one")], { spec: "workloadSelector: {labels: {app: client}}" })].join("\n---\n");
  const { resources } = parseSources([{ file: "t.yaml", text }]);
  const snapshot = buildMesh({ resources });
  const view = (labels: Record<string, string>): unknown => {
    const node = parseNode({ ...PROXY, metadata: { ...PROXY.metadata, LABELS: labels } });
    return node.ok ? viewFor(snapshot, node.value) : undefined;
  };
  expect(view({ app: "client", pod: "1" })).toBe(view({ app: "client", pod: "2" }));
  expect(view({ app: "other" })).not.toBe(view({ app: "client" }));
  const again = buildMesh({ resources }, snapshot);
  const node = parseNode(PROXY);
  if (!node.ok) throw new Error(node.error);
  expect(viewFor(again, node.value)).toBe(viewFor(snapshot, node.value));
});
