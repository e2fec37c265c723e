// The HTTP filters this proxy has, by type URL. A filter is a layer around the route's action; one that a route switches off is not in its stack.
import type { HttpFilterConfig } from "../config/index.ts";
import type { Layer } from "../router/exchange.ts";
import type { RouteContext } from "../router/forward-plan.ts";

export const ROUTER_FILTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

/** Makes a filter's layer for one route; undefined = the route does without it. */
type FilterFactory = (filter: HttpFilterConfig, context: RouteContext) => Layer | undefined;

const FILTERS: ReadonlyMap<string, FilterFactory> = new Map([
  // The router is the action itself.
  [ROUTER_FILTER, () => undefined],
]);

/** For decode: what is not here must be refused by name. */
export function isKnownFilter(typeUrl: string): boolean {
  return FILTERS.has(typeUrl);
}

export function httpFilterLayers(filters: readonly HttpFilterConfig[], context: RouteContext): readonly Layer[] {
  const layers: Layer[] = [];
  for (const filter of filters) {
    const layer = FILTERS.get(filter.typeUrl)?.(filter, context);
    if (layer !== undefined) layers.push(layer);
  }
  return layers;
}
