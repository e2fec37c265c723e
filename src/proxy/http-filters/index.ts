// The HTTP filters this proxy has, by type URL. A filter is a layer around the route's action; one that a route does without is not in its stack.
import type { HttpFilterConfig } from "../config/index.ts";
import type { Layer } from "../router/exchange.ts";
import { respond } from "../router/respond.ts";
import { corsLayer } from "./cors/cors.ts";
import { dynamicForwardProxyLayer } from "./dynamic-forward-proxy/dynamic-forward-proxy.ts";
import { faultLayer } from "./fault/fault.ts";
import { type FilterContext, isDisabled } from "./filter-context.ts";
import { grpcStatsLayer } from "./grpc-stats/grpc-stats.ts";
import { grpcWebLayer } from "./grpc-web/grpc-web.ts";
import { headerMutationLayer } from "./header-mutation/header-mutation.ts";
import {
  CORS_FILTER,
  DYNAMIC_FORWARD_PROXY_FILTER,
  FAULT_FILTER,
  GRPC_STATS_FILTER,
  GRPC_WEB_FILTER,
  HEADER_MUTATION_FILTER,
  NO_FILTER_CONFIG,
  ROUTER_FILTER,
} from "./type-urls.ts";

export {
  CORS_FILTER,
  CORS_POLICY,
  DYNAMIC_FORWARD_PROXY_FILTER,
  FAULT_FILTER,
  GRPC_STATS_FILTER,
  HEADER_MUTATION_FILTER,
  HEADER_MUTATION_ROUTE,
  NO_FILTER_CONFIG,
  ROUTER_FILTER,
} from "./type-urls.ts";

/** Makes a filter's layer for one route; undefined = the route does without it. */
type FilterFactory = (filter: HttpFilterConfig, context: FilterContext) => Layer | undefined;

const NO_LAYER: FilterFactory = () => undefined;

const FILTERS: ReadonlyMap<string, FilterFactory> = new Map([
  [FAULT_FILTER, faultLayer],
  [DYNAMIC_FORWARD_PROXY_FILTER, dynamicForwardProxyLayer],
  [CORS_FILTER, corsLayer],
  [HEADER_MUTATION_FILTER, headerMutationLayer],
  [GRPC_WEB_FILTER, grpcWebLayer],
  [GRPC_STATS_FILTER, grpcStatsLayer],
  // The router is the action itself.
  [ROUTER_FILTER, NO_LAYER],
  [NO_FILTER_CONFIG, () => () => (exchange) => respond(exchange, { kind: "no_filter_config" })],
]);

/** For decode: what is not here must be refused by name. */
export function isKnownFilter(typeUrl: string): boolean {
  return typeUrl !== NO_FILTER_CONFIG && FILTERS.has(typeUrl);
}

export function httpFilterLayers(context: FilterContext): readonly Layer[] {
  const layers: Layer[] = [];
  for (const filter of context.manager.config.filters) {
    if (isDisabled(filter, context)) continue;
    const layer = FILTERS.get(filter.typeUrl)?.(filter, context);
    if (layer !== undefined) layers.push(layer);
  }
  return layers;
}
