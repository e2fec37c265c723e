// Route tables of a gateway's HTTP servers (Istio networking/core/gateway.go buildGatewayHTTPRouteConfig): VirtualServices of one host are
// merged in order, with their catch-all routes last.
import { create, type VirtualHost, VirtualHost_TlsRequirementType as Tls, VirtualHostSchema } from "../../envoy-api/index.ts";
import { type ConfigView, type GatewayServer, type GatewayServerView, hostCovers, type VirtualService } from "../../model/index.ts";
import { type BuiltRoute, buildHttpRoutes, type HttpRouteContext } from "./http-routes.ts";

interface HostEntry {
  readonly name: string;
  readonly domain: string;
  readonly built: BuiltRoute[];
  /** Whose routes are in `built`: a VirtualService bound to several gateways of the table has one set for each. */
  readonly owners: Set<readonly BuiltRoute[]>;
  requireTls: boolean;
}

/** The narrower of each pair of hosts that overlap, as far as the server lets this namespace in. */
function sharedHosts(server: GatewayServer, vs: VirtualService): string[] {
  const shared: string[] = [];
  for (const host of vs.hosts) {
    for (const offered of server.hosts) {
      if (offered.namespace !== "*" && offered.namespace !== vs.namespace) continue;
      if (hostCovers(offered.host, host)) shared.push(host);
      else if (hostCovers(host, offered.host)) shared.push(offered.host);
    }
  }
  return [...new Set(shared)];
}

export interface GatewayTable {
  readonly name: string;
  readonly port: number;
  readonly servers: readonly GatewayServerView[];
}

function contextOf(view: ConfigView, server: GatewayServer): HttpRouteContext {
  return {
    mesh: view.mesh,
    scope: view.scope,
    gateways: new Set([`${server.gateway.namespace}/${server.gateway.name}`]),
    services: view.servicesByHost,
    known: view.servicesByHost,
    onlyPortCounts: true,
    listenPort: server.port.number,
    tls: server.tls !== undefined,
  };
}

export function buildGatewayHosts(view: ConfigView, table: GatewayTable): VirtualHost[] {
  const hosts = new Map<string, HostEntry>();
  // Once per gateway and VirtualService, with the port of the first server that lets it in.
  const routes = new Map<string, Map<VirtualService, readonly BuiltRoute[]>>();
  const routesOf = (server: GatewayServer, vs: VirtualService): readonly BuiltRoute[] => {
    const gateway = `${server.gateway.namespace}/${server.gateway.name}`;
    const known = routes.get(gateway) ?? new Map<VirtualService, readonly BuiltRoute[]>();
    routes.set(gateway, known);
    const built = known.get(vs) ?? buildHttpRoutes(vs, contextOf(view, server));
    known.set(vs, built);
    return built;
  };
  const entryOf = (domain: string): HostEntry => {
    let entry = hosts.get(domain);
    if (entry === undefined) {
      entry = {
        name: `${domain}:${table.servers[0]?.server.port.number ?? table.port}`,
        domain,
        built: [],
        owners: new Set(),
        requireTls: false,
      };
      hosts.set(domain, entry);
    }
    return entry;
  };
  for (const { server, virtualServices } of table.servers) {
    const redirect = server.tls?.httpsRedirect === true;
    for (const vs of virtualServices) {
      const shared = sharedHosts(server, vs);
      if (shared.length === 0) continue;
      const built = routesOf(server, vs);
      if (built.length === 0) continue;
      for (const domain of shared) {
        const entry = entryOf(domain);
        if (redirect) entry.requireTls = true;
        if (entry.owners.has(built)) continue;
        entry.owners.add(built);
        entry.built.push(...built);
      }
    }
    // Istio keeps `namespace/host` as the name here, so only hosts of any namespace are redirected without a VirtualService.
    if (redirect) for (const { host, namespace } of server.hosts) if (namespace === "*") entryOf(host).requireTls = true;
  }
  return [...hosts.values()].map((entry) => toHost(entry, view));
}

function toHost(entry: HostEntry, view: ConfigView): VirtualHost {
  const ordered =
    entry.owners.size > 1 ? [...entry.built.filter((b) => !b.catchAll), ...entry.built.filter((b) => b.catchAll)] : entry.built;
  return create(VirtualHostSchema, {
    name: entry.name,
    domains: [entry.domain],
    routes: ordered.map((b) => b.route),
    includeRequestAttemptCount: !view.mesh.proxyHeaders.attemptCountDisabled,
    ...(entry.requireTls ? { requireTls: Tls.ALL } : {}),
  });
}

/** A table without hosts still listens, and answers 404. */
export function buildBlackHoleHost(port: number): VirtualHost {
  return create(VirtualHostSchema, { name: `blackhole:${port}`, domains: ["*"] });
}
