// What is read and checked but has no effect yet: the one table. A feature that begins to work deletes its row here, nothing else.
import type { Kind } from "../resource.ts";

export interface NotYetRow {
  readonly kind: Kind;
  /** Where: field names joined by dots, `[]` for any entry of a list. "" is the whole resource. The first place found is reported. */
  readonly paths: readonly string[];
  /** What it is called in the warning; completes "… has no effect yet". */
  readonly what: string;
  /** Why, or what happens instead. */
  readonly note?: string;
  /** Only these values; all when left out. */
  readonly when?: (value: unknown) => boolean;
}

type Fields = Readonly<Record<string, unknown>>;

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Fields)[name] : undefined;
}

/** Every place where a traffic policy, or the settings of one port, can stand. */
function inPolicies(name: string, options: { readonly perPort: boolean }): string[] {
  const policies = ["spec.trafficPolicy", "spec.subsets[].trafficPolicy"];
  return policies.flatMap((policy) => [`${policy}.${name}`, ...(options.perPort ? [`${policy}.portLevelSettings[].${name}`] : [])]);
}

function isTlsServer(server: unknown): boolean {
  return ["HTTPS", "TLS"].includes(String(field(field(server, "port"), "protocol")).toUpperCase());
}

function isMutualTls(spec: unknown): boolean {
  const modes = [field(spec, "mtls"), ...Object.values((field(spec, "portLevelMtls") ?? {}) as object)].map(
    (entry) => field(entry, "mode") ?? "UNSET",
  );
  return modes.some((mode) => mode !== "DISABLE");
}

export const NOT_YET: readonly NotYetRow[] = [
  { kind: "VirtualService", paths: ["spec.tls"], what: "routing by SNI (tls rules)" },
  { kind: "VirtualService", paths: ["spec.tcp[].match[].sourceSubnet"], what: "sourceSubnet", note: "Istio ignores it too." },

  { kind: "DestinationRule", paths: inPolicies("loadBalancer.zoneAwareLbSetting", { perPort: true }), what: "zoneAwareLbSetting" },
  {
    kind: "DestinationRule",
    paths: inPolicies("outlierDetection.outlierDetectionHttpErrorCodes", { perPort: true }),
    what: "outlierDetectionHttpErrorCodes",
  },
  { kind: "DestinationRule", paths: inPolicies("connectionPool.http.http2KeepAlive", { perPort: true }), what: "http2KeepAlive" },
  {
    kind: "DestinationRule",
    paths: inPolicies("tls", { perPort: true }),
    what: "TLS to the service",
    note: "Connections are plain text.",
    when: (tls) => (field(tls, "mode") ?? "DISABLE") !== "DISABLE",
  },
  { kind: "DestinationRule", paths: inPolicies("tunnel", { perPort: false }), what: "tunnel" },
  { kind: "DestinationRule", paths: inPolicies("proxyProtocol", { perPort: false }), what: "proxyProtocol" },
  { kind: "DestinationRule", paths: inPolicies("retryBudget.budgetInterval", { perPort: false }), what: "budgetInterval" },

  {
    kind: "Gateway",
    paths: ["spec.servers[]"],
    what: "a server with protocol HTTPS or TLS",
    note: "Nothing listens on its port.",
    when: isTlsServer,
  },
  { kind: "Gateway", paths: ["spec.servers[].defaultEndpoint"], what: "defaultEndpoint", note: "Istio ignores it too." },

  {
    kind: "ServiceEntry",
    paths: ["spec.resolution"],
    what: "resolution by DNS",
    note: "Use STATIC with addresses.",
    when: (value) => value === "DNS" || value === "DNS_ROUND_ROBIN" || value === "DYNAMIC_DNS",
  },
  { kind: "ServiceEntry", paths: ["spec.workloadSelector"], what: "workloadSelector" },

  { kind: "WorkloadEntry", paths: [""], what: "a WorkloadEntry" },
  { kind: "WorkloadGroup", paths: [""], what: "a WorkloadGroup" },
  { kind: "Sidecar", paths: [""], what: "a Sidecar" },
  {
    kind: "EnvoyFilter",
    paths: ["spec.configPatches[].patch.filterClass", "spec.configPatches[].match.listener.portName"],
    what: "filterClass or a listener's portName",
    note: "Istio ignores it too.",
  },
  { kind: "ProxyConfig", paths: [""], what: "a ProxyConfig" },
  {
    kind: "PeerAuthentication",
    paths: [""],
    what: "mutual TLS",
    note: "Connections are plain text, as with mode DISABLE.",
    when: (resource) => isMutualTls(field(resource, "spec")),
  },
  { kind: "RequestAuthentication", paths: [""], what: "a RequestAuthentication", note: "Tokens are not checked." },
  { kind: "AuthorizationPolicy", paths: [""], what: "an AuthorizationPolicy", note: "Every request is allowed." },
  { kind: "Telemetry", paths: [""], what: "a Telemetry" },
  { kind: "WasmPlugin", paths: [""], what: "a WasmPlugin" },
];
