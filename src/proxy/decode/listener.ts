// Envoy's Listener → filter chains the proxy runs. TLS and filters that are not there yet refuse the listener by name.
import {
  durationMs,
  type FilterChain as ChainMessage,
  type FilterChainMatch as MatchMessage,
  FilterChainMatchSchema,
  FilterChainSchema,
  fromBinary,
  HttpConnectionManagerSchema,
  type Listener as Message,
  ListenerSchema,
  type TcpProxy,
  TcpProxySchema,
  TrafficDirection,
  unpackAny,
} from "../../envoy-api/index.ts";
import type { FilterChain, FilterChainMatch, Listener, TcpProxyConfig } from "../config/index.ts";
import { decodeAccessLogs } from "./access-log.ts";
import { guard, refuse } from "./guard.ts";
import { decodeHttpManager, type HttpManager } from "./http-manager.ts";

const LISTENER_FIELDS = {
  used: [
    "name",
    "address",
    "bind_to_port",
    "use_original_dst",
    "traffic_direction",
    "filter_chains",
    "default_filter_chain",
    "listener_filters",
    "listener_filters_timeout",
    "continue_on_listener_filters_timeout",
    "per_connection_buffer_limit_bytes",
  ],
  inert: [
    "metadata",
    "stat_prefix",
    "enable_reuse_port",
    "drain_type",
    "connection_balance_config",
    "ignore_global_conn_limit",
    "bypass_overload_manager",
    "tcp_backlog_size",
  ],
};

const DEFAULT_BUFFER = 1_048_576;
const DEFAULT_TCP_IDLE_MS = 3_600_000;
const DEFAULT_INSPECT_MS = 15_000;

/** A listener and the route configurations it has by name or inline. */
export interface DecodedListener {
  readonly listener: Listener;
  readonly routeNames: readonly string[];
}

export function decodeListener(bytes: Uint8Array): DecodedListener {
  return toListener(fromBinary(ListenerSchema, bytes));
}

export function toListener(message: Message): DecodedListener {
  const path = `listener ${message.name}`;
  guard(ListenerSchema, message, { ...LISTENER_FIELDS, path });
  const routeNames = new Set<string>();
  const chains = message.filterChains.map((c, i) => toChain(c, `${path}.filter_chains[${i}]`, routeNames));
  const fallback =
    message.defaultFilterChain === undefined ? undefined : toChain(message.defaultFilterChain, `${path}.default_filter_chain`, routeNames);
  const at = message.address?.address;
  if (at?.case !== "socketAddress" && chains.length > 0 && message.bindToPort !== false)
    refuse(`${path}.address`, "only socket addresses are supported");
  const address = at?.case === "socketAddress" ? at.value : undefined;
  const listener: Listener = Object.freeze({
    name: message.name,
    address: { host: address?.address ?? "0.0.0.0", port: address?.portSpecifier.case === "portValue" ? address.portSpecifier.value : 0 },
    bindToPort: message.bindToPort ?? true,
    useOriginalDst: message.useOriginalDst ?? false,
    direction:
      message.trafficDirection === TrafficDirection.INBOUND
        ? "INBOUND"
        : message.trafficDirection === TrafficDirection.OUTBOUND
          ? "OUTBOUND"
          : "UNSPECIFIED",
    filterChains: Object.freeze(chains),
    defaultFilterChain: fallback,
    inspectors: inspectorsOf(message, path),
    accessLogs: [],
    perConnectionBufferLimit: message.perConnectionBufferLimitBytes ?? DEFAULT_BUFFER,
  });
  return { listener, routeNames: [...routeNames] };
}

