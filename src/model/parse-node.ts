// Reads the node that an xDS client names itself with (Istio's pkg/model/proxy.go: id `TYPE~IP~NAME.NAMESPACE~DOMAIN` and metadata).
import { err, ok, parseDuration, type Result } from "../kit/index.ts";
import { labelledLocality, NOWHERE, splitLocality, topologyLocality, withTopologyLabels } from "./locality.ts";
import type { ProxyIdentity, ProxyScope, ProxyType } from "./proxy.ts";
import type { Locality } from "./service.ts";

export interface NodeInput {
  readonly id: string;
  readonly cluster?: string;
  /** The node's metadata struct as JSON. */
  readonly metadata?: unknown;
  readonly locality?:
    | { readonly region?: string; readonly zone?: string; readonly subZone?: string; readonly sub_zone?: string }
    | undefined;
  /** The client asked by delta ADS, so virtual hosts may be resources of their own. Default false. */
  readonly virtualHostDiscovery?: boolean;
}

const IP = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]*)$/;

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

function portOf(value: unknown): number | undefined {
  const port = Number(text(value));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

function labelsOf(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, label]) => [name, text(label)]));
}

/** The registry knows best, and says so in labels; the locality label is not split at dots here (seen on real Istio). */
function localityOf(node: NodeInput, labels: Readonly<Record<string, string>>): Locality {
  const known = topologyLocality(labels);
  if (known !== undefined) return known;
  const label = labelledLocality(labels);
  if (label !== "") return splitLocality(label);
  const given = node.locality;
  if (given !== undefined) {
    return { region: given.region ?? "", zone: given.zone ?? "", subZone: given.subZone ?? given.sub_zone ?? "" };
  }
  return NOWHERE;
}

function interceptionOf(value: string): ProxyScope["interceptionMode"] {
  return value === "NONE" || value === "TPROXY" ? value : "REDIRECT";
}

/** An object, with its fields in order, as text; "" = none. */
function jsonOf(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "";
  return JSON.stringify(Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))));
}

export function parseNode(node: NodeInput): Result<ProxyIdentity> {
  const [type, ip, fullName, domain, ...rest] = node.id.split("~");
  if (type === undefined || ip === undefined || fullName === undefined || domain === undefined || rest.length > 0) {
    return err(`node id "${node.id}" is not of the form TYPE~IP~NAME.NAMESPACE~DOMAIN`);
  }
  if (type !== "sidecar" && type !== "router") return err(`node type "${type}" is not supported (sidecar and router are)`);
  const metadata: Readonly<Record<string, unknown>> =
    typeof node.metadata === "object" && node.metadata !== null ? (node.metadata as Record<string, unknown>) : {};
  const instanceIps = text(metadata["INSTANCE_IPS"])
    .split(",")
    .map((address) => address.trim())
    .filter((address) => IP.test(address));
  const ipAddresses = [...new Set(instanceIps.length > 0 ? instanceIps : [ip])].filter((address) => IP.test(address));
  if (ipAddresses.length === 0) return err(`node id "${node.id}" has no valid IP address`);
  const dot = fullName.lastIndexOf(".");
  const name = dot === -1 ? fullName : fullName.slice(0, dot);
  const namespace = text(metadata["NAMESPACE"]) || (dot === -1 ? "" : fullName.slice(dot + 1)) || domain.split(".")[0] || "";
  if (namespace === "") return err(`node id "${node.id}" names no namespace`);
  const own = labelsOf(metadata["LABELS"]);
  const locality = localityOf(node, own);
  const clusterId = text(metadata["CLUSTER_ID"]);
  const network = text(metadata["NETWORK"]);
  const labels = withTopologyLabels(own, { locality, network, clusterId, node: text(metadata["NODE_NAME"]) });
  return ok({
    id: node.id,
    type: type satisfies ProxyType,
    ipAddresses,
    name,
    namespace,
    domain,
    scope: {
      type,
      namespace,
      labels,
      locality,
      clusterId,
      network,
      interceptionMode: interceptionOf(text(metadata["INTERCEPTION_MODE"])),
      httpProxyPort: portOf(metadata["HTTP_PROXY_PORT"]),
      proxyConfig: jsonOf(metadata["PROXY_CONFIG"]),
      idleTimeoutMs: parseDuration(text(metadata["IDLE_TIMEOUT"])),
      http10: text(metadata["HTTP10"]) === "1",
      sharesHost: text(metadata["SERIN_SHARED_HOST"]) === "1",
      unprivileged: text(metadata["UNPRIVILEGED_POD"]) === "true",
      virtualHostDiscovery: node.virtualHostDiscovery ?? false,
      secretServer: text(metadata["SERIN_SECRET_SERVER"]) !== "none",
      bindAddress: text(metadata["SERIN_BIND"]) || "0.0.0.0",
    },
    metadata: Object.fromEntries(Object.entries(metadata).filter((entry): entry is [string, string] => typeof entry[1] === "string")),
  });
}

/** Equal scopes have equal keys. */
export function scopeKey(scope: ProxyScope): string {
  const { locality } = scope;
  return JSON.stringify([
    scope.type,
    scope.namespace,
    Object.entries(scope.labels).sort(([a], [b]) => (a < b ? -1 : 1)),
    [locality.region, locality.zone, locality.subZone],
    scope.clusterId,
    scope.network,
    scope.interceptionMode,
    scope.httpProxyPort ?? 0,
    scope.proxyConfig,
    scope.idleTimeoutMs ?? 0,
    scope.http10,
    scope.sharesHost,
    scope.unprivileged,
    scope.virtualHostDiscovery,
    scope.secretServer,
    scope.bindAddress,
  ]);
}
