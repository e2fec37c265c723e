// The names under which `serin get` and its siblings know a kind: plural, singular and short forms as kubectl has them.
import type { Kind } from "../resources/index.ts";

const NAMES: Readonly<Record<Kind, readonly string[]>> = {
  Namespace: ["namespaces", "ns"],
  Service: ["services", "svc"],
  Deployment: ["deployments", "deploy"],
  Pod: ["pods", "po"],
  ServiceAccount: ["serviceaccounts", "sa"],
  ConfigMap: ["configmaps", "cm"],
  Secret: ["secrets"],
  VirtualService: ["virtualservices", "vs"],
  DestinationRule: ["destinationrules", "dr"],
  Gateway: ["gateways", "gw"],
  ServiceEntry: ["serviceentries", "se"],
  WorkloadEntry: ["workloadentries", "we"],
  WorkloadGroup: ["workloadgroups", "wg"],
  Sidecar: ["sidecars"],
  EnvoyFilter: ["envoyfilters"],
  ProxyConfig: ["proxyconfigs"],
  PeerAuthentication: ["peerauthentications", "pa"],
  RequestAuthentication: ["requestauthentications", "ra"],
  AuthorizationPolicy: ["authorizationpolicies", "ap"],
  Telemetry: ["telemetries", "telemetry"],
  WasmPlugin: ["wasmplugins"],
};

const BY_NAME = new Map<string, Kind>(
  (Object.entries(NAMES) as [Kind, readonly string[]][]).flatMap(([kind, names]) => [
    [kind.toLowerCase(), kind],
    ...names.map((name): [string, Kind] => [name, kind]),
  ]),
);

const CLUSTER_SCOPED: ReadonlySet<Kind> = new Set(["Namespace"]);

/** `vs`, `VirtualService`, `virtualservices.networking.istio.io` → VirtualService; undefined for an unknown name. */
export function parseKindName(text: string): Kind | undefined {
  return BY_NAME.get(text.toLowerCase().split(".")[0] ?? "");
}

export function isNamespaced(kind: string): boolean {
  return !CLUSTER_SCOPED.has(kind as Kind);
}

/** For completion and for the message about an unknown kind. */
export function kindNames(): string[] {
  return [...BY_NAME.keys()].sort();
}
