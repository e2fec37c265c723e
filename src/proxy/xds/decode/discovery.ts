// How a cluster finds its endpoints, and for names how they are looked up: the cluster's own fields or the typed config of its kind.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/clusters/dns/v3/dns_cluster.proto
import type { ClusterConfig, DnsCacheConfig, DnsConfig, DnsFamily, DnsResolverConfig } from "../../config/index.ts";
import type { Reader, TypedReader } from "../../wire/reader.ts";
import { decodeSocketAddress } from "./address.ts";

export interface Discovery {
  readonly type: ClusterConfig["type"];
  readonly dns: DnsConfig | undefined;
  readonly dnsCache: DnsCacheConfig | undefined;
  /** The server's name need not follow the request's host. */
  readonly insecure: boolean;
}

const DYNAMIC_CLUSTER = "envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig";
const DNS_CLUSTER = "envoy.extensions.clusters.dns.v3.DnsCluster";
const CARES = "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig";
const SYSTEM_RESOLVERS: ReadonlySet<string> = new Set([
  "envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig",
  "envoy.extensions.network.dns_resolver.apple.v3.AppleDnsResolverConfig",
]);

/** The types as extensions that need no config. */
const BY_NAME: ReadonlyMap<string, ClusterConfig["type"]> = new Map([
  ["envoy.cluster.static", "STATIC"],
  ["envoy.cluster.strict_dns", "STRICT_DNS"],
  ["envoy.cluster.logical_dns", "LOGICAL_DNS"],
  ["envoy.cluster.eds", "EDS"],
  ["envoy.cluster.original_dst", "ORIGINAL_DST"],
]);

const NO_DISCOVERY = { dns: undefined, dnsCache: undefined, insecure: false } as const;

export function decodeDiscovery(reader: Reader): Discovery {
  const custom = reader.message("cluster_type");
  if (custom === undefined) return withFields(reader, reader.choice<ClusterConfig["type"]>("type", "STATIC"));
  const name = custom.text("name");
  const typed = custom.any("typed_config");
  if (typed?.typeName === DNS_CLUSTER) {
    const config = typed.read();
    const own = config.message("typed_dns_resolver_config") ?? reader.message("typed_dns_resolver_config");
    return {
      type: config.flag("all_addresses_in_single_endpoint") ? "LOGICAL_DNS" : "STRICT_DNS",
      ...NO_DISCOVERY,
      dns: decodeDns(config, { resolver: own, wait: reader.flag("wait_for_warm_on_init", true) }),
    };
  }
  if (typed?.typeName === DYNAMIC_CLUSTER) {
    const config = typed.read();
    const insecure = config.flag("allow_insecure_cluster_options");
    return { ...NO_DISCOVERY, type: "DYNAMIC", dnsCache: decodeDnsCache(config), insecure };
  }
  const type = BY_NAME.get(name);
  if (type === undefined || typed !== undefined) return custom.refuse("name", `${name} is not supported`);
  return withFields(reader, type);
}

function withFields(reader: Reader, type: ClusterConfig["type"]): Discovery {
  if (type !== "STRICT_DNS" && type !== "LOGICAL_DNS") return { ...NO_DISCOVERY, type };
  const wait = reader.flag("wait_for_warm_on_init", true);
  return { ...NO_DISCOVERY, type, dns: decodeDns(reader, { resolver: reader.message("typed_dns_resolver_config"), wait }) };
}

/** The fields are named alike in a cluster and in a typed config. */
function decodeDns(reader: Reader, { resolver, wait }: { readonly resolver: Reader | undefined; readonly wait: boolean }): DnsConfig {
  const family = reader.choice<DnsFamily | "UNSPECIFIED">("dns_lookup_family", "AUTO");
  return Object.freeze({
    family: family === "UNSPECIFIED" ? "AUTO" : family,
    refreshMs: positive(reader, "dns_refresh_rate") ?? 5000,
    minRefreshMs: reader.number("dns_min_refresh_rate", 0),
    jitterMs: reader.number("dns_jitter", 0),
    respectTtl: reader.flag("respect_dns_ttl"),
    failure: decodeRefresh(reader.message("dns_failure_refresh_rate")),
    resolver: decodeResolver(resolver),
    waitForFirst: wait,
  });
}

/** Of a cluster or a filter, which name it alike. */
export function decodeDnsCache(owner: Reader): DnsCacheConfig {
  const reader = owner.message("dns_cache_config") ?? owner.refuse("dns_cache_config", "is missing");
  const name = reader.text("name");
  if (name === "") reader.refuse("name", "is empty");
  return Object.freeze({
    name,
    family: reader.choice<DnsFamily>("dns_lookup_family", "AUTO"),
    refreshMs: positive(reader, "dns_refresh_rate") ?? 60_000,
    minRefreshMs: atLeast(reader, "dns_min_refresh_rate", 1000) ?? 5000,
    hostTtlMs: positive(reader, "host_ttl") ?? 300_000,
    maxHosts: atLeast(reader, "max_hosts", 1) ?? 1024,
    maxPending: reader.message("dns_cache_circuit_breaker")?.number("max_pending_requests", 1024) ?? 1024,
    queryTimeoutMs: reader.number("dns_query_timeout", 5000),
    early: reader.messages("preresolve_hostnames").map((socket) => decodeSocketAddress(socket)),
    failure: decodeRefresh(reader.message("dns_failure_refresh_rate")),
    resolver: decodeResolver(reader.message("typed_dns_resolver_config")),
  });
}

function atLeast(reader: Reader, field: string, least: number): number | undefined {
  const value = reader.optionalNumber(field);
  return value !== undefined && value < least ? reader.refuse(field, `must not be less than ${least}`) : value;
}

function positive(reader: Reader, field: string): number | undefined {
  const value = reader.optionalNumber(field);
  return value !== undefined && value < 1 ? reader.refuse(field, "must be 1ms or more") : value;
}

function decodeRefresh(reader: Reader | undefined): DnsConfig["failure"] {
  if (reader === undefined) return undefined;
  const baseMs = positive(reader, "base_interval") ?? reader.refuse("base_interval", "is missing");
  const maxMs = positive(reader, "max_interval") ?? baseMs * 10;
  if (maxMs < baseMs) return reader.refuse("max_interval", "must not be less than base_interval");
  return { baseMs, maxMs };
}

function decodeResolver(reader: Reader | undefined): DnsResolverConfig {
  const typed: TypedReader | undefined = reader?.any("typed_config");
  if (reader === undefined || typed === undefined) return { kind: "dns", servers: [] };
  if (SYSTEM_RESOLVERS.has(typed.typeName)) return { kind: "system", servers: [] };
  if (typed.typeName !== CARES) return reader.refuse("typed_config", `${typed.typeName} is not supported`);
  return { kind: "dns", servers: typed.read().messages("resolvers").map(serverText) };
}

function serverText(address: Reader): string {
  const socket = address.message("socket_address") ?? address.refuse("socket_address", "is missing");
  const { host, port } = decodeSocketAddress(socket, { udp: true });
  return host.includes(":") ? `[${host}]:${port || 53}` : `${host}:${port || 53}`;
}
