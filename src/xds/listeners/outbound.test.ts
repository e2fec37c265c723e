// Which listeners, filter chains and routes a sidecar gets for its services: real resources through the whole translation.
import { describe, expect, test } from "vitest";
import type { FilterChain, Listener } from "../../envoy-api/index.ts";
import { parseNode } from "../../model/index.ts";
import { buildMesh, viewFor } from "../../translate/index.ts";
import { nodeOf, resourcesOf } from "../../translate/resources-of.fixture.ts";
import { buildOutboundListeners } from "./outbound.ts";
import { podsOf } from "./pod-addresses.ts";

interface Built {
  readonly listeners: ReadonlyMap<string, Listener>;
  readonly tables: readonly string[];
}

function build(text: string, metadata: Record<string, unknown> = {}): Built {
  const node = nodeOf("sidecar", "default", { app: "client" });
  const proxy = parseNode({ ...node, metadata: { ...node.metadata, ...metadata } });
  if (!proxy.ok) throw new Error(proxy.error);
  const mesh = buildMesh({ resources: resourcesOf(text) });
  const view = viewFor(mesh, proxy.value);
  const { listeners, tables } = buildOutboundListeners(view, podsOf(view, mesh.endpoints));
  return { listeners: new Map(listeners.map(({ message }) => [message.name, message])), tables: tables.map((table) => table.name) };
}

let age = 0;

function entry(name: string, spec: string): string {
  const created = `2024-01-01T00:00:${String(++age).padStart(2, "0")}Z`;
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: default, creationTimestamp: "${created}"}
spec: {hosts: [${name}.default.svc.cluster.local], location: MESH_INTERNAL, resolution: STATIC, ${spec}}
---`;
}

function rule(kind: string, name: string, spec: string): string {
  return `
