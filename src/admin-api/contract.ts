// The HTTP contract between control plane, runtime (the local node agent), CLI and dashboard. JSON over loopback, bearer token
// (`Authorization: Bearer …`) on everything but /ready; Host must be exactly the admin address. Errors: {error: {code, message, fix?}}.
//
//   GET    /ready                                       200 when the first snapshot is built and xDS listens
//   GET    /api/v1/status                               → MeshStatus
//   GET    /api/v1/resources?kind=&namespace=           → ResourceList
//   GET    /api/v1/resources/KIND/NAMESPACE/NAME        → StoredResource (NAMESPACE "-" = none, for cluster-scoped kinds)
//   POST   /api/v1/apply        ApplyRequest            → ApplyResponse (all or nothing; 422 with issues when an error is among them)
//   POST   /api/v1/delete       {resources: ResourceKey[]} → ApplyResponse
//   PUT    /api/v1/status/KIND/NAMESPACE/NAME   {status}    status apart from spec (pods, by the runtime)
//   PUT    /api/v1/pods         PodList                 → {} the runtime's whole list of local pods, replaced at once
//   GET    /api/v1/pods                                 → PodList as last published
//   GET    /api/v1/watch?kind=&since=RESOURCE_VERSION   → newline-delimited JSON WatchEvent stream (410 when `since` is compacted, or of another store)
//   GET    /api/v1/issues                               → {issues: Issue[]}
//   GET    /api/v1/proxies                              → {proxies: ProxyStatus[]}
//   GET    /api/v1/proxies/ID/config                    → ProxyConfigDump (what the control plane sends to this proxy)
//   GET    /api/v1/live?revision=N&timeoutMs=N          → LiveStatus; answers when every affected proxy has revision N, or at the timeout
import type { Issue } from "../kit/index.ts";

export interface ResourceKey {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A resource as kept: the document with server-set metadata (resourceVersion, generation, uid, creationTimestamp). */
export interface StoredResource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
  };
  readonly spec?: unknown;
  readonly data?: unknown;
  readonly status?: unknown;
}

export interface ResourceList {
  readonly resourceVersion: string;
  readonly items: readonly StoredResource[];
}

export interface ApplyRequest {
  /** YAML or JSON texts; `file` is what issues call them. */
  readonly documents: readonly { readonly file: string; readonly text: string }[];
  readonly dryRun?: boolean;
}

export interface ApplyResponse {
  /** The store's revision after the write; pass it to /live. */
  readonly revision: number;
  readonly results: readonly {
    readonly key: ResourceKey;
    readonly action: "created" | "configured" | "unchanged" | "deleted" | "refused";
  }[];
  readonly issues: readonly Issue[];
}

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly resourceVersion: string;
  readonly object: StoredResource | undefined;
}

/** One local pod as the runtime reports it; `status` is resources' PodStatus. */
export interface PodReport {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly owner: ResourceKey | undefined;
  readonly status: unknown;
}

export interface PodList {
  readonly pods: readonly PodReport[];
}

export interface ProxyTypeStatus {
  readonly typeUrl: string;
  /** Hash over names and versions of what was sent and of what was acknowledged; equal = in sync. */
  readonly sent: string;
  readonly acked: string;
  readonly resources: number;
  readonly nack?: { readonly version: string; readonly message: string; readonly at: string };
}

export interface ProxyStatus {
  readonly id: string;
  readonly type: "sidecar" | "router";
  readonly name: string;
  readonly namespace: string;
  readonly protocol: "delta" | "sotw";
  readonly connectedAt: string;
  /** The newest store revision this proxy has in full. */
  readonly revision: number;
  /** What its config depends on: the model's ProxyScope. */
  readonly scope: unknown;
  readonly types: readonly ProxyTypeStatus[];
}

export interface LiveStatus {
  readonly revision: number;
  readonly live: boolean;
  readonly tookMs: number;
  readonly affected: number;
  readonly lagging: readonly { readonly id: string; readonly typeUrl: string; readonly reason: string }[];
}

export interface MeshStatus {
  readonly version: string;
  readonly revision: number;
  readonly startedAt: string;
  readonly ready: boolean;
  readonly xds: string;
  /** Istio's MeshConfig as read from --mesh-config; undefined: defaults. */
  readonly meshConfig?: unknown;
  readonly proxies: number;
  readonly resources: Readonly<Record<string, number>>;
  readonly issues: { readonly errors: number; readonly warnings: number };
}

/** The protojson of the resources, by type URL. */
export interface ProxyConfigDump {
  readonly id: string;
  readonly byType: Readonly<Record<string, readonly { readonly name: string; readonly version: string; readonly resource: unknown }[]>>;
}
