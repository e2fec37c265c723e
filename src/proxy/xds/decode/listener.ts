// Envoy's Listener: address, listener filters, filter chains with one network filter each.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener.proto
import type { FilterChain, FilterChainMatch, Listener, PortRule, ProxyProtocolConfig } from "../../config/index.ts";
import type { Reader } from "../../wire/reader.ts";
import { decodeAccessLogs } from "./access-log.ts";
import { decodeCidrs, decodeSocketOrPipe } from "./address.ts";
import { decodeHttpManager } from "./http-manager.ts";
import { decodeDnsCache } from "./discovery.ts";
import { readDataSource } from "./data-source.ts";
import { decodeTcpProxy } from "./tcp-proxy.ts";
import { decodeDownstreamTransport } from "./transport.ts";

const HTTPS_PORT = 443;
const NETWORK = "envoy.extensions.filters.network";
const LISTENER = "envoy.extensions.filters.listener";
const HTTP_MANAGER = `${NETWORK}.http_connection_manager.v3.HttpConnectionManager`;
const TCP_PROXY = `${NETWORK}.tcp_proxy.v3.TcpProxy`;
const SNI_CLUSTER = `${NETWORK}.sni_cluster.v3.SniCluster`;
const SNI_FORWARD = `${NETWORK}.sni_dynamic_forward_proxy.v3.FilterConfig`;
const PROXY_PROTOCOL = `${LISTENER}.proxy_protocol.v3.ProxyProtocol`;
const DIRECT_RESPONSE = `${NETWORK}.direct_response.v3.Config`;

export function decodeListener(reader: Reader): Listener {
  const address = decodeSocketOrPipe(reader, "address");
  const socketMode = reader.message("address")?.message("pipe")?.number("mode", 0) ?? 0;
  if (socketMode > 0o777) reader.refuse("address.pipe.mode", "is more than 0777");
  for (const field of ["transparent", "freebind"]) if (reader.flag(field)) reader.refuse(field, "is not supported");
  const direction = reader.choice<Listener["direction"]>("traffic_direction", "UNSPECIFIED");
  const chains = reader.messages("filter_chains").map((chain) => decodeChain(chain, direction));
  const fallback = reader.message("default_filter_chain");
  if (chains.length === 0 && fallback === undefined) reader.refuse("filter_chains", "are missing");
  const { found, skips, proxyProtocol } = decodeListenerFilters(reader);
  const announced = proxyProtocol ?? (hasProxyProto(reader) ? ANY_PROXY_PROTOCOL : undefined);
  const name = reader.text("name");
  return Object.freeze({
    name: name === "" ? `${address.host}_${address.port}` : name,
    address,
    ...(socketMode > 0 ? { socketMode } : {}),
    bindToPort: reader.flag("bind_to_port", reader.message("deprecated_v1")?.flag("bind_to_port", true) ?? true),
    useOriginalDst: reader.flag("use_original_dst"),
    direction,
    filterChains: chains,
    defaultFilterChain: fallback === undefined ? undefined : decodeChain(fallback, direction),
    inspectors: {
      http: found.has("HttpInspector"),
      tls: found.has("TlsInspector"),
      skipsHttp: skips.get("HttpInspector"),
      skipsTls: skips.get("TlsInspector"),
      originalDst: found.has("OriginalDst"),
      proxyProtocol: announced,
      timeoutMs: reader.number("listener_filters_timeout", 15_000),
      continueOnTimeout: reader.flag("continue_on_listener_filters_timeout"),
    },
    accessLogs: decodeAccessLogs(reader, "access_log"),
    perConnectionBufferLimit: reader.number("per_connection_buffer_limit_bytes", 1_048_576),
    bypassesOverload: reader.flag("bypass_overload_manager"),
    ignoresConnectionLimit: reader.flag("ignore_global_conn_limit"),
  });
}

const INSPECTORS: Readonly<Record<string, string>> = {
  [`${LISTENER}.http_inspector.v3.HttpInspector`]: "HttpInspector",
  [`${LISTENER}.tls_inspector.v3.TlsInspector`]: "TlsInspector",
  [`${LISTENER}.original_dst.v3.OriginalDst`]: "OriginalDst",
};

interface ListenerFilters {
  readonly found: ReadonlySet<string>;
  /** By inspector: where it is disabled. */
  readonly skips: ReadonlyMap<string, PortRule>;
  readonly proxyProtocol: ProxyProtocolConfig | undefined;
}

const ANY_PROXY_PROTOCOL: ProxyProtocolConfig = Object.freeze({ optional: false, versions: [1, 2] as const });

/** The older way to ask for it: on the filter chains. */
function hasProxyProto(reader: Reader): boolean {
  return reader.messages("filter_chains").some((chain) => chain.flag("use_proxy_proto"));
}

