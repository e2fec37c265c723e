// The cache of names that requests bring. One for all of a proxy: a filter looks a name up in its own cache, whatever cluster the request is for,
// so with several caches names would be looked up several times.
import { Cluster_DnsLookupFamily as DnsFamily, create, type DnsCacheConfig, DnsCacheConfigSchema } from "../envoy-api/index.ts";

/** Envoy's own default, written down. */
const MAX_HOSTS = 1024;

export function dnsCache(): DnsCacheConfig {
  return create(DnsCacheConfigSchema, { name: "dynamic_dns", dnsLookupFamily: DnsFamily.V4_ONLY, maxHosts: MAX_HOSTS });
}
