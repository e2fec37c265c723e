// Route configurations of one view as resources: whole for state-of-the-world clients; for delta clients every virtual host but the
// catch-all is a resource of its own (VHDS), so that a changed rule is one virtual host on the wire.
import { create, type RouteConfiguration, RouteConfigurationSchema, type VirtualHost, VirtualHostSchema } from "../../envoy-api/index.ts";
import { memoByIdentity, type XdsResource } from "../../kit/index.ts";
import { type ConfigView, type EgressListenerView, type ProxyScope, type VirtualService, virtualHostResource } from "../../model/index.ts";
import { adsSource } from "../config-source.ts";
import { toResource } from "../encode.ts";
import { clustersOfHosts } from "./clusters-of.ts";
import { buildCatchAllHost } from "./default-route.ts";
import { buildBlackHoleHost, buildGatewayHosts, type GatewayTable } from "./gateway-tables.ts";
import { buildHttpRoutes } from "./http-routes.ts";
import { createHostCache } from "./host-cache.ts";
import { buildPlannedHost, planHosts, readsHostPort, routeContext, type TableInput } from "./sidecar-tables.ts";

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

function toTable(table: Table, scope: ProxyScope): { route: XdsResource; virtualHosts: readonly XdsResource[] } {
  const fallback = table.fallback === undefined ? [] : [table.fallback];
  const common = {
    name: table.name,
    ignorePortInHostMatching: !table.readsHostPort,
    maxDirectResponseBodySizeBytes: 1_048_576,
    validateClusters: false,
  };
  const sorted = [...table.hosts].sort((a, b) => (a.message.name < b.message.name ? -1 : a.message.name > b.message.name ? 1 : 0));
  const config: RouteConfiguration = scope.virtualHostDiscovery
    ? create(RouteConfigurationSchema, { ...common, virtualHosts: fallback, vhds: { configSource: adsSource() } })
    : create(RouteConfigurationSchema, { ...common, virtualHosts: [...sorted.map((h) => h.message), ...fallback] });
  const inline = scope.virtualHostDiscovery ? fallback : config.virtualHosts;
  const route = toResource(RouteConfigurationSchema, config, { name: table.name, clusters: clustersOfHosts(inline) });
  return { route, virtualHosts: scope.virtualHostDiscovery ? sorted.map((h) => h.resource) : [] };
}

/** Does a VirtualService say anything to this proxy on this table? Asked often, answered once. */
function createHasRoutes(input: TableInput): (vs: VirtualService) => boolean {
  const context = routeContext(input);
  return memoByIdentity((vs: VirtualService) => buildHttpRoutes(vs, context).length > 0);
}

function sidecarTable(view: ConfigView, options: { listener: EgressListenerView; name: string; port: number }): Table {
  const input: TableInput = { view, listener: options.listener, port: options.port };
  const context = routeContext(input);
  const plans = planHosts(input, createHasRoutes(input));
  const hosts = plans.map((plan) =>
    hostCache.get({
      scope: view.scope,
      owner: plan.owner ?? plan.service ?? view.mesh,
      key: `${options.name}\n${plan.name}\n${plan.domains.join()}`,
      needs: [view.mesh, options.listener.services, plan.service],
      make: () => toHost(options.name, buildPlannedHost(plan, context), view.scope),
    }),
  );
  return { name: options.name, hosts, fallback: buildCatchAllHost(view), readsHostPort: options.port === 0 && readsHostPort(view.scope) };
}

function gatewayTable(view: ConfigView, table: GatewayTable): Table {
  const messages = buildGatewayHosts(view, table);
  const fallback = messages.length === 0 ? buildBlackHoleHost(table.port) : undefined;
  return { name: table.name, hosts: messages.map((m) => toHost(table.name, m, view.scope)), fallback, readsHostPort: false };
}

/** Which sidecar listener serves the explicit proxy: the one without a port, else the last. */
export function catchAllListener(view: ConfigView): EgressListenerView | undefined {
  return view.egress.find((l) => l.port === undefined) ?? view.egress.at(-1);
}

export interface SidecarTableName {
  readonly listener: EgressListenerView;
  readonly name: string;
  readonly port: number;
}

export function buildTables(
  view: ConfigView,
  names: { sidecar: readonly SidecarTableName[]; gateway: readonly GatewayTable[] },
): TableResources {
  const built = [...names.sidecar.map((n) => sidecarTable(view, n)), ...names.gateway.map((t) => gatewayTable(view, t))].map((t) =>
    toTable(t, view.scope),
  );
  return { routes: built.map((b) => b.route), virtualHosts: built.flatMap((b) => b.virtualHosts) };
}
