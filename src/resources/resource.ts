// A validated, defaulted, frozen resource and where each of its fields stands in the user's files.
import type { ResourceRef } from "../kit/index.ts";

/** The kinds that Serin reads; `kinds.ts` is the one table of parsers. */
export type Kind =
  | "Namespace"
  | "Service"
  | "Deployment"
  | "Pod"
  | "ServiceAccount"
  | "ConfigMap"
  | "Secret"
  | "VirtualService"
  | "DestinationRule"
  | "Gateway"
  | "ServiceEntry"
  | "WorkloadEntry"
  | "WorkloadGroup"
  | "Sidecar"
  | "EnvoyFilter"
  | "ProxyConfig"
  | "PeerAuthentication"
  | "RequestAuthentication"
  | "AuthorizationPolicy"
  | "Telemetry"
  | "WasmPlugin";

export interface ObjectMeta {
  readonly name: string;
  /** "default" when the document has none (cluster-scoped kinds: ""). */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. From the document, else set by the store at first write, else 0. */
  readonly creationTimestamp: number;
  /** Position in the input, so that equal timestamps keep a stable order; 0 when unknown. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
}

export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Finds the place of a field path (`spec.http[0].weight`), or of its nearest ancestor that is written down. */
export type Locate = (path: string) => Position;

export interface Resource<Spec = unknown> {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
  /** In the API's own JSON shape (camelCase, durations as text), defaulted, frozen. For ConfigMap and Secret the whole document but metadata. */
  readonly spec: Spec;
  readonly status?: unknown;
  readonly locate: Locate;
}

export function refOf(resource: Resource): ResourceRef {
  return { kind: resource.kind, namespace: resource.metadata.namespace, name: resource.metadata.name };
}
