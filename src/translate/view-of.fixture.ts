// What a proxy of a mesh sees, from the mesh's YAML: for tests.
import { parseNode, type ProxyView } from "../model/index.ts";
import { buildMesh } from "./build-mesh.ts";
import { inboundFor } from "./inbound-for.ts";
import type { IstiodSettings } from "./mesh-settings.ts";
import { nodeOf, resourcesOf } from "./resources-of.fixture.ts";
import { viewFor } from "./view-for.ts";

export interface Caller {
  readonly type?: "sidecar" | "router";
  readonly namespace?: string;
  /** The ingress gateway's of a router, `app: client` of a sidecar. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly ip?: string;
  readonly mesh?: unknown;
  readonly istiod?: IstiodSettings;
}

/** Of a state-of-the-world client. */
export function viewOf(text: string, of: Caller = {}): ProxyView {
  const { type = "sidecar", namespace = "default", labels = type === "router" ? { istio: "ingressgateway" } : { app: "client" } } = of;
  const { id, metadata } = nodeOf(type, namespace, labels);
  const node = parseNode({ id: of.ip === undefined ? id : id.replace("10.9.9.9", of.ip), metadata: { ...metadata, ...of.metadata } });
  if (!node.ok) throw new Error(node.error);
  const snapshot = buildMesh({ resources: resourcesOf(text), meshConfig: of.mesh, istiod: of.istiod ?? {} });
  return {
    config: viewFor(snapshot, node.value),
    inbound: inboundFor(snapshot, node.value),
    endpoints: snapshot.endpoints,
  };
}
