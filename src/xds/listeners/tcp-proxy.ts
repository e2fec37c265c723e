// TCP proxy filters: one cluster or several by weight (Istio networking/core/networkfilter.go).
import { create, type Filter, FilterSchema, packAny, TcpProxySchema, toDuration } from "../../envoy-api/index.ts";
import type { ConfigView, StreamSettings } from "../../model/index.ts";
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
  const { idleTimeoutMs, maxConnectionDurationMs, hashSourceIp, tunnel } = settings;
  return {
    ...(hashSourceIp ? { hashPolicy: [{ policySpecifier: { case: "sourceIp", value: {} } }] } : {}),
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
