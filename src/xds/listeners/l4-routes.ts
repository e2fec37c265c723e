// TCP and TLS rules of a VirtualService as filter chains: where their bytes go (Istio networking/core/networkfilter.go buildOutboundNetworkFilters).
import type { ConfigView, MatchScope, ProxyScope, VirtualService, WeightedDestination } from "../../model/index.ts";
import { hostsOverlap } from "../../model/index.ts";
import { clusterOf, type RouteContext } from "../routes/action.ts";
import { buildSniForward } from "./by-name.ts";
import type { ChainPlan } from "./chain.ts";
import { buildTcpProxy, type TcpTarget } from "./tcp-proxy.ts";

const MESH = "mesh";

/** Unlike in HTTP rules, a match that names gateways still asks for its source. */
export function appliesAtSidecar(match: MatchScope, scope: ProxyScope, listenPort: number): boolean {
  if (match.gateways.length > 0 && !match.gateways.includes(MESH)) return false;
  if (match.port !== undefined && match.port !== listenPort) return false;
  if (match.sourceNamespace !== "" && match.sourceNamespace !== scope.namespace) return false;
  return Object.entries(match.sourceLabels).every(([name, value]) => scope.labels[name] === value);
}

/** VirtualServices with a host that a service has too, in their order. */
export function sharingHost(host: string, virtualServices: readonly VirtualService[]): readonly VirtualService[] {
  return virtualServices.filter((one) => one.hosts.some((pattern) => hostsOverlap(pattern, host)));
}

function targetsOf(route: readonly WeightedDestination[], context: RouteContext): TcpTarget[] {
  if (route.length === 1) return route.map((one) => ({ cluster: clusterOf(one.destination, context), weight: 1 }));
  return route.filter((one) => one.weight > 0).map((one) => ({ cluster: clusterOf(one.destination, context), weight: one.weight }));
}

/** The settings are those of the first destination's service; the tunnel of a subset counts only when it is the one destination. */
export function planRoute(view: ConfigView, listenPort: number, route: readonly WeightedDestination[]): ChainPlan {
  const { mesh, servicesByHost: services } = view;
  const targets = targetsOf(route, { mesh, services, known: services, listenPort, onlyPortCounts: true, tls: false });
  const first = route[0]?.destination;
  const rule = first === undefined ? undefined : view.servicesByHost.get(first.host)?.destinationRule;
  const settings = rule?.streamSettings(route.length === 1 ? (first?.subset ?? "") : "");
  const filter = buildTcpProxy({ view, statPrefix: targets[0]?.cluster ?? "", targets, settings });
  const named = first === undefined ? undefined : services.get(first.host)?.service;
  const port = first?.port ?? listenPort;
  return {
    sniHosts: [],
    subnets: [],
    filters: [...buildSniForward(named, port), filter],
    clusters: targets.map((target) => target.cluster),
  };
}
