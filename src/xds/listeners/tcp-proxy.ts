// TCP proxy filters: one cluster or several by weight (Istio networking/core/networkfilter.go).
import { create, type Filter, FilterSchema, packAny, TcpProxySchema, toDuration } from "../../envoy-api/index.ts";
import type { ConfigView, StreamSettings, TcpRoute } from "../../model/index.ts";
import { clusterOf, type RouteContext } from "../routes/action.ts";
import { appliesTo } from "../routes/http-routes.ts";
import { buildAccessLogs } from "./access-log.ts";

export interface TcpTarget {
  readonly cluster: string;
  readonly weight: number;
}

export interface TcpProxyOptions {
  readonly view: ConfigView;
  readonly statPrefix: string;
  readonly targets: readonly TcpTarget[];
  readonly settings?: StreamSettings | undefined;
}

function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function settingsOf(settings: StreamSettings | undefined): object {
  if (settings === undefined) return {};
  const { idleTimeoutMs, maxConnectionDurationMs, tunnel } = settings;
  return {
    ...(idleTimeoutMs === undefined ? {} : { idleTimeout: toDuration(idleTimeoutMs) }),
    ...(maxConnectionDurationMs === undefined ? {} : { maxDownstreamConnectionDuration: toDuration(maxConnectionDurationMs) }),
    ...(tunnel === undefined
      ? {}
      : { tunnelingConfig: { hostname: hostAndPort(tunnel.host, tunnel.port), usePost: tunnel.protocol === "POST" } }),
  };
}

export function buildTcpProxy(options: TcpProxyOptions): Filter {
  const [first] = options.targets;
  const message = create(TcpProxySchema, {
    statPrefix: options.statPrefix,
    clusterSpecifier:
      options.targets.length === 1
        ? { case: "cluster", value: first?.cluster ?? "" }
        : { case: "weightedClusters", value: { clusters: options.targets.map((t) => ({ name: t.cluster, weight: t.weight })) } },
    accessLog: buildAccessLogs(options.view.mesh),
    ...settingsOf(options.settings),
  } as never);
  return create(FilterSchema, {
    name: "envoy.filters.network.tcp_proxy",
    configType: { case: "typedConfig", value: packAny(TcpProxySchema, message) },
  });
}

export interface TcpRouteContext extends RouteContext {
  readonly scope: ConfigView["scope"];
  readonly gateways: ReadonlySet<string>;
}

export interface MatchedTcpRoute {
  readonly targets: readonly TcpTarget[];
  /** CIDRs the connection must go to; empty = any. */
  readonly destinationSubnets: readonly string[];
}

/** TCP rules that apply to this proxy; one without destination subnets ends the list. */
export function tcpRoutesOf(routes: readonly TcpRoute[], context: TcpRouteContext): MatchedTcpRoute[] {
  const found: MatchedTcpRoute[] = [];
  for (const route of routes) {
    const targets = targetsOf(route, context);
    if (route.match.length === 0) return [...found, { targets, destinationSubnets: [] }];
    for (const match of route.match) {
      if (!appliesTo(match.scope, context)) continue;
      found.push({ targets, destinationSubnets: match.destinationSubnets });
      if (match.destinationSubnets.length === 0) return found;
    }
  }
  return found;
}

function targetsOf(route: TcpRoute, context: TcpRouteContext): TcpTarget[] {
  if (route.route.length === 1) return route.route.map((w) => ({ cluster: clusterOf(w.destination, context), weight: 1 }));
  return route.route.filter((w) => w.weight > 0).map((w) => ({ cluster: clusterOf(w.destination, context), weight: w.weight }));
}
