// Names in Istio resources: short hosts and gateways are completed with the namespace of the resource that writes them
// (pilot/pkg/model/config.go ResolveShortnameToFQDN, virtualservice.go resolveGatewayName).
import type { ObjectMeta } from "../resources/index.ts";

const IP_ADDRESS = /^(\d{1,3}\.){3}\d{1,3}$|:/;

export const MESH_GATEWAY = "mesh";

/** Only a name without a dot is short; a dotted one (`demo.default`) stays as it is. */
export function resolveHost(host: string, namespace: string, domain: string): string {
  if (host === "" || host === "*" || host.includes(".") || IP_ADDRESS.test(host)) return host;
  return namespace === "" ? host : `${host}.${namespace}.svc.${domain}`;
}

/** `mesh`, or `namespace/name`; also understands the old forms `name.namespace` and the full name. */
export function resolveGateway(gateway: string, namespace: string): string {
  if (gateway === MESH_GATEWAY) return gateway;
  if (gateway.includes("/")) return gateway.startsWith("./") ? `${namespace}/${gateway.slice(2)}` : gateway;
  const [name = "", owner] = gateway.split(".");
  return `${owner ?? namespace}/${name}`;
}

/** exportTo as namespaces: `.` becomes the own one; nothing written means the mesh's default. `~` is nowhere. */
export function resolveExportTo(written: readonly string[] | undefined, namespace: string, fallback: readonly string[]): readonly string[] {
  const list = written === undefined || written.length === 0 ? fallback : written;
  return list.map((entry) => (entry === "." ? namespace : entry));
}

export function isVisible(exportTo: readonly string[], namespace: string): boolean {
  if (exportTo.includes("*")) return true;
  return !exportTo.includes("~") && exportTo.includes(namespace);
}

/** Creation time, name, namespace: Istio's order wherever the oldest wins. */
export function byAge(a: Aged, b: Aged): number {
  return a.createdAt - b.createdAt || compareText(a.name, b.name) || compareText(a.namespace, b.namespace);
}

export interface Aged {
  readonly createdAt: number;
  readonly name: string;
  readonly namespace: string;
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function agedBy(metadata: ObjectMeta): Aged {
  return { createdAt: metadata.creationTimestamp, name: metadata.name, namespace: metadata.namespace };
}

export function selects(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  for (const name in selector) if (selector[name] !== labels[name] || !Object.hasOwn(labels, name)) return false;
  return true;
}
