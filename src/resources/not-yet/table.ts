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

function isMutualTls(spec: unknown): boolean {
  const modes = [field(spec, "mtls"), ...Object.values((field(spec, "portLevelMtls") ?? {}) as object)].map(
    (entry) => field(entry, "mode") ?? "UNSET",
  );
  return modes.some((mode) => mode !== "DISABLE");
}

export const NOT_YET: readonly NotYetRow[] = [
  { kind: "VirtualService", paths: ["spec.tcp[].match[].sourceSubnet"], what: "sourceSubnet", note: "Istio ignores it too." },

  {
    kind: "DestinationRule",
    paths: inPolicies("tls", { perPort: true }),
    what: "mode ISTIO_MUTUAL without a mesh identity",
    note: "Serin issues none yet: it works for proxies that bring a secret server of their own.",
    when: (tls) => field(tls, "mode") === "ISTIO_MUTUAL",
  },

  {
    kind: "Gateway",
    paths: ["spec.servers[].tls"],
    what: "mode ISTIO_MUTUAL without a mesh identity",
    note: "Serin issues none yet: without one nothing listens there.",
    when: (tls) => field(tls, "mode") === "ISTIO_MUTUAL",
  },
  { kind: "Gateway", paths: ["spec.servers[].defaultEndpoint"], what: "defaultEndpoint", note: "Istio ignores it too." },

  {
    kind: "WorkloadGroup",
    paths: ["spec.probe"],
    what: "probe",
    note: "As with Istio, the agent beside the proxy probes, by the readinessProbe of its own ProxyConfig, and reports.",
  },
  {
    kind: "EnvoyFilter",
    paths: ["spec.configPatches[].patch.filterClass", "spec.configPatches[].match.listener.portName"],
    what: "filterClass or a listener's portName",
    note: "Istio ignores it too.",
  },
  { kind: "ProxyConfig", paths: ["spec.image"], what: "image", note: "`serin up --proxy` chooses the program." },
  {
    kind: "ProxyConfig",
    paths: ["spec.concurrency"],
    what: "concurrency in Serin's own proxy",
    note: "It has one thread; real Envoy (`serin up --proxy envoy`) follows it.",
    when: (value) => value !== 1,
  },
  {
    kind: "PeerAuthentication",
    paths: [""],
    what: "mutual TLS",
    note: "Serin issues no identities yet: it works for proxies that bring a secret server of their own, elsewhere connections are plain text.",
    when: (resource) => isMutualTls(field(resource, "spec")),
  },
  { kind: "RequestAuthentication", paths: [""], what: "a RequestAuthentication", note: "Tokens are not checked." },
  { kind: "AuthorizationPolicy", paths: [""], what: "an AuthorizationPolicy", note: "Every request is allowed." },
  { kind: "Telemetry", paths: [""], what: "a Telemetry" },
  { kind: "WasmPlugin", paths: [""], what: "a WasmPlugin" },
];