apiVersion: networking.istio.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: default}
spec: ${spec}
---`;
}

const HTTP_80 = "ports: [{number: 80, name: p, protocol: HTTP}]";

/** `tcp` or `http`, with what the chain asks for. */
function describeChain(chain: FilterChain | undefined): string {
  if (chain === undefined) return "none";
  const [filter] = chain.filters;
  const match = chain.filterChainMatch;
  const kind = filter?.name.endsWith("http_connection_manager") === true ? "http" : "tcp";
  const parts = [
    kind,
    ...(match?.serverNames ?? []),
    ...(match?.prefixRanges ?? []).map((range) => `${range.addressPrefix}/${range.prefixLen}`),
    ...(match?.applicationProtocols ?? []),
  ];
  return parts.join(" ");
}

function chainsOf(listener: Listener | undefined): readonly string[] {
  return [...(listener?.filterChains ?? []).map(describeChain), `default ${describeChain(listener?.defaultFilterChain)}`];
}

function inspectorsOf(listener: Listener | undefined): readonly string[] {
  return (listener?.listenerFilters ?? []).map((filter) => filter.name.split(".").at(-1) ?? "");
}

describe("captured", () => {
  test("HTTP services share a port's listener, and other bytes on it leave the mesh", () => {
    const { listeners, tables } = build(entry("a", `addresses: [240.0.0.1], ${HTTP_80}`) + entry("b", HTTP_80));
    expect([...listeners.keys()]).toEqual(["0.0.0.0_80", "virtualOutbound"]);
    expect(chainsOf(listeners.get("0.0.0.0_80"))).toEqual(["http http/1.1 h2c", "default tcp"]);
    expect(inspectorsOf(listeners.get("0.0.0.0_80"))).toEqual(["http_inspector"]);
    expect(tables).toEqual(["80"]);
  });

  test("TCP has the service's address, each of several, and no inspector", () => {
    const { listeners } = build(entry("db", "addresses: [240.0.0.2, 240.0.0.3], ports: [{number: 5432, name: p, protocol: TCP}]"));
    expect([...listeners.keys()]).toEqual(["240.0.0.2_5432", "240.0.0.3_5432", "virtualOutbound"]);
    expect(listeners.get("240.0.0.2_5432")).toMatchObject({ bindToPort: false, listenerFilters: [] });
    expect(chainsOf(listeners.get("240.0.0.2_5432"))).toEqual(["tcp", "default none"]);
  });

  test("a range is a filter chain of the port's listener", () => {
    const { listeners } = build(entry("net", "addresses: [10.1.0.0/16], ports: [{number: 99, name: p, protocol: TCP}]"));
    expect(chainsOf(listeners.get("0.0.0.0_99"))).toEqual(["tcp 10.1.0.0/16", "default tcp"]);
  });

  test("a port without protocol is sniffed on its own address, with routes of its own", () => {
    const { listeners, tables } = build(entry("guess", "addresses: [240.0.0.4], ports: [{number: 7700, name: p}]"));
    expect(chainsOf(listeners.get("240.0.0.4_7700"))).toEqual(["http http/1.1 h2c", "default tcp"]);
    expect(tables).toEqual(["guess.default.svc.cluster.local:7700"]);
  });

  test("TCP without address joins HTTP on a port: what is not HTTP goes to the older TCP service", () => {
    const tcp = "ports: [{number: 80, name: p, protocol: TCP}]";
    const { listeners } = build(entry("web", HTTP_80) + entry("raw", tcp) + entry("late", tcp));
    expect(chainsOf(listeners.get("0.0.0.0_80"))).toEqual(["http http/1.1 h2c", "default tcp"]);
    expect(listeners.get("0.0.0.0_80")).toMatchObject({ continueOnListenerFiltersTimeout: true, listenerFiltersTimeout: { seconds: 0n } });
  });

  test("a server that speaks first does not join", () => {
    const { listeners } = build(entry("web", HTTP_80) + entry("mongo", "ports: [{number: 80, name: p, protocol: MONGO}]"));
    expect(inspectorsOf(listeners.get("0.0.0.0_80"))).toEqual(["http_inspector"]);
    expect(chainsOf(listeners.get("0.0.0.0_80"))).toEqual(["http http/1.1 h2c", "default tcp"]);
  });

  test("TLS services of one port are told apart by server name, also where a rule names others", () => {
    const tls = (name: string): string => entry(name, "ports: [{number: 443, name: p, protocol: TLS}]");
    const routes = rule(
      "VirtualService",
      "b",
      `{hosts: [b, x.example.com, y.example.com], tls: [{match: [{sniHosts: [x.example.com, y.example.com]}], route: [{destination: {host: a}}]},
        {match: [{sniHosts: [x.example.com, y.example.com]}], route: [{destination: {host: b}}]}]}`,
    );
    const { listeners } = build(tls("a") + tls("b") + routes);
    expect(chainsOf(listeners.get("0.0.0.0_443"))).toEqual([
      "tcp a.default.svc.cluster.local",
      "tcp x.example.com y.example.com",
      "default tcp",
    ]);
    expect(inspectorsOf(listeners.get("0.0.0.0_443"))).toEqual(["tls_inspector"]);
  });

  test("TCP rules with subnets stand before the service; one without ends the list", () => {
    const db = entry("db", "addresses: [240.0.0.9], ports: [{number: 5432, name: p, protocol: TCP}]");
    const subnets = "match: [{destinationSubnets: [10.0.0.0/8]}, {destinationSubnets: [192.168.1.1]}], route: [{destination: {host: db}}]";
    const open = build(db + rule("VirtualService", "db", `{hosts: [db], tcp: [{${subnets}}]}`));
    expect(chainsOf(open.listeners.get("240.0.0.9_5432"))).toEqual(["tcp 10.0.0.0/8 192.168.1.1/32", "default tcp"]);
    const closed = build(db + rule("VirtualService", "db", `{hosts: [db], tcp: [{route: [{destination: {host: db}}]}, {${subnets}}]}`));
    expect(chainsOf(closed.listeners.get("240.0.0.9_5432"))).toEqual(["tcp", "default none"]);
  });
});

describe("not captured", () => {
  const NONE = { INTERCEPTION_MODE: "NONE" };

  test("every port is a socket on loopback, where a detected service has the port's routes to itself", () => {
    const { listeners, tables } = build(entry("guess", "addresses: [240.0.0.4], ports: [{number: 7700, name: p}]"), NONE);
    expect([...listeners.keys()]).toEqual(["127.0.0.1_7700"]);
    expect(listeners.get("127.0.0.1_7700")?.bindToPort).toBeUndefined();
    expect(tables).toEqual(["guess.default.svc.cluster.local:7700"]);
  });

  test("of HTTP and TCP on one port the older stays, as nothing is inspected", () => {
    const { listeners } = build(entry("web", HTTP_80) + entry("raw", "ports: [{number: 80, name: p, protocol: TCP}]"), NONE);
    expect(chainsOf(listeners.get("127.0.0.1_80"))).toEqual(["http", "default none"]);
  });

  test("ports under 1024 are left out where the proxy may not open them", () => {
    const { listeners } = build(entry("web", HTTP_80), { ...NONE, UNPRIVILEGED_POD: "true" });
    expect([...listeners.keys()]).toEqual([]);
  });

  test("pods on one address open no ports of services, only the Sidecar's own", () => {
    const sidecar = rule("Sidecar", "s", "{egress: [{port: {number: 9000, protocol: HTTP, name: p}, hosts: ['*/*']}, {hosts: ['*/*']}]}");
    const services = entry("web", HTTP_80) + entry("nine", "ports: [{number: 9000, name: p, protocol: HTTP}]");
    const { listeners } = build(services + sidecar, { ...NONE, SERIN_SHARED_HOST: "1", HTTP_PROXY_PORT: "15007" });
    expect([...listeners.keys()]).toEqual(["127.0.0.1_9000", "127.0.0.1_15007"]);
  });
});

describe("services without an address of their own", () => {
  const pods = (spec: string): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db, namespace: default}
spec: {hosts: [db.default.svc.cluster.local], location: MESH_INTERNAL, resolution: NONE, ${spec}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: db-1, namespace: default}
spec: {address: 10.1.1.1, labels: {app: db}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: db-2, namespace: default}
spec: {address: 10.1.1.2, labels: {app: db}, ports: {tcp: 15432}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: db-3, namespace: default}
spec: {address: db.example.com, labels: {app: db}}
---`;
  const PORTS =
    "ports: [{number: 5432, name: tcp, protocol: TCP}, {number: 81, name: http, protocol: HTTP}, {number: 6543, name: any}, {number: 7443, name: tls, protocol: TLS}]";

  // Seen with istiod 1.29: the same listeners, chains and tables.
  test("each pod has a listener for a port that is not HTTP, by the service's port", () => {
    const { listeners, tables } = build(pods(`${PORTS}, workloadSelector: {labels: {app: db}}`));
    expect([...listeners.keys()].sort()).toEqual([
      "0.0.0.0_81",
      "10.1.1.1_5432",
      "10.1.1.1_6543",
      "10.1.1.1_7443",
      "10.1.1.2_5432",
      "10.1.1.2_6543",
      "10.1.1.2_7443",
      "virtualOutbound",
    ]);
    expect(chainsOf(listeners.get("10.1.1.2_5432"))).toEqual(["tcp", "default none"]);
    expect(chainsOf(listeners.get("10.1.1.1_7443"))).toEqual(["tcp", "default none"]);
    expect(chainsOf(listeners.get("10.1.1.1_6543"))).toEqual(["http http/1.1 h2c", "default tcp"]);
    expect(tables).toEqual(["81", "db.default.svc.cluster.local:6543"]);
  });

  test("without pods there is no listener, unless nobody selects any", () => {
    const { listeners } = build(pods(`${PORTS}, workloadSelector: {labels: {app: nobody}}`));
    expect([...listeners.keys()]).toEqual(["0.0.0.0_81", "virtualOutbound"]);
    const open = build(pods("ports: [{number: 5434, name: tcp, protocol: TCP}]"));
    expect([...open.listeners.keys()]).toEqual(["0.0.0.0_5434", "virtualOutbound"]);
  });

  test("a Kubernetes Service: as many as it has pods, HTTP by name", () => {
    const service = `
apiVersion: v1
kind: Service
metadata: {name: db, namespace: default}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432, name: tcp}, {port: 80, name: http}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: db-1, namespace: default}
spec: {address: 10.1.1.1, labels: {app: db}}
---`;
    expect([...build(service).listeners.keys()]).toEqual(["10.1.1.1_5432", "0.0.0.0_80", "virtualOutbound"]);
    const none = service.replaceAll("app: db}}\n---", "app: other}}\n---");
    expect([...build(none).listeners.keys()]).toEqual(["0.0.0.0_80", "virtualOutbound"]);
  });

  test("where the proxy's listeners have sockets there is one for all", () => {
    const { listeners } = build(pods(`${PORTS}, workloadSelector: {labels: {app: db}}`), { INTERCEPTION_MODE: "NONE" });
    expect([...listeners.keys()]).toContain("127.0.0.1_5432");
    expect([...listeners.keys()].some((name) => name.startsWith("10."))).toBe(false);
  });

  test("another endpoint without another address changes no listener", () => {
    const text = pods(`${PORTS}, workloadSelector: {labels: {app: db}}`);
    const before = buildMesh({ resources: resourcesOf(text) });
    const after = buildMesh({ resources: resourcesOf(text.replace("ports: {tcp: 15432}", "weight: 3")) }, before);
    const proxy = parseNode(nodeOf("sidecar", "default", { app: "client" }));
    if (!proxy.ok) throw new Error(proxy.error);
    const config = viewFor(after, proxy.value);
    expect(config).toBe(viewFor(before, proxy.value));
    expect(after.endpoints).not.toBe(before.endpoints);
    expect(podsOf(config, after.endpoints)).toBe(podsOf(config, before.endpoints));
  });
});

