// What gateways do with byte streams: TCP rules, TLS rules by SNI, and AUTO_PASSTHROUGH (Istio networking/core/gateway.go
// buildGatewayNetworkFiltersFromTCPRoutes, buildGatewayNetworkFiltersFromTLSRoutes, builtAutoPassthroughFilterChains).
import {
  type ConfigView,
  type GatewayServer,
  type GatewayServerView,
  hostCovers,
  hostsOverlap,
  type MatchScope,
  sniCluster,
  type VirtualService,
} from "../../model/index.ts";
import { isUdp } from "../protocols.ts";
import type { ChainPlan } from "./chain.ts";
import { planRoute } from "./l4-routes.ts";
import { buildTcpProxy } from "./tcp-proxy.ts";

/** Every protocol that a sidecar of the mesh names inside TLS. */
const MESH_ALPN = ["istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"];

function isOffered(server: GatewayServer, vs: VirtualService): boolean {
  return vs.hosts.some((host) =>
    server.hosts.some((offered) => (offered.namespace === "*" || offered.namespace === vs.namespace) && hostsOverlap(offered.host, host)),
  );
}

/** Port and gateway only: at a gateway, rules for streams do not ask where the caller comes from. */
function isFor(match: MatchScope, server: GatewayServer): boolean {
  if (match.port !== undefined && match.port !== server.port.number) return false;
  return match.gateways.length === 0 || match.gateways.includes(`${server.gateway.namespace}/${server.gateway.name}`);
}

/** The first rule that fits has the whole server. */
export function planStreamChain(view: ConfigView, { server, virtualServices }: GatewayServerView): ChainPlan | undefined {
  for (const vs of virtualServices) {
    if (!isOffered(server, vs)) continue;
    const rule = vs.tcp.find(({ match }) => match.length === 0 || match.some((one) => isFor(one.scope, server)));
    if (rule === undefined || rule.route.length === 0) continue;
    return planRoute(view, server.port.number, rule.route);
  }
  return undefined;
}

/** One chain per match. `taken`: names that already have a chain on this port; a match with one of them is left out as a whole. */
export function planTlsChains(view: ConfigView, { server, virtualServices }: GatewayServerView, taken: Set<string>): readonly ChainPlan[] {
  const plans: ChainPlan[] = [];
  for (const vs of virtualServices) {
    if (!isOffered(server, vs)) continue;
    for (const rule of vs.tls) {
      for (const match of rule.match) {
        if (!isFor(match.scope, server) || match.sniHosts.some((name) => taken.has(name))) continue;
        for (const name of match.sniHosts) taken.add(name);
        plans.push({ ...planRoute(view, server.port.number, rule.route), sniHosts: match.sniHosts });
      }
    }
  }
  return plans;
}

/** A chain for each cluster inside the server's hosts: its name is the SNI, and only TLS of the mesh gets through. */
export function planAutoPassthrough(view: ConfigView, hosts: readonly string[]): readonly ChainPlan[] {
  return view.clusters.flatMap(({ service, destinationRule, ports }) => {
    if (service.meshExternal || !hosts.some((host) => hostCovers(host, service.hostname))) return [];
    const subsets = ["", ...(destinationRule?.subsets ?? []).map((subset) => subset.name)];
    const settings = destinationRule?.streamSettings("");
    return service.ports
      .filter((port) => !isUdp(port.protocol) && (ports === undefined || ports.includes(port.number)))
      .flatMap((port) =>
        subsets.map((subset): ChainPlan => {
          const cluster = sniCluster(service.hostname, port.number, subset);
          const plain = settings === undefined ? undefined : { ...settings, tunnel: undefined };
          const filter = buildTcpProxy({ view, statPrefix: cluster, targets: [{ cluster, weight: 1 }], settings: plain });
          return { sniHosts: [cluster], subnets: [], applicationProtocols: MESH_ALPN, filters: [filter], clusters: [cluster] };
        }),
      );
  });
}
