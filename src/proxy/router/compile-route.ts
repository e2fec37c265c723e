// The request path of one route as a stack of layers, outermost first, compiled once: what a route does not use is not in its stack.
import type { ConnectionManager } from "../network/connection-manager.ts";
import { httpFilterLayers } from "../http-filters/index.ts";
import type { Exchange, Layer, Service } from "./exchange.ts";
import { compileForward, type ForwardPlan, levels, type RouteContext } from "./forward-plan.ts";
import { forward } from "./forward.ts";
import { compileMutations } from "./header-mutation.ts";
import { directResponse, redirect, redirectToHttps } from "./redirect.ts";

/** What a forward action does with a request that has come through all layers. */
type Send = (exchange: Exchange, plan: ForwardPlan) => void;

export function compileRoute(manager: ConnectionManager, context: RouteContext, send: Send = forward): Service {
  const action = compileAction(manager, context, send);
  const filters = httpFilterLayers({ ...context, manager, beginAction: action.begin, clusterFor: action.cluster });
  return [...tlsLayers(context), ...filters].reduceRight((inner, layer) => layer(inner), action.run);
}

function tlsLayers(context: RouteContext): readonly Layer[] {
  const { requireTls } = context.virtualHost;
  if (requireTls === "NONE") return [];
  // Envoy goes by what it was told, not by what it sees: a trusted proxy in front may have taken TLS off.
  const isFine = (exchange: Exchange): boolean =>
    exchange.head.forwardedProto === "https" || (requireTls === "EXTERNAL_ONLY" && !exchange.edge);
  return [(inner) => (exchange) => (isFine(exchange) ? inner(exchange) : redirectToHttps(exchange))];
}

interface Action {
  readonly run: Service;
  /** Only what an answer in its place shows of it. */
  readonly begin: (exchange: Exchange) => void;
  readonly cluster: (exchange: Exchange) => string;
}

/** Redirects and direct responses add nothing to an answer in their place. */
const NO_UPSTREAM = { begin: (): void => undefined, cluster: (): string => "" };

function compileAction(manager: ConnectionManager, context: RouteContext, send: Send): Action {
  const { action, match } = context.route;
  switch (action.kind) {
    case "forward": {
      const plan = compileForward(manager, context, action);
      return {
        run: (exchange) => send(exchange, plan),
        begin(exchange) {
          const target = plan.choose(exchange);
          exchange.upstreamCluster = target.clusterName;
          exchange.responseMutations = target.response;
        },
        cluster: (exchange) => plan.choose(exchange).clusterName,
      };
    }
    case "redirect": {
      const response = compileMutations(levels(context, "response"));
      return {
        run(exchange) {
          exchange.responseMutations = response;
          redirect(exchange, action, match.path);
        },
        ...NO_UPSTREAM,
      };
    }
    case "direct": {
      const response = compileMutations(levels(context, "response"));
      const body = Buffer.from(action.body).toString("latin1");
      return {
        run(exchange) {
          exchange.responseMutations = response;
          directResponse(exchange, action, body);
        },
        ...NO_UPSTREAM,
      };
    }
  }
}
