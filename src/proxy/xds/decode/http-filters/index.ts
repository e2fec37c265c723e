// The configs of HTTP filters: in the chain, and what routes, virtual hosts and tables say to them by name.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_filters#route-specific-config
import type { HttpFilterConfig, PerFilter, PerFilterConfig } from "../../../config/index.ts";
import {
  CORS_FILTER,
  CORS_POLICY,
  DYNAMIC_FORWARD_PROXY_FILTER,
  FAULT_FILTER,
  GRPC_STATS_FILTER,
  HEADER_MUTATION_FILTER,
  HEADER_MUTATION_ROUTE,
  isKnownFilter,
  NO_FILTER_CONFIG,
  ROUTER_FILTER,
} from "../../../http-filters/index.ts";
import type { Reader, TypedReader } from "../../../wire/reader.ts";
import type { ExtensionConfig } from "../../discovered-filters.ts";
import { checkAds } from "../config-source.ts";
import { decodeCorsPolicy } from "./cors.ts";
import { decodeDynamicForwardProxy } from "./dynamic-forward-proxy.ts";
import { decodeFault } from "./fault.ts";
import { decodeGrpcStats } from "./grpc-stats.ts";
import { decodeHeaderEdits, decodeHeaderMutation } from "./header-mutation.ts";

const FILTER_CONFIG = "envoy.config.route.v3.FilterConfig";

const IN_CHAIN: ReadonlyMap<string, (reader: Reader) => unknown> = new Map<string, (reader: Reader) => unknown>([
  [FAULT_FILTER, decodeFault],
  [DYNAMIC_FORWARD_PROXY_FILTER, decodeDynamicForwardProxy],
  [HEADER_MUTATION_FILTER, decodeHeaderMutation],
  [GRPC_STATS_FILTER, decodeGrpcStats],
]);

const ON_ROUTES: ReadonlyMap<string, (reader: Reader) => unknown> = new Map<string, (reader: Reader) => unknown>([
  [FAULT_FILTER, decodeFault],
  [CORS_POLICY, decodeCorsPolicy],
  [HEADER_MUTATION_ROUTE, decodeHeaderEdits],
  // The filter's own type says nothing that a route could.
  [CORS_FILTER, () => undefined],
]);

function typeUrl(any: TypedReader): string {
  return `type.googleapis.com/${any.typeName}`;
}

/** One filter of a chain; undefined: it is optional and not known here. */
export function decodeHttpFilter(reader: Reader): HttpFilterConfig | undefined {
  const discovery = reader.message("config_discovery");
  if (discovery !== undefined) return decodeDiscovered(reader, discovery);
  const any = reader.any("typed_config");
  if (any === undefined) return reader.refuse("typed_config", "is missing");
  const type = typeUrl(any);
  if (!isKnownFilter(type)) {
    if (reader.flag("is_optional")) return undefined;
    return reader.refuse("", `HTTP filter ${reader.text("name")} (${any.typeName}) is not supported`);
  }
  const config = any.read();
  return { name: reader.text("name"), typeUrl: type, config: IN_CHAIN.get(type)?.(config), disabled: reader.flag("disabled") };
}

/** What a filter is that comes by name (ECDS), before it has come. */
function decodeDiscovered(reader: Reader, source: Reader): HttpFilterConfig {
  const urls = source.texts("type_urls");
  if (urls.length === 0) source.refuse("type_urls", "are missing");
  for (const [i, url] of urls.entries())
    if (!isKnownFilter(url) || url === ROUTER_FILTER) source.refuse(`type_urls[${i}]`, `${url} is not supported`);
  const given = source.any("default_config");
  if (given !== undefined && !urls.includes(typeUrl(given))) source.refuse("default_config", "is of another type");
  const fallback = given === undefined ? undefined : { typeUrl: typeUrl(given), config: IN_CHAIN.get(typeUrl(given))?.(given.read()) };
  const waits = fallback === undefined || !source.flag("apply_default_config_without_warming");
  const timeoutMs = checkAds(source, "config_source");
  return {
    name: reader.text("name"),
    typeUrl: NO_FILTER_CONFIG,
    config: undefined,
    disabled: reader.flag("disabled"),
    discovery: { typeUrls: new Set(urls), timeoutMs, fallback, waits },
  };
}

/** A filter's config that comes as a resource. */
export function decodeExtensionConfig(reader: Reader): ExtensionConfig {
  const name = reader.text("name");
  if (name === "") reader.refuse("name", "is empty");
  const any = reader.any("typed_config");
  if (any === undefined) return reader.refuse("typed_config", "is missing");
  const type = typeUrl(any);
  if (!isKnownFilter(type)) return reader.refuse("typed_config", `${any.typeName} is not supported`);
  return { name, typeUrl: type, config: IN_CHAIN.get(type)?.(any.read()) };
}

const NONE: PerFilter = new Map();

/** `typed_per_filter_config` of a route, virtual host or table. */
export function decodePerFilter(reader: Reader): PerFilter {
  const entries = reader.anyMap("typed_per_filter_config");
  if (entries.length === 0) return NONE;
  const found = new Map<string, PerFilterConfig>();
  for (const [name, any] of entries) {
    const config = decodeEntry(reader, { name, any, optional: false });
    if (config !== undefined) found.set(name, config);
  }
  return found;
}

function decodeEntry(
  reader: Reader,
  entry: { readonly name: string; readonly any: TypedReader; readonly optional: boolean },
): PerFilterConfig | undefined {
  const { name, any } = entry;
  if (any.typeName === FILTER_CONFIG) return decodeWrapped(reader, name, any.read());
  const type = typeUrl(any);
  const decode = ON_ROUTES.get(type);
  if (decode !== undefined) return { typeUrl: type, config: decode(any.read()), disabled: false };
  return entry.optional
    ? undefined
    : reader.refuse(`typed_per_filter_config[${JSON.stringify(name)}]`, `${any.typeName} is not supported on routes`);
}

function decodeWrapped(reader: Reader, name: string, wrapper: Reader): PerFilterConfig | undefined {
  if (wrapper.flag("disabled")) return { typeUrl: "", config: undefined, disabled: true };
  const any = wrapper.any("config");
  if (any === undefined) return wrapper.refuse("config", "is missing");
  return decodeEntry(reader, { name, any, optional: wrapper.flag("is_optional") });
}
