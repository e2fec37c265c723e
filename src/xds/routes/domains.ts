// The names under which a caller reaches a service (Istio networking/core/httproute.go generateVirtualHostDomains,
// generateAltVirtualHosts).
import type { ProxyScope, Service } from "../../model/index.ts";

/** Shorter forms of a Kubernetes-like name, as the caller's namespace allows them. */
function shortForms(hostname: string, namespace: string): string[] {
  const svc = hostname.indexOf(".svc.");
  if (svc <= 0) return [];
  const dot = hostname.indexOf(".");
  if (dot + 1 >= hostname.length || dot + 1 > svc) return [];
  const withNamespace = hostname.slice(0, svc);
  const own = hostname.slice(dot + 1, svc) === namespace;
  return own ? [hostname.slice(0, dot), `${withNamespace}.svc`, withNamespace] : [withNamespace, `${withNamespace}.svc`];
}

export interface DomainOptions {
  readonly scope: ProxyScope;
  /** Full names of all services of the table: a short form that is another service's name is not taken. */
  readonly known: ReadonlySet<string>;
}

export function domainsOf(service: Service, options: DomainOptions): string[] {
  const { hostname } = service;
  const short = shortForms(hostname, options.scope.namespace).filter((name) => name === hostname || !options.known.has(name));
  const names = hostname.startsWith("*") ? [hostname, ...short] : [hostname, `${hostname}.`, ...short];
  const each = service.headless && service.registry === "Kubernetes" ? names.filter((n) => !n.startsWith("*")).map((n) => `*.${n}`) : [];
  const addresses = service.addresses.filter((a) => !a.includes("/") && a !== "0.0.0.0").map((a) => (a.includes(":") ? `[${a}]` : a));
  return [...names, ...each, ...addresses];
}