function inspectorsOf(message: Message, path: string): Listener["inspectors"] {
  const found = { http: false, tls: false, originalDst: false };
  for (const filter of message.listenerFilters) {
    switch (filter.name) {
      case "envoy.filters.listener.http_inspector":
        found.http = true;
        break;
      case "envoy.filters.listener.tls_inspector":
        found.tls = true;
        break;
      case "envoy.filters.listener.original_dst":
        found.originalDst = true;
        break;
      default:
        refuse(`${path}.listener_filters`, `${filter.name} is not supported yet`);
    }
  }
  const timeoutMs = message.listenerFiltersTimeout === undefined ? DEFAULT_INSPECT_MS : durationMs(message.listenerFiltersTimeout);
  return { ...found, timeoutMs, continueOnTimeout: message.continueOnListenerFiltersTimeout };
}

const CHAIN_FIELDS = { used: ["filter_chain_match", "filters", "name"], inert: ["metadata"] };
const MATCH_FIELDS = {
  used: [
    "destination_port",
    "prefix_ranges",
    "source_prefix_ranges",
    "source_ports",
    "transport_protocol",
    "server_names",
    "application_protocols",
  ],
};

function toChain(message: ChainMessage, path: string, routeNames: Set<string>): FilterChain {
  guard(FilterChainSchema, message, { ...CHAIN_FIELDS, path });
  return Object.freeze({
    name: message.name,
    match: matchOf(message.filterChainMatch, path),
    network: networkOf(message, path, routeNames),
    tls: undefined,
  });
}

function networkOf(message: ChainMessage, path: string, routeNames: Set<string>): FilterChain["network"] {
  const [filter, ...more] = message.filters;
  if (filter === undefined) return refuse(`${path}.filters`, "has no network filter");
  if (more.length > 0) return refuse(`${path}.filters`, `${filter.name} before another filter is not supported yet`);
  const any = filter.configType.case === "typedConfig" ? filter.configType.value : undefined;
  const manager = unpackAny(HttpConnectionManagerSchema, any);
  if (manager !== undefined) {
    const decoded: HttpManager = decodeHttpManager(manager, `${path}.http_connection_manager`);
    if (decoded.routeName !== undefined) routeNames.add(decoded.routeName);
    return decoded.config;
  }
  const tcp = unpackAny(TcpProxySchema, any);
  return tcp === undefined ? refuse(`${path}.filters`, `${filter.name} is not supported yet`) : tcpProxyOf(tcp, `${path}.tcp_proxy`);
}

function cidrs(ranges: MatchMessage["prefixRanges"]): FilterChainMatch["prefixRanges"] {
  return ranges.map((r) => ({ address: r.addressPrefix, prefix: r.prefixLen ?? 0 }));
}

function matchOf(message: MatchMessage | undefined, path: string): FilterChainMatch {
  if (message !== undefined) guard(FilterChainMatchSchema, message, { ...MATCH_FIELDS, path: `${path}.filter_chain_match` });
  return {
    destinationPort: message?.destinationPort,
    prefixRanges: cidrs(message?.prefixRanges ?? []),
    sourcePrefixRanges: cidrs(message?.sourcePrefixRanges ?? []),
    sourcePorts: message?.sourcePorts ?? [],
    transportProtocol: message?.transportProtocol ?? "",
    serverNames: message?.serverNames ?? [],
    applicationProtocols: message?.applicationProtocols ?? [],
  };
}

function tcpProxyOf(message: TcpProxy, path: string): TcpProxyConfig {
  guard(TcpProxySchema, message, {
    used: ["stat_prefix", "cluster", "weighted_clusters", "idle_timeout", "max_connect_attempts", "access_log"],
    path,
  });
  const kind = message.clusterSpecifier;
  const clusters =
    kind.case === "cluster"
      ? [{ name: kind.value, weight: 1 }]
      : kind.case === "weightedClusters"
        ? kind.value.clusters.map((c) => ({ name: c.name, weight: c.weight }))
        : refuse(path, "names no cluster");
  return Object.freeze({
    kind: "tcp",
    statPrefix: message.statPrefix,
    clusters,
    idleTimeoutMs: message.idleTimeout === undefined ? DEFAULT_TCP_IDLE_MS : durationMs(message.idleTimeout),
    maxConnectAttempts: message.maxConnectAttempts ?? 1,
    accessLogs: decodeAccessLogs(message.accessLog, path),
  });
}
