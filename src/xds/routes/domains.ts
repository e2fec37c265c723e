// The names under which a caller reaches a service (Istio networking/core/httproute.go generateVirtualHostDomains,
// generateAltVirtualHosts).
import { isIP } from "node:net";
import type { ProxyScope, Service } from "../../model/index.ts";

/** Shorter forms of a name in the cluster's domain, as the caller's namespace allows them. */
function shortForms(hostname: string, namespace: string, domain: string): string[] {
  if (!hostname.endsWith(`.svc.${domain}`)) return [];
  const svc = hostname.indexOf(".svc.");
  const dot = hostname.indexOf(".");
  if (svc <= 0 || dot + 1 >= hostname.length || dot + 1 > svc) return [];
  const withNamespace = hostname.slice(0, svc);
  const own = hostname.slice(dot + 1, svc) === namespace;
  return own ? [hostname.slice(0, dot), `${withNamespace}.svc`, withNamespace] : [withNamespace, `${withNamespace}.svc`];
}

export interface DomainOptions {
  readonly scope: ProxyScope;
  /** `cluster.local` */
  readonly domain: string;
  /** Full names of all services of the table: a short form that is another service's name is not taken. */
  readonly known: ReadonlySet<string>;
  readonly addresses: readonly string[];
}

/** One name in all its forms. */
export function namesOf(hostname: string, { scope, domain, known }: Omit<DomainOptions, "addresses">): string[] {
  const short = shortForms(hostname, scope.namespace, domain).filter((name) => !known.has(name));
  return [hostname, ...(isIP(hostname) === 0 ? [`${hostname}.`] : []), ...short];
}

export function domainsOf(service: Service, options: DomainOptions): string[] {
  const names = [service.hostname, ...(service.aliases ?? [])].flatMap((name) => namesOf(name, options));
  const each = service.resolution === "NONE" && service.registry === "Kubernetes" ? names.map((name) => `*.${name}`) : [];
  const addresses = options.addresses.filter((a) => !a.includes("/")).map((a) => (a.includes(":") ? `[${a}]` : a));
  return [...names, ...each, ...addresses];
}

/** Each name alone and with the port. */
export function withPort(domains: readonly string[], port: number): string[] {
  return domains.flatMap((domain) => [domain, `${domain}:${port}`]);
}
