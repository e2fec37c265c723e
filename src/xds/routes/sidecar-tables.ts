// Virtual hosts of a sidecar's outbound route tables (Istio networking/core/httproute.go BuildSidecarOutboundVirtualHosts and
// networking/core/route/route.go BuildSidecarVirtualHostWrapper).
import { create, type VirtualHost, VirtualHostSchema } from "../../envoy-api/index.ts";
import {
  createHostIndex,
  hostCovers,
  type HostIndex,
  hostsOverlap,
  isWildcardHost,
  partsOf,
  type ConfigView,
  type EgressListenerView,
  type ServicePart,
  type ServicePort,
  type ServiceView,
  type VirtualService,
  type ProxyScope,
} from "../../model/index.ts";
import { isHttpProtocol } from "../protocols.ts";
import { buildDefaultRoute } from "./default-route.ts";
import { domainsOf, withPort } from "./domains.ts";
import { appliesTo, buildHttpRoutes, type HttpRouteContext } from "./http-routes.ts";

const MESH: ReadonlySet<string> = new Set(["mesh"]);
/** Hosts that are no service are reached on this port only. */
const HTTP_PORT = 80;

export interface TableInput {
  readonly view: ConfigView;
  readonly listener: EgressListenerView;
  /** The listener's port; 0 for proxies that serve all ports: the explicit one, a Sidecar's HTTP_PROXY port, a socket. */
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

/** Pods that share one address are told the port by the caller's URL, as no address tells it. */
export function readsHostPort(scope: ProxyScope): boolean {
  return scope.sharesHost;
}

export function routeContext(input: TableInput): HttpRouteContext {
  const { view, port, listener } = input;
  return {
    mesh: view.mesh,
    scope: view.scope,
    gateways: MESH,
    services: new Map(listener.services.map((one) => [one.service.hostname, port === 0 ? lastPart(one) : one])),
    known: view.servicesByHost,
    listenPort: port,
    onlyPortCounts: port === 0,
    tls: false,
  };
}

/** Where a host was written down several times, a proxy of all ports knows the last. */
function lastPart(view: ServiceView): ServiceView {
  const last = view.service.parts?.at(-1);
  if (last === undefined) return view;
  const numbers = last.ports.map((port) => port.number);
  return { ...view, ports: view.ports === undefined ? numbers : numbers.filter((number) => view.ports?.includes(number)) };
}

/** A service as a table has it. */
interface TableService {
  readonly view: ServiceView;
  readonly part: ServicePart;
  /** Those of the table that have routes. */
  readonly httpPorts: readonly number[];
}

function toTableService(view: ServiceView, port: number): TableService | undefined {
  const usable = (part: ServicePart): readonly ServicePort[] => part.ports.filter((one) => view.ports?.includes(one.number) ?? true);
  const part = partsOf(view.service).findLast((one) => port === 0 || usable(one).some(({ number }) => number === port));
  if (part === undefined) return undefined;
  const ports = usable(part).filter((one) => isHttpProtocol(one.protocol) && (port === 0 || one.number === port));
  return { view, part, httpPorts: ports.map((one) => one.number) };
}

type TableServices = ReadonlyMap<string, TableService>;

/** The services of a table: those with its port. */
function servicesOf({ listener, port }: TableInput): TableServices {
  const services = new Map<string, TableService>();
  for (const view of listener.services) {
    const service = toTableService(view, port);
    if (service !== undefined) services.set(view.service.hostname, service);
  }
  return services;
}

/** Whose rules a service takes where wildcards meet: the VirtualService with the most specific host, the first in order. */
const ownersOf = (() => {
  const known = new WeakMap<readonly VirtualService[], HostIndex<VirtualService>>();
  return (virtualServices: readonly VirtualService[]): HostIndex<VirtualService> => {
    let index = known.get(virtualServices);
    if (index === undefined) {
      const hosts = new Map<string, VirtualService>();
      for (const one of virtualServices) for (const host of one.hosts) if (!hosts.has(host)) hosts.set(host, one);
      known.set(virtualServices, (index = createHostIndex(hosts)));
    }
    return index;
  };
})();

/** A VirtualService none of whose rules is for this proxy does not count. */
function hasRules(owner: VirtualService, context: HttpRouteContext): boolean {
  return owner.http.some((rule) => rule.match.length === 0 || rule.match.some((match) => appliesTo(match.scope, context)));
}

/** On ports other than 80 a VirtualService needs a service that one of its hosts means. */
function meansAny(owner: VirtualService, services: TableServices, wildcards: readonly string[]): boolean {
  return owner.hosts.some((host) => {
    if (services.has(host)) return true;
    if (!isWildcardHost(host)) return wildcards.some((pattern) => hostCovers(pattern, host));
    for (const name of services.keys()) if (hostsOverlap(host, name)) return true;
    return false;
  });
}

interface Split {
  readonly services: readonly TableService[];
  /** Hosts of the VirtualService that are no service. */
  readonly strangers: readonly string[];
}

function splitHosts(owner: VirtualService, services: TableServices, owners: HostIndex<VirtualService>): Split {
  const found: TableService[] = [];
  const strangers: string[] = [];
  for (const host of owner.hosts) {
    if (isWildcardHost(host)) continue;
    const service = services.get(host);
    if (service === undefined) strangers.push(host);
    else found.push(service);
  }
  for (const host of owner.hosts) {
    if (!isWildcardHost(host)) continue;
    let matched = false;
    for (const [name, service] of services) {
      if (!hostsOverlap(name, host)) continue;
      matched = true;
      if (owners.mostSpecific(name) === owner) found.push(service);
    }
    if (!matched) strangers.push(host);
  }
  return { services: found, strangers };
}

/** All virtual hosts of a table but the catch-all; a domain that stands in an earlier one is dropped. */
export function planHosts(input: TableInput): HostPlan[] {
  return input.port === 0 && readsHostPort(input.view.scope) ? planSharedHosts(input) : planOwnHosts(input);
}

/** Where the Host's port counts, one listener stands for those of all ports: the tables of all of them, told apart by that port. */
function planSharedHosts(input: TableInput): HostPlan[] {
  const http = (view: ServiceView): readonly number[] =>
    view.service.ports.filter((port) => isHttpProtocol(port.protocol)).map((port) => port.number);
  const ports = new Set([HTTP_PORT, ...input.listener.services.flatMap(http)]);
  const plans = [...ports].flatMap((port) => planOwnHosts({ ...input, port }));
  return plans.map((plan) => {
    const suffixed = plan.domains.map((domain) => `${domain}:${plan.servicePort}`);
    return { ...plan, domains: plan.servicePort === HTTP_PORT ? [...plan.domains, ...suffixed] : suffixed };
  });
}

function planOwnHosts(input: TableInput): HostPlan[] {
  const { listener, port, view } = input;
  const context = routeContext(input);
  const services = servicesOf(input);
  const wildcards = [...services.keys()].filter(isWildcardHost);
  const owners = ownersOf(listener.virtualServices);
  const wrappers: { owner: VirtualService | undefined; port: number; services: TableService[]; strangers: readonly string[] }[] = [];
  const owned = new Set<TableService>();
  for (const owner of listener.virtualServices) {
    if (port !== HTTP_PORT && !meansAny(owner, services, wildcards)) continue;
    if (!hasRules(owner, context)) continue;
    const split = splitHosts(owner, services, owners);
    const byPort = new Map<number, TableService[]>();
    for (const service of split.services) {
      for (const number of service.httpPorts) {
        owned.add(service);
        const there = byPort.get(number);
        if (there === undefined) byPort.set(number, [service]);
        else there.push(service);
      }
    }
    if (byPort.size === 0 && port === HTTP_PORT) byPort.set(HTTP_PORT, []);
    for (const [number, list] of byPort) wrappers.push({ owner, port: number, services: list, strangers: split.strangers });
  }
  for (const service of services.values()) {
    // The service that an alias means has its names.
    if (owned.has(service) || service.view.service.resolution === "ALIAS") continue;
    for (const number of service.httpPorts) wrappers.push({ owner: undefined, port: number, services: [service], strangers: [] });
  }
  const known = new Set(wrappers.flatMap((wrapper) => wrapper.services.map((one) => one.view.service.hostname)));
  const domainsFor = ({ view: { service }, part }: TableService, servicePort: number): string[] => {
    const domains = domainsOf(service, { scope: view.scope, domain: view.mesh.domain, known, addresses: part.addresses });
    return port === 0 ? withPort(domains, servicePort) : domains;
  };
  const plans = wrappers.flatMap(({ owner, port: servicePort, services: list, strangers }): HostPlan[] => [
    ...strangers.map((host) => ({ name: `${host}:${servicePort}`, domains: [host], owner, service: undefined, servicePort })),
    ...list.map((service) => ({
      name: `${service.view.service.hostname}:${servicePort}`,
      domains: domainsFor(service, servicePort),
      owner,
      service: service.view,
      servicePort,
    })),
  ]);
  const kept = dedupe(plans);
  return port === 0 ? kept.flatMap((plan) => namedWithPort(plan)) : kept;
}

/** Of several ports behind one listener, only 80 is meant by a bare name. Istio ignores the Host's port there, so the others are out of reach. */
function namedWithPort(plan: HostPlan): HostPlan[] {
  if (plan.servicePort === HTTP_PORT) return [plan];
  const domains = plan.domains.filter((domain) => domain.includes(":"));
  return domains.length === 0 ? [] : [{ ...plan, domains }];
}

export function dedupe(plans: readonly HostPlan[]): HostPlan[] {
  const names = new Set<string>();
  const taken = new Set<string>();
  const kept: HostPlan[] = [];
  for (const plan of plans) {
    if (names.has(plan.name)) continue;
    names.add(plan.name);
    const domains = plan.domains.filter((d) => !taken.has(d.toLowerCase()));
    if (domains.length === 0) continue;
    for (const d of domains) taken.add(d.toLowerCase());
    kept.push({ ...plan, domains });
  }
  return kept;
}

export function buildPlannedHost(plan: HostPlan, context: HttpRouteContext): VirtualHost {
  const routes =
    plan.owner !== undefined
      ? buildHttpRoutes(plan.owner, context).map((b) => b.route)
      : plan.service !== undefined
        ? [buildDefaultRoute(plan.service, plan.servicePort, context.mesh)]
        : [];
  return create(VirtualHostSchema, {
    name: plan.name,
    domains: [...plan.domains],
    routes,
    includeRequestAttemptCount: !context.mesh.proxyHeaders.attemptCountDisabled,
  });
}
