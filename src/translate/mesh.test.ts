import { describe, expect, test } from "vitest";
import type { ProxyIdentity } from "../model/index.ts";
import { parseNode, serviceKey } from "../model/index.ts";
import type { Resource } from "../resources/index.ts";
import { buildMesh, inboundFor, viewFor, type WorkloadInput } from "./index.ts";
import { nodeOf, resourcesOf } from "./resources-of.fixture.ts";

function proxy(type: "sidecar" | "router", namespace: string, labels: Record<string, string> = { app: "client" }): ProxyIdentity {
  const node = parseNode(nodeOf(type, namespace, labels));
  if (!node.ok) throw new Error(node.error);
  return node.value;
}

function entry(name: string, namespace: string, rest = ""): string {
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  hosts: [${name}.${namespace}.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, ports: {http: 31001}, labels: {version: v1}}]
${rest}`;
}

function virtualService(name: string, namespace: string, spec: string, created = "2024-01-01T00:00:00Z"): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}, namespace: ${namespace}, creationTimestamp: "${created}"}
spec: ${spec}
`;
}

function mesh(...documents: readonly string[]): readonly Resource[] {
  return resourcesOf(documents.join("\n---\n"));
}

describe("services and endpoints", () => {
  const POD: WorkloadInput = {
    name: "demo4-1",
    namespace: "test1",
    labels: { app: "demo4", version: "v1" },
    serviceAccount: "default",
    status: {
      phase: "Running",
      podIP: "127.0.0.1",
      ready: true,
      sidecar: true,
      ports: [{ name: "http", containerPort: 80, appPort: 4001, meshPort: 4002 }],
    },
  };
  const SERVICE = `
apiVersion: v1
kind: Service
metadata: {name: demo4, namespace: test1}
spec: {selector: {app: demo4}, clusterIP: 10.96.0.7, ports: [{port: 80, targetPort: http, name: http}, {port: 9, name: x}]}
`;

  test("a pod is an endpoint at its mesh port, found by the name of the target port", () => {
    const snapshot = buildMesh({ resources: mesh(SERVICE), workloads: [POD] });
    const [service] = snapshot.config.services;
    expect(service).toMatchObject({ hostname: "demo4.test1.svc.cluster.local", addresses: ["10.96.0.7"], resolution: "STATIC" });
    expect(service?.ports.map((port) => port.protocol)).toEqual(["HTTP", "UNSUPPORTED"]);
    const endpoints = snapshot.endpoints.get("test1/demo4.test1.svc.cluster.local");
    expect(endpoints?.byPort.get(80)).toMatchObject([{ address: "127.0.0.1", port: 4002, workload: "test1/demo4-1" }]);
    expect(endpoints?.byPort.get(9)).toEqual([]);
  });

  test("a pod that is not ready is no endpoint, unless the Service publishes those", () => {
    const notReady = { ...POD, status: { ...POD.status, ready: false } };
    const of = (service: string): number | undefined =>
      buildMesh({ resources: mesh(service), workloads: [notReady] })
        .endpoints.get("test1/demo4.test1.svc.cluster.local")
        ?.byPort.get(80)?.length;
    expect(of(SERVICE)).toBe(0);
    expect(of(SERVICE.replace("clusterIP", "publishNotReadyAddresses: true, clusterIP"))).toBe(1);
  });

  test("ports of endpoints: own map, else targetPort, else the number; entries of one host unite", () => {
    const a = entry("a", "default").replace("ports: {http: 31001}, ", "");
    const young = entry("a", "default")
      .replace("name: a,", "name: b, creationTimestamp: '2024-01-01T00:00:00Z',")
      .replace("number: 80, name: http", "number: 81, name: alt")
      .replace("ports: {http:", "ports: {alt:");
    const snapshot = buildMesh({
      resources: mesh(a, a.replace("name: a,", "name: c,").replace("protocol: HTTP}", "protocol: HTTP, targetPort: 99}"), young),
    });
    expect(snapshot.config.services).toHaveLength(1);
    const byPort = snapshot.endpoints.get("default/a.default.svc.cluster.local")?.byPort;
    expect(byPort?.get(80)?.map((endpoint) => endpoint.port)).toEqual([80, 99]);
    expect(byPort?.get(81)?.map((endpoint) => endpoint.port)).toEqual([31001]);
    expect(snapshot.config.services[0]?.ports.map((port) => port.number)).toEqual([80, 81]);
  });

  test("of entries that share a host, ports of one name share endpoints", () => {
    const a = entry("a", "default");
    const b = a.replace("name: a,", "name: b,").replace("number: 80", "number: 81").replace("31001", "31002");
    const { endpoints, config } = buildMesh({ resources: mesh(a, b) });
    const { byPort } = endpoints.get("default/a.default.svc.cluster.local") ?? {};
    expect([80, 81].map((port) => byPort?.get(port)?.map((endpoint) => endpoint.port))).toEqual([
      [31_001, 31_002],
      [31_001, 31_002],
    ]);
    expect(config.services[0]?.parts?.map((part) => part.ports.map((port) => port.number))).toEqual([[80], [81]]);
  });

  test("the workload's own ports, for a sidecar with its own listeners", () => {
    const snapshot = buildMesh({ resources: mesh(SERVICE), workloads: [POD] });
    const node = parseNode({
      id: "sidecar~127.0.0.1~demo4-1.test1~test1.svc.cluster.local",
      metadata: {
        INTERCEPTION_MODE: "NONE",
        HTTP_PROXY_PORT: "4003",
        SERIN_BIND: "127.0.0.1",
        SERIN_SECRET_SERVER: "none",
        LABELS: { app: "demo4" },
      },
    });
    if (!node.ok) throw new Error(node.error);
    const inbound = inboundFor(snapshot, node.value);
    expect(inbound).toEqual({
      ports: [
        {
          listenPort: 4002,
          bind: "",
          bound: true,
          protocol: "HTTP",
          mtls: "DISABLE",
          target: { address: "127.0.0.1", port: 4001 },
          service: {
            hostname: "demo4.test1.svc.cluster.local",
            name: "demo4",
            namespace: "test1",
            registry: "Kubernetes",
            port: 80,
            portName: "http",
          },
        },
      ],
      undeclared: [{ port: 0, mtls: "DISABLE" }],
    });
    expect(inboundFor(snapshot, node.value)).toBe(inbound);
  });

  test("a Sidecar's own listeners: bound or captured, at the address of the pod, to the endpoint they name", () => {
    const sidecar = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: s, namespace: test1}
spec:
  ingress:
  - {port: {number: 9080, protocol: HTTP, name: a}, defaultEndpoint: "127.0.0.1:8080", captureMode: NONE}
  - {port: {number: 9081, protocol: TCP, name: b}, defaultEndpoint: "0.0.0.0:8081", bind: 127.0.0.5, captureMode: NONE}
  - {port: {number: 9082, protocol: HTTP, name: c}, defaultEndpoint: "unix:///run/app"}
  - {port: {number: 9083, protocol: HTTP, name: d}}
  egress: [{hosts: ["./*"]}]
`;
    const snapshot = buildMesh({ resources: mesh(SERVICE, sidecar) });
    const views = inboundFor(snapshot, proxy("sidecar", "test1"));
    expect(views.ports.map(({ listenPort, bind, bound, target }) => [listenPort, bind, bound, target])).toEqual([
      [9080, "10.9.9.9", true, { address: "127.0.0.1", port: 8080 }],
      [9081, "127.0.0.5", true, { address: "10.9.9.9", port: 8081 }],
      [9082, "", false, { address: "unix:///run/app", port: 0 }],
      [9083, "", false, undefined],
    ]);
  });

  test("where nothing is captured only a Sidecar opens ports for callers", () => {
    const node = nodeOf("sidecar", "shop", { app: "client" });
    const service = entry("a", "shop").replace("127.0.0.1", "10.9.9.9");
    const snapshot = buildMesh({ resources: mesh(service) });
    const ports = (mode: string) => {
      const parsed = parseNode({ ...node, metadata: { ...node.metadata, INTERCEPTION_MODE: mode } });
      return parsed.ok ? inboundFor(snapshot, parsed.value).ports.map((port) => port.listenPort) : [];
    };
    expect([ports("REDIRECT"), ports("NONE")]).toEqual([[31_001], []]);
  });
});

describe("one host in several namespaces", () => {
  const shared = (name: string, namespace: string, created: string): string =>
    entry(name, namespace)
      .replace(`hosts: [${name}.${namespace}.svc.cluster.local]`, "hosts: [api.example.com]")
      .replace(`name: ${name},`, `name: ${name}, creationTimestamp: "${created}",`);
  const resources = mesh(
    shared("young", "zoo", "2024-01-01T00:00:00Z"),
    shared("old", "shop", "2020-01-01T00:00:00Z"),
    shared("middle", "bank", "2022-01-01T00:00:00Z"),
  );

  test.each([
    ["zoo", "zoo"],
    ["bank", "bank"],
    ["default", "shop"],
  ])("a client in %s gets that of %s", (client, owner) => {
    const view = viewFor(buildMesh({ resources }), proxy("sidecar", client));
    expect(view.clusters.map((one) => one.service.namespace)).toEqual([owner]);
    expect(view.servicesByHost.get("api.example.com")?.service.namespace).toBe(owner);
    expect(view.egress[0]?.services).toHaveLength(1);
  });

  test("private services are seen at home, named ones where they are named, ~ nowhere", () => {
    const exported = (name: string, to: string): string => entry(name, "shop").replace("location:", `exportTo: ${to}\n  location:`);
    const snapshot = buildMesh({
      resources: mesh(exported("home", "['.']"), exported("named", "[zoo]"), exported("nowhere", "['~']"), exported("open", "['*']")),
    });
    const seen = (namespace: string): readonly string[] =>
      viewFor(snapshot, proxy("sidecar", namespace)).clusters.map((one) => one.service.hostname.split(".")[0] ?? "");
    expect(seen("shop")).toEqual(["home", "open"]);
    expect(seen("zoo")).toEqual(["named", "open"]);
    expect(seen("default")).toEqual(["open"]);
  });
});

describe("which VirtualService", () => {
  const by = (tag: string): string =>
    `{hosts: [demo.default.svc.cluster.local], http: [{name: rule-${tag}, route: [{destination: {host: demo}}]}]`;

  test("private before exported by name before public, by age within each, whatever the age across", () => {
    const snapshot = buildMesh({
      resources: mesh(
        entry("demo", "default"),
        virtualService("public-old", "zoo", `${by("1")}}`, "2020-01-01T00:00:00Z"),
        virtualService("named", "zoo", `${by("2")}, exportTo: [default]}`, "2021-01-01T00:00:00Z"),
        virtualService("b-private", "default", `${by("3")}, exportTo: ["."]}`, "2024-01-01T00:00:00Z"),
        virtualService("a-private", "default", `${by("4")}, exportTo: [default]}`, "2024-01-01T00:00:00Z"),
        virtualService("foreign", "zoo", `${by("5")}, exportTo: ["."]}`),
      ),
    });
    const [listener] = viewFor(snapshot, proxy("sidecar", "default")).egress;
    expect(listener?.virtualServices.map((one) => one.name)).toEqual(["a-private", "b-private", "named", "public-old"]);
    const [other] = viewFor(snapshot, proxy("sidecar", "zoo")).egress;
    expect(other?.virtualServices.map((one) => one.name)).toEqual(["foreign", "public-old"]);
  });

  test("short names belong to the namespace of the VirtualService; a dotted name stays", () => {
    const spec = `{hosts: [demo, note.default], gateways: [mesh, edge, edge.istio-system, other/gw], http: [{route: [{destination: {host: demo}, weight: 1}, {destination: {host: Demo.default}, weight: 1}]}]}`;
    const [model] = buildMesh({ resources: mesh(virtualService("one", "shop", spec)) }).config.virtualServices;
    expect(model?.hosts).toEqual(["demo.shop.svc.cluster.local", "note.default"]);
    expect(model?.gateways).toEqual(["mesh", "shop/edge", "istio-system/edge", "other/gw"]);
    expect(model?.http[0]?.route.map((route) => route.destination.host)).toEqual(["demo.shop.svc.cluster.local", "Demo.default"]);
  });

  test("delegates: merged, hidden ones skipped, contradicting rules dropped", () => {
    const root = `{hosts: [demo], http: [
      {name: r, match: [{uri: {prefix: /h}}], timeout: 3s, delegate: {name: leaf}},
      {match: [{uri: {prefix: /hidden}}], delegate: {name: hidden, namespace: shop}},
      {match: [{uri: {prefix: /none}}], delegate: {name: nobody}},
      {name: rest, route: [{destination: {host: demo}}]}]}`;
    const leaf = `{http: [{name: own, match: [{uri: {prefix: /h/own}}], timeout: 5s, route: [{destination: {host: demo}}]}, {match: [{uri: {prefix: /x}}], route: [{destination: {host: demo}}]}, {route: [{destination: {host: demo}}]}]}`;
    const hidden = `{exportTo: ["."], http: [{route: [{destination: {host: demo}}]}]}`;
    const { virtualServices } = buildMesh({
      resources: mesh(
        virtualService("root", "default", root),
        virtualService("leaf", "default", leaf),
        virtualService("hidden", "shop", hidden),
      ),
    }).config;
    expect(virtualServices.map((one) => one.name)).toEqual(["root"]);
    expect(virtualServices[0]?.http.map((route) => [route.name, route.timeoutMs, route.match.map((match) => match.uri)])).toEqual([
      ["r-own", 5000, [{ kind: "prefix", value: "/h/own" }]],
      ["r", 3000, [{ kind: "prefix", value: "/h" }]],
      ["rest", undefined, []],
    ]);
  });
});

describe("Sidecar", () => {
  const RESOURCES = [
    entry("demo", "default"),
    entry("basket", "shop"),
    entry("catalog", "shop"),
    entry("vault", "bank").replace("ports: [{", "ports: [{number: 8080, name: alt, protocol: HTTP}, {"),
    virtualService(
      "demo",
      "default",
      `{hosts: [demo], http: [{route: [{destination: {host: catalog.shop.svc.cluster.local}}]}, {route: [{destination: {host: vault.bank.svc.cluster.local, port: {number: 80}}}]}]}`,
    ),
    virtualService(
      "foreign",
      "zoo",
      `{hosts: [basket.shop.svc.cluster.local], http: [{route: [{destination: {host: basket.shop.svc.cluster.local}}]}]}`,
    ),
  ];
  const sidecar = (namespace: string, spec: string): string => `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: ${namespace}}
