// Patches of listeners and of everything in them (Istio networking/core/envoyfilter/listener_patch.go), down to the HTTP filters.
import { clone, type Message } from "@bufbuild/protobuf";
import {
  type Any,
  type Filter,
  type FilterChain,
  FilterChainSchema,
  FilterSchema,
  type HttpFilter,
  HttpConnectionManagerSchema,
  HttpFilterSchema,
  type Listener,
  type ListenerFilter,
  ListenerFilterSchema,
  ListenerSchema,
  packAny,
  unpackAny,
} from "../../envoy-api/index.ts";
import type { EnvoyPatch } from "../../model/index.ts";
import { type CompiledPatch, type CompiledPatches, patchesTo } from "./compile.ts";
import {
  matchesFilterChain,
  matchesHttpFilter,
  matchesListener,
  matchesNetworkFilter,
  matchesPlace,
  type Place,
  takesAdditions,
} from "./match.ts";
import { type ListRule, mergeInto } from "./merge.ts";
import { mergeAny, MergeMismatch } from "./merge-any.ts";
import { patchList } from "./ordered-list.ts";

const HTTP_MANAGER = "envoy.filters.network.http_connection_manager";

export interface ListenerPatching {
  readonly patches: CompiledPatches;
  readonly place: Place;
  /** Listeners of their own are added here. */
  readonly additions: boolean;
}

export function isMerge({ operation }: EnvoyPatch): boolean {
  return operation === "MERGE" || operation === "MERGE_AND_REPLACE_LIST";
}

export function listRule({ operation }: EnvoyPatch): ListRule {
  return operation === "MERGE_AND_REPLACE_LIST" ? "replace" : "append";
}

/** New listeners; those given stay as they are. A patch that Istio breaks off at leaves what comes after it undone. */
export function patchListeners(listeners: readonly Listener[], patching: ListenerPatching): readonly Listener[] {
  let result: (Listener | undefined)[] = listeners.map((listener) => clone(ListenerSchema, listener));
  try {
    result = result.map((listener) => (listener === undefined ? undefined : new ListenerPatcher(listener, patching).patch()));
    if (patching.additions) {
      for (const compiled of patchesTo("LISTENER", patching.patches)) {
        if (compiled.patch.operation !== "ADD" || !takesAdditions(compiled, patching.place)) continue;
        result.push(clone(ListenerSchema, compiled.value as Listener));
      }
    }
  } catch (error) {
    if (!(error instanceof MergeMismatch)) throw error;
  }
  return result.filter((listener) => listener !== undefined);
}

/** Changes its listener in place, so that what was done before a patch that breaks off is kept, as in Istio. */
class ListenerPatcher {
  private readonly listener: Listener;
  private readonly patches: CompiledPatches;
  private readonly place: Place;

  constructor(listener: Listener, { patches, place }: ListenerPatching) {
    this.listener = listener;
    this.patches = patches;
    this.place = place;
  }

  private meant(applyTo: EnvoyPatch["applyTo"]): readonly CompiledPatch[] {
    return patchesTo(applyTo, this.patches).filter((one) => matchesPlace(one, this.place) && matchesListener(one.patch, this.listener));
  }

  /** undefined: it is removed. */
  patch(): Listener | undefined {
    const { listener } = this;
    for (const { patch, value } of patchesTo("LISTENER", this.patches)) {
      if (!matchesPlace({ patch, value }, this.place) || !matchesListener(patch, listener)) continue;
      if (patch.operation === "REMOVE") return undefined;
      if (isMerge(patch)) mergeInto(ListenerSchema, listener, value as Message, listRule(patch));
    }
    this.patchListenerFilters();
    this.patchFilterChains();
    return listener;
  }

  private patchListenerFilters(): void {
    const { listener } = this;
    for (const { patch, value } of this.meant("LISTENER_FILTER")) {
      const anchor = patch.listener?.listenerFilter ?? "";
      const isAnchor = anchor === "" ? undefined : (filter: ListenerFilter): boolean => filter.name === anchor;
      if (isMerge(patch)) {
        if (isAnchor === undefined) continue;
        for (const filter of listener.listenerFilters) if (isAnchor(filter)) mergeTyped(filter, value as ListenerFilter, patch);
        continue;
      }
      const make = (): ListenerFilter => clone(ListenerFilterSchema, value as ListenerFilter);
      listener.listenerFilters = [...patchList(listener.listenerFilters, { operation: patch.operation, make, isAnchor })];
    }
  }

