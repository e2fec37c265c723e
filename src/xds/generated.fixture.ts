// What a proxy is sent for resources and a MeshConfig, as Envoy's protojson, for the tests of this folder.
import { anyToProtoJson, packBytes } from "../envoy-api/index.ts";
import { TYPE_URL } from "../kit/index.ts";
import { parseNode } from "../model/index.ts";
import { resourcesOf } from "../translate/resources-of.fixture.ts";
import { buildMesh, inboundFor, viewFor } from "../translate/index.ts";
import { generate } from "./index.ts";

export interface Generated {
  readonly type?: "sidecar" | "router";
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly ip?: string;
  readonly mesh?: unknown;
}

export type Json = Readonly<Record<string, unknown>>;

/** Resources by kind and name, for a state-of-the-world client. */
export function generatedFor(
  text: string,
  of: Generated = {},
): { listeners: Map<string, Json>; clusters: Map<string, Json>; routes: Map<string, Json> } {
  const { type = "sidecar", namespace = "default", labels = type === "router" ? { istio: "ingressgateway" } : { app: "client" } } = of;
  const node = parseNode({
    id: `${type}~${of.ip ?? "10.9.9.9"}~client-1.${namespace}~${namespace}.svc.cluster.local`,
    metadata: { NAMESPACE: namespace, LABELS: labels, CLUSTER_ID: "Kubernetes", ...of.metadata },
  });
  if (!node.ok) throw new Error(node.error);
  const snapshot = buildMesh({ resources: resourcesOf(text), meshConfig: of.mesh });
  const resources = generate({
    config: viewFor(snapshot, node.value),
    inbound: inboundFor(snapshot, node.value),
    endpoints: snapshot.endpoints,
  });
  const byName = (url: string): Map<string, Json> =>
    new Map(
      [...(resources.byType.get(url) ?? [])].map(([name, resource]) => [name, anyToProtoJson(packBytes(url, resource.bytes)) as Json]),
    );
  return { listeners: byName(TYPE_URL.listener), clusters: byName(TYPE_URL.cluster), routes: byName(TYPE_URL.route) };
}