describe("other names of a service", () => {
  const alias = (name: string, of: string): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: default}
spec: {type: ExternalName, externalName: ${of}, ports: [{port: 443, name: tls}, {port: 9000, name: tcp}]}
---`;

  test("an ExternalName has no listeners; TLS of the service is known by its other names too", () => {
    const { listeners } = build(
      alias("old", "web.default.svc.cluster.local") +
        alias("far", "www.example.com") +
        entry("web", "ports: [{number: 443, name: p, protocol: TLS}]"),
    );
    expect([...listeners.keys()]).toEqual(["0.0.0.0_443", "virtualOutbound"]);
    expect(chainsOf(listeners.get("0.0.0.0_443"))).toEqual([
      "tcp old old.default old.default.svc old.default.svc.cluster.local old.default.svc.cluster.local. web.default.svc.cluster.local",
      "default tcp",
    ]);
  });
});

describe("Sidecar listeners", () => {
  test("a port of its own keeps its address; a socket has the routes of its path", () => {
    const sidecar = rule(
      "Sidecar",
      "s",
      `{egress: [{port: {number: 80, protocol: HTTP, name: p}, bind: 127.0.0.9, captureMode: NONE, hosts: ['./web.default.svc.cluster.local']},
        {port: {number: 0, protocol: HTTP, name: u}, bind: 'unix:///tmp/x', hosts: ['./*']}, {hosts: ['*/*']}]}`,
    );
    const { listeners, tables } = build(entry("web", HTTP_80) + entry("other", HTTP_80) + sidecar);
    expect([...listeners.keys()]).toEqual(["127.0.0.9_80", "unix:///tmp/x_0", "0.0.0.0_80", "virtualOutbound"]);
    expect(tables).toEqual(["80", "unix:///tmp/x"]);
  });
});
