// Services of type ExternalName, as istiod 1.29 has them: other names of a service, and nothing of their own.
import { describe, expect, test } from "vitest";
import { type RouteConfiguration, fromBinary, RouteConfigurationSchema } from "../envoy-api/index.ts";
import { TYPE_URL } from "../kit/index.ts";
import { viewOf } from "../translate/view-of.fixture.ts";
import { generate } from "./index.ts";
import { buildMesh } from "../translate/index.ts";
import { resourcesOf } from "../translate/resources-of.fixture.ts";

const alias = (name: string, of: string, namespace = "default"): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec: {type: ExternalName, externalName: ${of}, ports: [{port: 80, name: http}]}
---`;

const WEB = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {clusterIP: 10.96.0.8, ports: [{port: 80, name: http}], selector: {app: web}}
---`;

const route = (hosts: string, destination: string): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs, namespace: default}
spec: {hosts: [${hosts}], http: [{route: [{destination: {host: ${destination}}}]}]}
---`;

const sidecar = (hosts: string): string => `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: s, namespace: default}
spec: {egress: [{hosts: [${hosts}]}]}
---`;

interface Generated {
  readonly clusters: readonly string[];
  /** Domains and clusters by virtual host, of port 80. */
  readonly hosts: ReadonlyMap<string, { readonly domains: readonly string[]; readonly clusters: readonly string[] }>;
}

function generated(text: string, type: "sidecar" | "router" = "sidecar"): Generated {
  const made = generate(viewOf(text, { type, labels: { app: "client" } }));
  const table = made.byType.get(TYPE_URL.route)?.get(type === "router" ? "http.80" : "80");
  const config: RouteConfiguration | undefined = table === undefined ? undefined : fromBinary(RouteConfigurationSchema, table.bytes);
  return {
    clusters: [...(made.byType.get(TYPE_URL.cluster)?.keys() ?? [])].filter((name) => name.startsWith("outbound|")).sort(),
    hosts: new Map(
      (config?.virtualHosts ?? []).map(({ name, domains, routes }) => [
        name,
        {
          domains,
          clusters: routes.flatMap(({ action }) =>
            action.case === "route" && action.value.clusterSpecifier.case === "cluster" ? [action.value.clusterSpecifier.value] : [],
          ),
        },
      ]),
    ),
  };
}

const CLUSTER = "outbound|80||web.default.svc.cluster.local";

describe("ExternalName", () => {
  test("the service that it means answers under its names too, through any number of them, whatever their namespace", () => {
    const { clusters, hosts } = generated(
      WEB + alias("old", "web.default.svc.cluster.local") + alias("older", "old.default.svc.cluster.local.", "other"),
    );
    expect(clusters).toEqual([CLUSTER]);
    expect([...hosts.keys()].sort()).toEqual(["allow_any", "web.default.svc.cluster.local:80"]);
    expect(hosts.get("web.default.svc.cluster.local:80")).toEqual({
      domains: [
        "web.default.svc.cluster.local",
        "web.default.svc.cluster.local.",
        "web",
        "web.default.svc",
        "web.default",
        "old.default.svc.cluster.local",
        "old.default.svc.cluster.local.",
        "old",
        "old.default.svc",
        "old.default",
        "older.other.svc.cluster.local",
        "older.other.svc.cluster.local.",
        "older.other",
        "older.other.svc",
        "10.96.0.8",
      ],
      clusters: [CLUSTER],
    });
  });

  test("of a name outside the mesh, or round in a circle, there is nothing", () => {
    const { clusters, hosts } = generated(
      WEB + alias("far", "www.example.com") + alias("a", "b.default.svc.cluster.local") + alias("b", "a.default.svc.cluster.local"),
    );
    expect(clusters).toEqual([CLUSTER]);
    expect([...hosts.keys()].sort()).toEqual(["allow_any", "web.default.svc.cluster.local:80"]);
    expect(hosts.get("web.default.svc.cluster.local:80")?.domains).not.toContain("far");
  });

  test("as a rule's destination it is the service that it means", () => {
    const { hosts } = generated(WEB + alias("old", "web.default.svc.cluster.local") + route("shop.example.com", "old"));
    expect(hosts.get("shop.example.com:80")?.clusters).toEqual([CLUSTER]);
  });

  test("at a gateway too", () => {
    const gateway = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec: {selector: {app: client}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: at-edge, namespace: default}
spec: {hosts: [shop.example.com], gateways: [edge], http: [{route: [{destination: {host: old}}]}]}
---`;
    const { hosts, clusters } = generated(WEB + alias("old", "web.default.svc.cluster.local") + gateway, "router");
    expect(clusters).toEqual([CLUSTER]);
    expect([...hosts.values()].flatMap((host) => host.clusters)).toEqual([CLUSTER]);
  });

  test("a rule of its own takes its names from the service", () => {
    const { hosts } = generated(WEB + alias("old", "web.default.svc.cluster.local") + route("old", "www.example.com"));
    expect(hosts.get("old.default.svc.cluster.local:80")?.domains).toContain("old");
    expect(hosts.get("web.default.svc.cluster.local:80")?.domains).not.toContain("old");
  });

  test("a Sidecar imports names one by one", () => {
    const services = WEB + alias("old", "web.default.svc.cluster.local") + alias("hidden", "web.default.svc.cluster.local");
    const { hosts } = generated(services + sidecar("./web.default.svc.cluster.local, ./old.default.svc.cluster.local"));
    expect(hosts.get("web.default.svc.cluster.local:80")?.domains).toContain("old");
    expect(hosts.get("web.default.svc.cluster.local:80")?.domains).not.toContain("hidden");
  });

  test("the service stays the same object while nothing of it changes", () => {
    const resources = resourcesOf(WEB + alias("old", "web.default.svc.cluster.local"));
    const before = buildMesh({ resources });
    const after = buildMesh({ resources: [...resources, ...resourcesOf(route("x.example.com", "web"))] }, before);
    expect(after.config.services).toBe(before.config.services);
    const renamed = resources.map((one) =>
      one.metadata.name === "web" ? { ...one, metadata: { ...one.metadata, annotations: { a: "b" } } } : one,
    );
    expect(buildMesh({ resources: renamed }, after).config.services).toBe(before.config.services);
  });
});