spec: ${spec}
`;

  test("egress hosts, and destinations of imported rules with the ports they name", () => {
    const snapshot = buildMesh({
      resources: mesh(...RESOURCES, sidecar("default", `{egress: [{hosts: ["./*", "shop/basket.shop.svc.cluster.local"]}]}`)),
    });
    const view = viewFor(snapshot, proxy("sidecar", "default"));
    expect(view.egress[0]?.services.map((one) => one.service.name)).toEqual([
      "basket.shop.svc.cluster.local",
      "demo.default.svc.cluster.local",
    ]);
    expect(view.egress[0]?.virtualServices.map((one) => one.name)).toEqual(["demo"]);
    expect([...view.servicesByHost].map(([host, one]) => [host, one.ports])).toEqual([
      ["basket.shop.svc.cluster.local", undefined],
      ["demo.default.svc.cluster.local", undefined],
      ["catalog.shop.svc.cluster.local", undefined],
      ["vault.bank.svc.cluster.local", [80]],
    ]);
  });

  test("a root-namespace Sidecar without selector serves all namespaces, and `.` is the client's", () => {
    const snapshot = buildMesh({
      resources: mesh(...RESOURCES, sidecar("istio-system", `{outboundTrafficPolicy: {mode: REGISTRY_ONLY}, egress: [{hosts: ["./*"]}]}`)),
    });
    const view = viewFor(snapshot, proxy("sidecar", "shop"));
    expect(view.egress[0]?.services.map((one) => one.service.namespace)).toEqual(["shop", "shop"]);
    expect(view.outboundTrafficPolicy).toBe("REGISTRY_ONLY");
    const selecting = sidecar("istio-system", `{workloadSelector: {labels: {app: client}}, egress: [{hosts: ["./*"]}]}`);
    expect(viewFor(buildMesh({ resources: mesh(...RESOURCES, selecting) }), proxy("sidecar", "shop")).clusters).toHaveLength(4);
  });

  test("a listener with a port takes only services with that port", () => {
    const spec = `{egress: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*/*"]}, {hosts: ["shop/*"]}]}`;
    const view = viewFor(buildMesh({ resources: mesh(...RESOURCES, sidecar("default", spec)) }), proxy("sidecar", "default"));
    expect(view.egress.map((listener) => listener.services.map((one) => [one.service.namespace, one.ports]))).toEqual([
      [["bank", [8080]]],
      [
        ["shop", undefined],
        ["shop", undefined],
      ],
    ]);
  });
});

describe("Gateway", () => {
  const gateway = (name: string, servers: string, created = "2024-01-01T00:00:00Z"): string => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ${name}, namespace: istio-system, creationTimestamp: "${created}"}
spec: {selector: {istio: ingressgateway}, servers: [${servers}]}
`;
  const labels = { istio: "ingressgateway", app: "istio-ingressgateway" };
  const INGRESS = `
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, ports: [{port: 80, targetPort: 8080, name: http2}]}
`;

  test("port of the Service becomes its target port, and names the routes", () => {
    const snapshot = buildMesh({
      resources: mesh(
        INGRESS,
        gateway("edge", `{port: {number: 80, name: http, protocol: http}, hosts: [./Demo4.a.com, "*/b.com"]}`),
        virtualService("one", "istio-system", "{hosts: [demo4.a.com], gateways: [edge], http: [{route: [{destination: {host: x}}]}]}"),
        virtualService("two", "shop", "{hosts: [demo4.a.com], gateways: [edge], http: [{route: [{destination: {host: x}}]}]}"),
      ),
    });
    const [listener] = viewFor(snapshot, proxy("router", "istio-system", labels)).gateways;
    expect(listener).toMatchObject({
      port: 8080,
      bind: "",
      servers: [{ routeName: "http.8080", server: { port: { number: 80, protocol: "HTTP" } } }],
    });
    expect(listener?.servers[0]?.server.hosts).toEqual([
      { namespace: "istio-system", host: "demo4.a.com" },
      { namespace: "*", host: "b.com" },
    ]);
    expect(listener?.servers[0]?.virtualServices.map((one) => one.name)).toEqual(["one"]);
    expect(viewFor(snapshot, proxy("router", "istio-system", { istio: "egress" })).gateways).toEqual([]);
  });

  test("Gateways choose proxies of every namespace, or of their own where istiod's setting says so", () => {
    const resources = mesh(gateway("edge", `{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}`));
    const ports = (scoped: boolean, namespace: string) =>
      viewFor(buildMesh({ resources, istiod: { scopeGatewayToNamespace: scoped } }), proxy("router", namespace, labels)).gateways.length;
    expect([ports(false, "shop"), ports(true, "shop"), ports(true, "istio-system")]).toEqual([1, 0, 1]);
  });

  test.each<[string, string, string[][]]>([
    [
      "HTTP first drops TLS",
      `{port: {number: 9, name: a, protocol: HTTP}, hosts: ["*"]}, {port: {number: 9, name: b, protocol: HTTPS}, hosts: [s.com], tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k}}`,
      [["a"]],
    ],
    [
      "TLS first keeps HTTP",
      `{port: {number: 9, name: a, protocol: HTTPS}, hosts: [s.com], tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k}}, {port: {number: 9, name: b, protocol: HTTP}, hosts: ["*"]}`,
      [["a", "b"]],
    ],
    [
      "a taken TLS host drops the server",
      `{port: {number: 9, name: a, protocol: HTTPS}, hosts: [s.com], tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k}}, {port: {number: 9, name: b, protocol: HTTPS}, hosts: [t.com, s.com], tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k}}, {port: {number: 9, name: c, protocol: HTTPS}, hosts: [t.com], tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k}}`,
      [["a", "c"]],
    ],
    [
      "HTTP servers share a port",
      `{port: {number: 9, name: a, protocol: HTTP}, hosts: [s.com]}, {port: {number: 9, name: b, protocol: HTTP2}, hosts: [s.com]}`,
      [["a", "b"]],
    ],
    [
      "TCP after HTTP goes",
      `{port: {number: 9, name: a, protocol: HTTP}, hosts: [s.com]}, {port: {number: 9, name: b, protocol: TCP}, hosts: [s.com]}`,
      [["a"]],
    ],
    [
      "binds are apart",
      `{port: {number: 9, name: a, protocol: HTTP}, hosts: [s.com], bind: 127.0.0.2}, {port: {number: 9, name: b, protocol: TCP}, hosts: [s.com], bind: 127.0.0.3}`,
      [["a"], ["b"]],
    ],
  ])("%s", (_name, servers, expected) => {
    const view = viewFor(buildMesh({ resources: mesh(gateway("edge", servers)) }), proxy("router", "istio-system", labels));
    expect(view.gateways.map((listener) => listener.servers.map((one) => one.server.port.name))).toEqual(expected);
  });
});

