// HTTP filters whose configs come as resources of their own (ECDS): which of them a listener names, and the listener with what has come.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/extension
import type { FilterChain, HttpFilterConfig, Listener } from "../config/index.ts";
import { NO_FILTER_CONFIG } from "../http-filters/index.ts";

/** A filter's config as it came, under its name. */
export interface ExtensionConfig {
  readonly name: string;
  readonly typeUrl: string;
  readonly config: unknown;
}

/** undefined = it has not come. */
export type ExtensionConfigOf = (name: string) => ExtensionConfig | undefined;

const NONE: readonly HttpFilterConfig[] = Object.freeze([]);

function chainsOf({ filterChains, defaultFilterChain }: Listener): readonly FilterChain[] {
  return defaultFilterChain === undefined ? filterChains : [...filterChains, defaultFilterChain];
}

export function discoveredFilters(listener: Listener): readonly HttpFilterConfig[] {
  const found = chainsOf(listener).flatMap(({ network }) =>
    network.kind === "http" ? network.filters.filter(({ discovery }) => discovery !== undefined) : NONE,
  );
  return found.length === 0 ? NONE : found;
}

/** A config of a type that the filter does not take is none. */
export function hasConfig(filter: HttpFilterConfig, configOf: ExtensionConfigOf): boolean {
  const { discovery } = filter;
  return discovery === undefined || (discovery.fallback !== undefined && !discovery.waits) || taken(filter, configOf) !== undefined;
}

function taken({ name, discovery }: HttpFilterConfig, configOf: ExtensionConfigOf): ExtensionConfig | undefined {
  const config = configOf(name);
  return config !== undefined && discovery?.typeUrls.has(config.typeUrl) === true ? config : undefined;
}

/** The same listener while the same configs are there. */
export function createFilterResolver(configOf: ExtensionConfigOf): (listener: Listener) => Listener {
  const known = new WeakMap<Listener, { readonly configs: readonly (ExtensionConfig | undefined)[]; readonly result: Listener }>();
  return (listener) => {
    const filters = discoveredFilters(listener);
    if (filters.length === 0) return listener;
    const configs = filters.map((filter) => taken(filter, configOf));
    const last = known.get(listener);
    if (last?.configs.every((config, i) => config === configs[i]) === true) return last.result;
    const byFilter = new Map(filters.map((filter, i) => [filter, configs[i]]));
    const result = mapFilters(listener, (filter) => (byFilter.has(filter) ? resolve(filter, byFilter.get(filter)) : filter));
    known.set(listener, { configs, result });
    return result;
  };
}

function resolve(filter: HttpFilterConfig, config: ExtensionConfig | undefined): HttpFilterConfig {
  const { typeUrl, config: own } = config ?? filter.discovery?.fallback ?? { typeUrl: NO_FILTER_CONFIG, config: undefined };
  return { ...filter, typeUrl, config: own };
}

function mapFilters(listener: Listener, change: (filter: HttpFilterConfig) => HttpFilterConfig): Listener {
  const inChain = (chain: FilterChain): FilterChain =>
    chain.network.kind === "http" ? { ...chain, network: { ...chain.network, filters: chain.network.filters.map(change) } } : chain;
  const { filterChains, defaultFilterChain } = listener;
  return Object.freeze({
    ...listener,
    filterChains: filterChains.map(inChain),
    defaultFilterChain: defaultFilterChain === undefined ? undefined : inChain(defaultFilterChain),
  });
}
