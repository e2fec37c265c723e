// Route tables of a sidecar's outbound listeners (Istio networking/core/httproute.go buildSidecarOutboundHTTPRouteConfig and
// networking/core/route/route.go BuildSidecarVirtualHostWrapper).
import { create, type Route, type VirtualHost, VirtualHostSchema } from "../../envoy-api/index.ts";
import {
  hostCovers,
  isWildcardHost,
  type ConfigView,
  type EgressListenerView,
  type ServiceView,
  type VirtualService,
  type ProxyScope,
} from "../../model/index.ts";
import { isHttpProtocol } from "../protocols.ts";
import { buildDefaultRoute } from "./default-route.ts";
import { domainsOf } from "./domains.ts";
import { buildHttpRoutes, type HttpRouteContext } from "./http-routes.ts";

const MESH: ReadonlySet<string> = new Set(["mesh"]);
/** Hosts that are no service are reached on this port only. */
const HTTP_PORT = 80;

export interface TableInput {
  readonly view: ConfigView;
  readonly listener: EgressListenerView;
  /** Service port of the table; 0 for the explicit proxy, which serves all ports. */
  readonly port: number;
}

/** A virtual host before it is a message: its names, and what its routes are made of. */
export interface HostPlan {
  readonly name: string;
  readonly domains: readonly string[];
  /** undefined: the service's default route. */
  readonly owner: VirtualService | undefined;
  readonly service: ServiceView | undefined;
  readonly servicePort: number;
}

/** A proxy with an explicit port of its own (local pods) is told the port by the caller's URL, as no address tells it. */
export function readsHostPort(scope: ProxyScope): boolean {
  return scope.httpProxyPort !== undefined;
}

/** On the explicit proxy a bare name means port 80. Istio's shared listener ignores the Host's port, so other ports are out of reach there. */
function explicitDomains(domains: readonly string[], port: number, scope: ProxyScope): readonly string[] {
  const withPort = domains.map((d) => `${d}:${port}`);
  if (port !== HTTP_PORT) return withPort;
  return readsHostPort(scope) ? [...domains, ...withPort] : domains;
}

function usable(view: ServiceView, port: number): boolean {
  return view.ports === undefined || view.ports.includes(port);
}

function httpPorts(view: ServiceView): number[] {
  return view.service.ports.filter((p) => isHttpProtocol(p.protocol) && usable(view, p.number)).map((p) => p.number);
}

/** Which VirtualService a service belongs to: one that names it, else the most specific wildcard; the first in order wins. */
function createOwners(
  listener: EgressListenerView,
  hasRoutes: (vs: VirtualService) => boolean,
): (host: string) => VirtualService | undefined {
  const exact = new Map<string, VirtualService>();
  const wildcards: (readonly [string, VirtualService])[] = [];
  for (const vs of listener.virtualServices) {
    if (!hasRoutes(vs)) continue;
    for (const host of vs.hosts) {
      if (isWildcardHost(host)) wildcards.push([host, vs]);
      if (!exact.has(host)) exact.set(host, vs);
    }
  }
  wildcards.sort((a, b) => b[0].length - a[0].length);
  return (host) => exact.get(host) ?? wildcards.find(([pattern]) => hostCovers(pattern, host))?.[1];
}

export function routeContext(input: TableInput): HttpRouteContext {
  const services = new Map(input.listener.services.map((s) => [s.service.hostname, s]));
  return { mesh: input.view.mesh, scope: input.view.scope, gateways: MESH, services, listenPort: input.port, tls: false };
}

/** All virtual hosts of a table but the catch-all; a domain that stands in an earlier one is dropped. */
export function planHosts(input: TableInput, hasRoutes: (vs: VirtualService) => boolean): HostPlan[] {
  const { listener, view, port } = input;
  const ownerOf = createOwners(listener, hasRoutes);
  const known = new Set(listener.services.map((s) => s.service.hostname));
  const owned: HostPlan[] = [];
  const plain: HostPlan[] = [];
  for (const service of listener.services) {
    const owner = ownerOf(service.service.hostname);
    for (const servicePort of httpPorts(service)) {
      if (port !== 0 && servicePort !== port) continue;
      const domains = domainsOf(service.service, { scope: view.scope, known });
      const plan: HostPlan = {
        name: `${service.service.hostname}:${servicePort}`,
        // One listener for all ports: only port 80 is meant by a bare name.
        domains: port === 0 ? explicitDomains(domains, servicePort, view.scope) : domains,
        owner,
        service,
        servicePort,
      };
      (owner === undefined ? plain : owned).push(plan);
    }
  }
  return dedupe([...owned, ...strangers(input, { hasRoutes, known }), ...plain]);
}

/** Hosts of VirtualServices that are no service: on port 80, or on every port of a service the same VirtualService names. */
function strangers(input: TableInput, options: { hasRoutes: (vs: VirtualService) => boolean; known: ReadonlySet<string> }): HostPlan[] {
  const { listener, port } = input;
  const plans: HostPlan[] = [];
  for (const vs of listener.virtualServices) {
    if (vs.hosts.every((host) => options.known.has(host)) || !options.hasRoutes(vs)) continue;
    const named = listener.services.filter((s) => vs.hosts.some((h) => hostCovers(h, s.service.hostname)));
    const ports = new Set(named.flatMap(httpPorts));
    if (ports.size === 0) ports.add(HTTP_PORT);
    const hosts = vs.hosts.filter(
      (host) => !options.known.has(host) && !(isWildcardHost(host) && named.some((s) => hostCovers(host, s.service.hostname))),
    );
    for (const host of hosts) {
      for (const hostPort of ports) {
        if (port !== 0 && hostPort !== port) continue;
        const domains = port === 0 ? explicitDomains([host], hostPort, input.view.scope) : [host];
        plans.push({ name: `${host}:${hostPort}`, domains, owner: vs, service: undefined, servicePort: hostPort });
      }
    }
  }
  return plans;
}

export function dedupe(plans: readonly HostPlan[]): HostPlan[] {
  const names = new Set<string>();
  const taken = new Set<string>();
  const kept: HostPlan[] = [];
  for (const plan of plans) {
    if (names.has(plan.name)) continue;
    const domains = plan.domains.filter((d) => !taken.has(d.toLowerCase()));
    if (domains.length === 0) continue;
    names.add(plan.name);
    for (const d of domains) taken.add(d.toLowerCase());
    kept.push({ ...plan, domains });
  }
  return kept;
}

export function buildPlannedHost(plan: HostPlan, context: HttpRouteContext): VirtualHost {
  const routes: Route[] =
    plan.owner !== undefined
      ? buildHttpRoutes(plan.owner, context).map((b) => b.route)
      : plan.service !== undefined
        ? [buildDefaultRoute(plan.service.service, plan.servicePort, context.mesh)]
        : [];
  return create(VirtualHostSchema, {
    name: plan.name,
    domains: [...plan.domains],
    routes,
    includeRequestAttemptCount: !context.mesh.proxyHeaders.attemptCountDisabled,
  });
}