function decodeProxyProtocol(reader: Reader): ProxyProtocolConfig {
  const refused = reader.texts("disallowed_versions");
  return {
    optional: reader.flag("allow_requests_without_proxy_protocol"),
    versions: ([1, 2] as const).filter((version) => !refused.includes(`V${version}`)),
  };
}

const MAX_RULE_DEPTH = 16;

function decodePortRule(reader: Reader, depth = 0): PortRule {
  if (depth > MAX_RULE_DEPTH) reader.refuse("", `is nested deeper than ${MAX_RULE_DEPTH}`);
  for (const kind of ["or", "and"] as const) {
    const set = reader.message(`${kind}_match`);
    if (set !== undefined) return { kind, rules: set.messages("rules").map((rule) => decodePortRule(rule, depth + 1)) };
  }
  const inner = reader.message("not_match");
  if (inner !== undefined) return { kind: "not", rule: decodePortRule(inner, depth + 1) };
  const range = reader.message("destination_port_range");
  if (range !== undefined) return { kind: "range", start: range.number("start", 0), end: range.number("end", 0) };
  return reader.flag("any_match") ? { kind: "any" } : reader.refuse("", "says nothing");
}

function decodeListenerFilters(reader: Reader): ListenerFilters {
  const found = new Set<string>();
  const skips = new Map<string, PortRule>();
  let proxyProtocol: ProxyProtocolConfig | undefined;
  for (const filter of reader.messages("listener_filters")) {
    const any = filter.any("typed_config");
    if (any === undefined) return filter.refuse("typed_config", "is missing");
    const disabled = filter.message("filter_disabled");
    if (any.typeName === PROXY_PROTOCOL) {
      if (disabled !== undefined) filter.refuse("filter_disabled", "is supported for inspectors only");
      // What looks at the bytes would see the header.
      if (found.has("TlsInspector") || found.has("HttpInspector")) filter.refuse("", "must come before the inspectors");
      proxyProtocol = decodeProxyProtocol(any.read());
      continue;
    }
    const known = INSPECTORS[any.typeName];
    if (known === undefined) return filter.refuse("", `listener filter ${filter.text("name")} (${any.typeName}) is not supported`);
    any.read();
    found.add(known);
    if (disabled === undefined) continue;
    if (known === "OriginalDst") filter.refuse("filter_disabled", "is supported for inspectors only");
    skips.set(known, decodePortRule(disabled));
  }
  return { found, skips, proxyProtocol };
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
    serverNames: reader.texts("server_names").map((name) => name.toLowerCase()),
    applicationProtocols: reader.texts("application_protocols"),
  };
}

function decodeChain(reader: Reader, direction: Listener["direction"]): FilterChain {
  const filters = reader.messages("filters");
  const last = filters.at(-1);
  if (last === undefined) return reader.refuse("filters", "are missing");
  const before = filters.slice(0, -1);
  let sniCluster = false;
  let dynamicPort: number | undefined;
  for (const filter of before) {
    const any = filter.any("typed_config");
    if (any?.typeName === SNI_CLUSTER) sniCluster = true;
    else if (any?.typeName === SNI_FORWARD) dynamicPort = decodeSniForward(any.read());
    else unknownFilter(filter);
  }
  const network = decodeNetwork(last, direction);
  return {
    name: reader.text("name"),
    match: decodeMatch(reader.message("filter_chain_match")),
    network: network.kind === "tcp" ? { ...network, sniCluster, dynamicPort } : network,
    tls: decodeDownstreamTransport(reader),
    handshakeTimeoutMs: reader.number("transport_socket_connect_timeout", 0),
  };
}

/** Gives the port to connect to. */
function decodeSniForward(reader: Reader): number {
  decodeDnsCache(reader);
  const port = reader.number("port_value", HTTPS_PORT);
  return port > 0 && port <= 65_535 ? port : reader.refuse("port_value", "is no port");
}

function unknownFilter(filter: Reader): never {
  return filter.refuse(
    "",
    `network filter ${filter.text("name")} (${filter.any("typed_config")?.typeName ?? "no config"}) is not supported here`,
  );
}

function decodeNetwork(filter: Reader, direction: Listener["direction"]): FilterChain["network"] {
  const any = filter.any("typed_config");
  if (any?.typeName === HTTP_MANAGER) return decodeHttpManager(any.read(), direction);
  if (any?.typeName === TCP_PROXY) return decodeTcpProxy(any.read());
  if (any?.typeName === DIRECT_RESPONSE) return { kind: "direct", response: readDataSource(any.read(), "response") ?? Buffer.alloc(0) };
  return unknownFilter(filter);
}