describe("identity", () => {
  test("one VirtualService changes: services, endpoints and other VirtualServices stay the same objects", () => {
    const resources = mesh(
      ...["a", "b", "c"].flatMap((name) => [
        entry(name, "default"),
        virtualService(name, "default", `{hosts: [${name}], http: [{route: [{destination: {host: ${name}}}]}]}`),
      ]),
    );
    const first = buildMesh({ resources });
    const client = proxy("sidecar", "default");
    const before = viewFor(first, client);
    const [changed] = mesh(virtualService("b", "default", "{hosts: [b], http: [{timeout: 1s, route: [{destination: {host: b}}]}]}"));
    const second = buildMesh(
      {
        resources: resources.map((resource) =>
          resource.kind === "VirtualService" && resource.metadata.name === "b" && changed ? changed : resource,
        ),
      },
      first,
    );
    const after = viewFor(second, client);
    expect(second.endpoints).toBe(first.endpoints);
    expect(second.config.services).toBe(first.config.services);
    expect(after).not.toBe(before);
    expect(after.clusters).toBe(before.clusters);
    expect(after.servicesByHost).toBe(before.servicesByHost);
    expect(after.egress[0]?.services).toBe(before.egress[0]?.services);
    expect(after.egress[0]?.virtualServices.map((one, index) => one === before.egress[0]?.virtualServices[index])).toEqual([
      true,
      false,
      true,
    ]);
  });

  test("an endpoint changes: only its entry; the config and all views stay", () => {
    const resources = mesh(entry("a", "default"), entry("b", "default"));
    const first = buildMesh({ resources });
    const view = viewFor(first, proxy("sidecar", "default"));
    const changed = mesh(entry("a", "default").replace("31001", "31002"), entry("b", "default"));
    const second = buildMesh({ resources: [changed[0] ?? resources[0], resources[1]].filter((one) => one !== undefined) }, first);
    const [a, b] = second.config.services;
    expect(second.config).toBe(first.config);
    expect(viewFor(second, proxy("sidecar", "default"))).toBe(view);
    expect(second.endpoints).not.toBe(first.endpoints);
    expect(a !== undefined && second.endpoints.get(serviceKey(a))).not.toBe(a !== undefined && first.endpoints.get(serviceKey(a)));
    expect(b !== undefined && second.endpoints.get(serviceKey(b))).toBe(b !== undefined && first.endpoints.get(serviceKey(b)));
  });

  test("the same input again is the same snapshot", () => {
    const resources = mesh(entry("a", "default"));
    const first = buildMesh({ resources, meshConfig: { proxyHttpPort: 15007 } });
    expect(buildMesh({ resources: [...resources], meshConfig: { proxyHttpPort: 15007 } }, first)).toBe(first);
    expect(buildMesh({ resources, meshConfig: { proxyHttpPort: 15008 } }, first).config).not.toBe(first.config);
  });

  test("labels that no rule asks for make no difference; those that one does, do", () => {
    const view = (resources: readonly Resource[], labels: Record<string, string>): object =>
      viewFor(buildMesh({ resources }), proxy("sidecar", "default", labels));
    const plain = buildMesh({ resources: mesh(entry("a", "default")) });
    expect(viewFor(plain, proxy("sidecar", "default", { app: "x" }))).toBe(viewFor(plain, proxy("sidecar", "default", { app: "y" })));
    const asking = mesh(
      entry("a", "default"),
      virtualService("a", "default", "{hosts: [a], http: [{match: [{sourceLabels: {app: x}}], route: [{destination: {host: a}}]}]}"),
    );
    expect(view(asking, { app: "x", tier: "1" })).toMatchObject({ scope: { labels: { app: "x" } } });
    const snapshot = buildMesh({ resources: asking });
    const one = viewFor(snapshot, proxy("sidecar", "default", { app: "x" }));
    const two = viewFor(snapshot, proxy("sidecar", "default", { app: "y" }));
    expect(one).not.toBe(two);
    expect(one.egress).toBe(two.egress);
  });
});
