// The request path of one route as a stack of layers, outermost first, compiled once: what a route does not use is not in its stack.
import type { ConnectionManager } from "../network/connection-manager.ts";
import { httpFilterLayers } from "../http-filters/index.ts";
import type { Layer, Service } from "./exchange.ts";
import { compileForward, levels, type RouteContext } from "./forward-plan.ts";
import { forward } from "./forward.ts";
import { compileMutations } from "./header-mutation.ts";
import { directResponse, redirect, redirectToHttps } from "./redirect.ts";

export function compileRoute(manager: ConnectionManager, context: RouteContext): Service {
  const stack: readonly Layer[] = [...tlsLayers(context), ...httpFilterLayers(manager.config.filters, context)];
  return stack.reduceRight((inner, layer) => layer(inner), actionService(manager, context));
}

function tlsLayers(context: RouteContext): readonly Layer[] {
  if (context.virtualHost.requireTls === "NONE") return [];
  return [(inner) => (exchange) => (exchange.head.forwardedProto === "https" ? inner(exchange) : redirectToHttps(exchange))];
}

function actionService(manager: ConnectionManager, context: RouteContext): Service {
  const { action, match } = context.route;
  switch (action.kind) {
    case "forward": {
      const plan = compileForward(manager, context, action);
      return (exchange) => forward(exchange, plan);
    }
    case "redirect": {
      const response = compileMutations(levels(context, "response"));
      return (exchange) => {
        exchange.responseMutations = response;
        redirect(exchange, action, match.path);
      };
    }
    case "direct": {
      const response = compileMutations(levels(context, "response"));
      const body = Buffer.from(action.body).toString("latin1");
      return (exchange) => {
        exchange.responseMutations = response;
        directResponse(exchange, action, body);
      };
    }
  }
}
