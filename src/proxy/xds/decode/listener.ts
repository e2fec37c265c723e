// Envoy's Listener: address, listener filters, filter chains with one network filter each.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener.proto
import type { FilterChain, FilterChainMatch, Listener, TcpProxyConfig } from "../../config/index.ts";
import type { Reader } from "../../wire/reader.ts";
import { decodeAccessLogs } from "./access-log.ts";
import { decodeAddress, decodeCidrs } from "./address.ts";
import { decodeHttpManager } from "./http-manager.ts";
import { checkPlaintext } from "./transport.ts";

const NETWORK = "envoy.extensions.filters.network";
const LISTENER = "envoy.extensions.filters.listener";
const HTTP_MANAGER = `${NETWORK}.http_connection_manager.v3.HttpConnectionManager`;
const TCP_PROXY = `${NETWORK}.tcp_proxy.v3.TcpProxy`;
const HOUR_MS = 3_600_000;

export function decodeListener(reader: Reader): Listener {
  const address = decodeAddress(reader, "address");
  for (const field of ["transparent", "freebind"]) if (reader.flag(field)) reader.refuse(field, "is not supported");
  const chains = reader.messages("filter_chains").map(decodeChain);
  const fallback = reader.message("default_filter_chain");
  if (chains.length === 0 && fallback === undefined) reader.refuse("filter_chains", "are missing");
  const filters = decodeListenerFilters(reader);
  const name = reader.text("name");
  return Object.freeze({
    name: name === "" ? `${address.host}_${address.port}` : name,
    address,
    bindToPort: reader.flag("bind_to_port", reader.message("deprecated_v1")?.flag("bind_to_port", true) ?? true),
    useOriginalDst: reader.flag("use_original_dst"),
    direction: reader.choice("traffic_direction", "UNSPECIFIED"),
    filterChains: chains,
    defaultFilterChain: fallback === undefined ? undefined : decodeChain(fallback),
    inspectors: {
      http: filters.has("HttpInspector"),
      tls: filters.has("TlsInspector"),
      originalDst: filters.has("OriginalDst"),
      timeoutMs: reader.number("listener_filters_timeout", 15_000),
      continueOnTimeout: reader.flag("continue_on_listener_filters_timeout"),
    },
    accessLogs: decodeAccessLogs(reader, "access_log"),
    perConnectionBufferLimit: reader.number("per_connection_buffer_limit_bytes", 1_048_576),
  });
}

const INSPECTORS: Readonly<Record<string, string>> = {
  [`${LISTENER}.http_inspector.v3.HttpInspector`]: "HttpInspector",
  [`${LISTENER}.tls_inspector.v3.TlsInspector`]: "TlsInspector",
  [`${LISTENER}.original_dst.v3.OriginalDst`]: "OriginalDst",
};

function decodeListenerFilters(reader: Reader): ReadonlySet<string> {
  const found = new Set<string>();
  for (const filter of reader.messages("listener_filters")) {
    const any = filter.any("typed_config");
    if (any === undefined) return filter.refuse("typed_config", "is missing");
    const known = INSPECTORS[any.typeName];
    if (known === undefined) return filter.refuse("", `listener filter ${filter.text("name")} (${any.typeName}) is not supported`);
    any.read();
    found.add(known);
  }
  return found;
}

const ANY_MATCH: FilterChainMatch = Object.freeze({
  destinationPort: undefined,
  prefixRanges: [],
  sourcePrefixRanges: [],
  sourcePorts: [],
  transportProtocol: "",
  serverNames: [],
  applicationProtocols: [],
});

function decodeMatch(reader: Reader | undefined): FilterChainMatch {
  if (reader === undefined) return ANY_MATCH;
  return {
    destinationPort: reader.optionalNumber("destination_port"),
    prefixRanges: decodeCidrs(reader, "prefix_ranges"),
    sourcePrefixRanges: decodeCidrs(reader, "source_prefix_ranges"),
    sourcePorts: reader.numbers("source_ports"),
    transportProtocol: reader.text("transport_protocol"),
    serverNames: reader.texts("server_names"),
    applicationProtocols: reader.texts("application_protocols"),
  };
}

function decodeChain(reader: Reader): FilterChain {
  if (reader.flag("use_proxy_proto")) reader.refuse("use_proxy_proto", "is not supported");
  checkPlaintext(reader);
  const filters = reader.messages("filters");
  const last = filters.at(-1);
  if (last === undefined) return reader.refuse("filters", "are missing");
  for (const filter of filters.slice(0, -1)) unknownFilter(filter);
  return {
    name: reader.text("name"),
    match: decodeMatch(reader.message("filter_chain_match")),
    network: decodeNetwork(last),
    tls: undefined,
  };
}

function unknownFilter(filter: Reader): never {
  return filter.refuse(
    "",
    `network filter ${filter.text("name")} (${filter.any("typed_config")?.typeName ?? "no config"}) is not supported here`,
  );
}

function decodeNetwork(filter: Reader): FilterChain["network"] {
  const any = filter.any("typed_config");
  if (any?.typeName === HTTP_MANAGER) return decodeHttpManager(any.read());
  if (any?.typeName === TCP_PROXY) return decodeTcpProxy(any.read());
  return unknownFilter(filter);
}

function decodeTcpProxy(reader: Reader): TcpProxyConfig {
  const cluster = reader.text("cluster");
  const weighted = reader.message("weighted_clusters")?.messages("clusters") ?? [];
  const clusters =
    cluster === "" ? weighted.map((one) => ({ name: one.text("name"), weight: one.number("weight", 0) })) : [{ name: cluster, weight: 1 }];
  if (clusters.length === 0) reader.refuse("", "names no cluster");
  return {
    kind: "tcp",
    statPrefix: reader.text("stat_prefix"),
    clusters,
    idleTimeoutMs: reader.number("idle_timeout", HOUR_MS),
    maxConnectAttempts: reader.number("max_connect_attempts", 1),
    accessLogs: decodeAccessLogs(reader, "access_log"),
  };
}
