// What an HTTP filter is compiled from: one route with everything that is said to the filter on the way to it.
import type { HttpFilterConfig, PerFilterConfig } from "../config/index.ts";
import type { ConnectionManager } from "../network/connection-manager.ts";
import type { Exchange } from "../router/exchange.ts";
import type { RouteContext } from "../router/forward-plan.ts";

export interface FilterContext extends RouteContext {
  readonly manager: ConnectionManager;
  /** For an answer in the action's place: as if it had begun, with its cluster chosen and its response operations to be applied. */
  readonly beginAction: (exchange: Exchange) => void;
  /** The cluster that the action would send it to; "" = none. */
  readonly clusterFor: (exchange: Exchange) => string;
}

/** What route, virtual host and table say to a filter, most specific first. */
export function routeConfigs(filter: HttpFilterConfig, context: RouteContext): readonly PerFilterConfig[] {
  const levels = [context.route.perFilter, context.virtualHost.perFilter, context.table.perFilter];
  return levels.map((level) => level.get(filter.name)).filter((config) => config !== undefined);
}

/** The most specific word counts, else the chain's own. */
export function isDisabled(filter: HttpFilterConfig, context: RouteContext): boolean {
  return routeConfigs(filter, context)[0]?.disabled ?? filter.disabled;
}
