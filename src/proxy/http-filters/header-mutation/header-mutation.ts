// Envoy's header mutation filter: removes and sets headers of requests and answers at its place in the chain, one operation after the other.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/header_mutation_filter
import type { HeaderMutation, HttpFilterConfig } from "../../config/index.ts";
import { EditedHead } from "../../http/edited-head.ts";
import type { Layer } from "../../router/exchange.ts";
import { applyMutations, type CompiledMutations, compileMutations } from "../../router/header-mutation.ts";
import { type FilterContext, routeConfigs } from "../filter-context.ts";

/** In order: a name to remove, or a header to set. */
export type HeaderEdit = string | HeaderMutation;

export interface HeaderEdits {
  readonly request: readonly HeaderEdit[];
  readonly response: readonly HeaderEdit[];
}

export interface HeaderMutationConfig extends HeaderEdits {
  readonly mostSpecificWins: boolean;
}

/** Unlike a route's operations each one sees what the ones before did. */
function compileEdits(edits: readonly HeaderEdit[]): readonly CompiledMutations[] {
  return compileMutations(edits.map((edit) => (typeof edit === "string" ? { remove: [edit], add: [] } : { remove: [], add: [edit] })));
}

export function headerMutationLayer(filter: HttpFilterConfig, context: FilterContext): Layer | undefined {
  const own = filter.config as HeaderMutationConfig | undefined;
  const onRoute = routeConfigs(filter, context)
    .map(({ config }) => config as HeaderEdits | undefined)
    .filter((config) => config !== undefined);
  // What comes last wins.
  const ordered = own?.mostSpecificWins === true ? onRoute.toReversed() : onRoute;
  const levels = own === undefined ? ordered : [own, ...ordered];
  const request = compileEdits(levels.flatMap((level) => level.request));
  const response = compileEdits(levels.flatMap((level) => level.response));
  if (request.length === 0 && response.length === 0) return undefined;
  return (inner) => (exchange) => {
    if (request.length > 0) {
      const head = exchange.head instanceof EditedHead ? exchange.head : new EditedHead(exchange.head);
      exchange.head = head;
      applyMutations(request, head.list, exchange);
      head.settle();
    }
    if (response.length > 0) exchange.addResponseEdits(response);
    inner(exchange);
  };
}
