// Route configurations of one view as resources: whole for state-of-the-world clients; for delta clients every virtual host but the
// catch-all is a resource of its own (VHDS), so that a changed rule is one virtual host on the wire.
import {
  create,
  type RouteConfiguration,
  RouteConfigurationSchema,
  VhdsSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "../../envoy-api/index.ts";
import type { XdsResource } from "../../kit/index.ts";
import { type ConfigView, type EgressListenerView, type ProxyScope, virtualHostResource } from "../../model/index.ts";
import { adsSource } from "../config-source.ts";
import { toResource } from "../encode.ts";
import type { Patcher } from "../envoy-filter/index.ts";
import { clustersOfHosts } from "./clusters-of.ts";
import { buildCatchAllHost } from "./default-route.ts";
import { buildBlackHoleHost, buildGatewayHosts, type GatewayTable } from "./gateway-tables.ts";
import { createHostCache } from "./host-cache.ts";
import { buildPlannedHost, type HostPlan, planHosts, readsHostPort, routeContext, type TableInput } from "./sidecar-tables.ts";

export interface TableResources {
  readonly routes: readonly XdsResource[];
  readonly virtualHosts: readonly XdsResource[];
}

/** Hosts of one table: those that may travel alone, and the catch-all that stays inline. */
interface Table {
  readonly name: string;
  readonly hosts: readonly XdsHost[];
  readonly fallback: VirtualHost | undefined;
  /** The Host's port counts. */
  readonly readsHostPort: boolean;
}

interface XdsHost {
  readonly message: VirtualHost;
  readonly resource: XdsResource;
}

const hostCache = createHostCache<XdsHost>();

function toHost(table: string, message: VirtualHost, scope: ProxyScope): XdsHost {
  const clusters = clustersOfHosts([message]);
  if (!scope.virtualHostDiscovery) return { message, resource: toResource(VirtualHostSchema, message, { name: message.name, clusters }) };
  const name = virtualHostResource(table, message.name);
  // Envoy keys virtual hosts by their own name when it removes them: it must be the resource's.
  return { message, resource: toResource(VirtualHostSchema, { ...message, name }, { name, clusters }) };
}

interface TableParts {
  /** Without its hosts. */
  readonly config: RouteConfiguration;
  readonly hosts: readonly XdsHost[];
  readonly fallback: VirtualHost | undefined;
}

function partsOf(table: Table): TableParts {
  const config = create(RouteConfigurationSchema, {
    name: table.name,
    ignorePortInHostMatching: !table.readsHostPort,
    maxDirectResponseBodySizeBytes: 1_048_576,
    validateClusters: false,
  });
  const hosts = [...table.hosts].sort((a, b) => (a.message.name < b.message.name ? -1 : a.message.name > b.message.name ? 1 : 0));
  return { config, hosts, fallback: table.fallback };
}

const patchedHosts = new WeakMap<VirtualHost, XdsHost>();

/** EnvoyFilters meet the table as a whole; hosts that none of them touches keep their resources. */
function patchParts(parts: TableParts, patcher: Patcher, scope: ProxyScope): TableParts {
  const { config, hosts, fallback } = parts;
  const own = new Map(hosts.map((host) => [host.message, host]));
  const before = { ...config, virtualHosts: [...own.keys(), ...(fallback === undefined ? [] : [fallback])] };
  const after = patcher.routes(before);
  if (after === before) return parts;
  const inline = after.virtualHosts.find((message) => message.name === fallback?.name);
  const toKnownHost = (message: VirtualHost): XdsHost => {
    let host = own.get(message) ?? patchedHosts.get(message);
    if (host === undefined) patchedHosts.set(message, (host = toHost(config.name, message, scope)));
    return host;
  };
  return {
    config: { ...after, virtualHosts: [] },
    hosts: after.virtualHosts
      .filter((message) => message !== inline)
      .map(uniqueNames())
      .map(toKnownHost),
    fallback: inline,
  };
}

/** Patches may add hosts of one name; resources need names of their own. */
function uniqueNames(): (message: VirtualHost) => VirtualHost {
  const seen = new Map<string, number>();
  return (message) => {
    const times = (seen.get(message.name) ?? 0) + 1;
    seen.set(message.name, times);
    return times === 1 ? message : { ...message, name: `${message.name}#${times}` };
  };
}

function toTable(parts: TableParts, scope: ProxyScope): { route: XdsResource; virtualHosts: readonly XdsResource[] } {
  const { hosts } = parts;
  const fallback = parts.fallback === undefined ? [] : [parts.fallback];
  const config: RouteConfiguration = scope.virtualHostDiscovery
    ? { ...parts.config, virtualHosts: fallback, vhds: create(VhdsSchema, { configSource: adsSource() }) }
    : { ...parts.config, virtualHosts: [...hosts.map((h) => h.message), ...fallback] };
  const route = toResource(RouteConfigurationSchema, config, { name: config.name, clusters: clustersOfHosts(config.virtualHosts) });
  return { route, virtualHosts: scope.virtualHostDiscovery ? hosts.map((h) => h.resource) : [] };
}

/** A route table that a sidecar's listener names. */
export interface SidecarTableName {
  readonly name: string;
  /** The listener's port; 0 for the explicit proxy and for sockets. */
  readonly port: number;
  /** A detected service with an address of its own: the table has this host alone. */
  readonly only?: string;
}

/** The Sidecar's listener that a table belongs to: the one with that port (or socket), else the one without a port. */
function egressFor(view: ConfigView, { name, port }: SidecarTableName): EgressListenerView | undefined {
  for (const egress of view.egress) {
    if (egress.port === undefined) return egress;
    if (egress.port.number === port && (port !== 0 || egress.bind === name)) return egress;
  }
  return undefined;
}

function sidecarTable(view: ConfigView, table: SidecarTableName): Table {
  const listener = egressFor(view, table);
  const { name, only } = table;
  const port = listener?.port?.protocol === "HTTP_PROXY" ? 0 : table.port;
  const shared = port === 0 && readsHostPort(view.scope);
  const fallback = only === undefined ? buildCatchAllHost(view) : undefined;
  if (listener === undefined) return { name, hosts: [], fallback, readsHostPort: shared };
  const input: TableInput = { view, listener, port };
  const plans = planHosts(input);
  const contexts = new Map([[port, routeContext(input)]]);
  const contextFor = (plan: HostPlan): ReturnType<typeof routeContext> => {
    const listenPort = shared ? plan.servicePort : port;
    let context = contexts.get(listenPort);
    if (context === undefined) contexts.set(listenPort, (context = routeContext({ ...input, port: listenPort })));
    return context;
  };
  if (only !== undefined) {
    const plan = plans.find((one) => one.domains.includes(only));
    const host = plan === undefined ? undefined : buildPlannedHost({ ...plan, domains: ["*"] }, contextFor(plan));
    return { name, hosts: [], fallback: host, readsHostPort: false };
  }
  const hosts = plans.map((plan) =>
    hostCache.get({
      scope: view.scope,
      owner: plan.owner ?? plan.service ?? view.mesh,
      key: `${name}\n${plan.name}\n${plan.domains.join()}`,
      needs: [view.mesh, listener.services, view.servicesByHost, plan.service],
      make: () => toHost(name, buildPlannedHost(plan, contextFor(plan)), view.scope),
    }),
  );
  return { name, hosts, fallback, readsHostPort: shared };
}

function gatewayTable(view: ConfigView, table: GatewayTable): Table {
  const messages = buildGatewayHosts(view, table);
  const fallback = messages.length === 0 ? buildBlackHoleHost(table.port) : undefined;
  return { name: table.name, hosts: messages.map((m) => toHost(table.name, m, view.scope)), fallback, readsHostPort: false };
}

export function buildTables(
  view: ConfigView,
  names: { sidecar: readonly SidecarTableName[]; gateway: readonly GatewayTable[]; patcher: Patcher | undefined },
): TableResources {
  const { scope } = view;
  const { patcher } = names;
  const built = [...names.sidecar.map((n) => sidecarTable(view, n)), ...names.gateway.map((t) => gatewayTable(view, t))].map((table) => {
    const parts = partsOf(table);
    return toTable(patcher === undefined ? parts : patchParts(parts, patcher, scope), scope);
  });
  return { routes: built.map((b) => b.route), virtualHosts: built.flatMap((b) => b.virtualHosts) };
}