  private patchFilterChains(): void {
    const { listener } = this;
    listener.filterChains = listener.filterChains.filter((chain) => this.patchFilterChain(chain));
    const fallback = listener.defaultFilterChain;
    if (fallback !== undefined && !this.patchFilterChain(fallback)) delete listener.defaultFilterChain;
    for (const { patch, value } of this.meant("FILTER_CHAIN"))
      if (patch.operation === "ADD") listener.filterChains.push(clone(FilterChainSchema, value as FilterChain));
  }

  /** False: it is removed. */
  private patchFilterChain(chain: FilterChain): boolean {
    if (chain.filters.length === 0) return true;
    for (const { patch, value } of this.meant("FILTER_CHAIN")) {
      if (!matchesFilterChain(patch, this.listener, chain)) continue;
      if (patch.operation === "REMOVE") return false;
      if (isMerge(patch)) mergeFilterChain(chain, value as FilterChain, patch);
    }
    this.patchNetworkFilters(chain);
    return true;
  }

  private patchNetworkFilters(chain: FilterChain): void {
    const meant = this.meant("NETWORK_FILTER").filter(({ patch }) => matchesFilterChain(patch, this.listener, chain));
    for (const { patch, value } of meant) {
      const isAnchor =
        patch.listener?.filterChain?.filter === undefined
          ? undefined
          : (filter: Filter): boolean => matchesNetworkFilter(patch, filter.name);
      const make = (): Filter => clone(FilterSchema, value as Filter);
      chain.filters = [...patchList(chain.filters, { operation: patch.operation, make, isAnchor })];
    }
    for (const filter of chain.filters) {
      for (const { patch, value } of meant)
        if (isMerge(patch) && matchesNetworkFilter(patch, filter.name)) mergeNamed(filter, value as Filter, patch);
      if (filter.name === HTTP_MANAGER) this.patchHttpFilters(chain, filter);
    }
  }

  private patchHttpFilters(chain: FilterChain, filter: Filter): void {
    const meant = this.meant("HTTP_FILTER").filter(
      ({ patch }) => matchesFilterChain(patch, this.listener, chain) && matchesNetworkFilter(patch, filter.name),
    );
    if (meant.length === 0 || filter.configType.case !== "typedConfig") return;
    const manager = unpackAny(HttpConnectionManagerSchema, filter.configType.value);
    if (manager === undefined) return;
    let filters: readonly HttpFilter[] = manager.httpFilters;
    for (const { patch, value } of meant) {
      const isAnchor =
        patch.listener?.filterChain?.subFilter === undefined ? undefined : (one: HttpFilter): boolean => matchesHttpFilter(patch, one.name);
      filters = patchList(filters, { operation: patch.operation, make: () => clone(HttpFilterSchema, value as HttpFilter), isAnchor });
    }
    for (const one of filters)
      for (const { patch, value } of meant)
        if (isMerge(patch) && matchesHttpFilter(patch, one.name)) mergeNamed(one, value as HttpFilter, patch);
    manager.httpFilters = [...filters];
    filter.configType.value = packAny(HttpConnectionManagerSchema, manager);
  }
}

interface TypedFilter {
  name: string;
  configType: { case: "typedConfig"; value: Any } | { case: string | undefined; value?: unknown };
}

/** Only the typed config: a filter that has none is left alone. */
function mergeTyped(filter: TypedFilter, by: TypedFilter, patch: EnvoyPatch): void {
  if (filter.configType.case !== "typedConfig" || by.configType.case !== "typedConfig") return;
  const merged = mergeAny(filter.configType.value as Any, by.configType.value as Any, listRule(patch));
  if (merged !== undefined) filter.configType.value = merged;
}

/** Its name too, where the patch has one. */
function mergeNamed(filter: TypedFilter, by: TypedFilter, patch: EnvoyPatch): void {
  if (filter.configType.case !== "typedConfig") return;
  mergeTyped(filter, by, patch);
  if (by.name !== "") filter.name = by.name;
}

/** TLS of the same kind is merged within, and then nothing else of the patch counts (Istio mergeTransportSocketListener). */
function mergeFilterChain(chain: FilterChain, by: FilterChain, patch: EnvoyPatch): void {
  const own = chain.transportSocket;
  const other = by.transportSocket;
  if (own === undefined || other === undefined || own.name !== other.name) {
    mergeInto(FilterChainSchema, chain, by, listRule(patch));
    return;
  }
  if (own.configType.case !== "typedConfig" || other.configType.case !== "typedConfig") return;
  const merged = mergeAny(own.configType.value, other.configType.value, listRule(patch));
  if (merged !== undefined) own.configType.value = merged;
}
