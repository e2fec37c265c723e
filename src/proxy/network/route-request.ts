// From a request's head to its route: what is untrue or unclear about it is mended or refused first, then virtual host, route, layers.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/http_conn_man
import { matchRoute } from "../router/match.ts";
import type { Exchange } from "../router/exchange.ts";
import { normalizePath } from "../router/path-normalize.ts";
import { redirectToHttps, redirectToPath } from "../router/redirect.ts";
import { respond } from "../router/respond.ts";
import { admitCaller } from "./forwarded-headers.ts";

const SLASH = 47;

export function routeRequest(exchange: Exchange): void {
  const { manager } = exchange;
  const { head } = exchange;
  const { config } = manager;
  const { overload } = manager.env;
  if (overload.shedding && !exchange.caller.arrival.bypassesOverload && overload.refusesRequest()) {
    manager.stats.rqOverloadClose.value++;
    respond(exchange, { kind: "overload" });
    return;
  }
  if (head.hosts === 0 && head.method !== "CONNECT") {
    respond(exchange, { kind: "missing_host" });
    return;
  }
  if (head.path.charCodeAt(0) !== SLASH && head.method !== "CONNECT") {
    respond(exchange, { kind: "no_path" });
    return;
  }
  if (head.underscores && config.headersWithUnderscores !== "ALLOW" && !checkUnderscores(exchange)) return;
  if (head.expect && !config.proxy100Continue) exchange.caller.sayContinue();
  admitCaller(exchange);
  cutPort(exchange);
  if (!head.plainPath && !mendPath(exchange)) return;
  // A caller that is believed has said, without a word, by which protocol it came: as in Envoy, nothing is routed then.
  if (head.forwardedProto === "") {
    noRoute(exchange);
    return;
  }
  const table = manager.table();
  const virtualHost = table?.lookup(head.authority);
  if (table === undefined || virtualHost === undefined) {
    noRoute(exchange);
    return;
  }
  exchange.table = table;
  exchange.virtualHost = virtualHost;
  const route = matchRoute(virtualHost, head, manager.env.rng.random);
  if (route === undefined) {
    // A virtual host that asks for TLS answers plain text before it looks at its routes, of which it may have none.
    if (virtualHost.requireTls !== "NONE" && head.forwardedProto !== "https") redirectToHttps(exchange);
    else noRoute(exchange);
    return;
  }
  exchange.route = route;
  manager.service(table, virtualHost, route)(exchange);
}

/** False: the request is answered. */
function mendPath(exchange: Exchange): boolean {
  const { head, config } = exchange;
  const normalized = normalizePath(head.path, config);
  switch (normalized.kind) {
    case "same":
      return true;
    case "refused":
      respond(exchange, { kind: "path_refused" });
      return false;
    case "redirect":
      redirectToPath(exchange, normalized.path);
      return false;
    case "path":
      head.path = normalized.path;
      head.pristine = false;
      exchange.path = normalized.path;
      return true;
  }
}

function noRoute(exchange: Exchange): void {
  exchange.manager.stats.noRoute.value++;
  respond(exchange, { kind: "route_not_found" });
}

function checkUnderscores(exchange: Exchange): boolean {
  if (exchange.config.headersWithUnderscores === "REJECT_REQUEST") {
    respond(exchange, {
      kind: "codec",
      status: 400,
      details: `${exchange.head.version === "HTTP/2" ? "http2" : "http1"}.unexpected_underscore`,
    });
    return false;
  }
  exchange.head.dropUnderscores();
  return true;
}

function cutPort(exchange: Exchange): void {
  const { config, head } = exchange;
  if (!config.stripAnyHostPort && !config.stripMatchingHostPort && !config.stripTrailingHostDot) return;
  let { authority } = head;
  const port = /:(\d+)$/.exec(authority);
  if (port !== null && (config.stripAnyHostPort || Number(port[1]) === exchange.caller.arrival.localPort))
    authority = authority.slice(0, port.index);
  if (config.stripTrailingHostDot && authority.endsWith(".")) authority = authority.slice(0, -1);
  if (authority === head.authority) return;
  head.authority = authority;
  head.pristine = false;
  exchange.authority = authority;
}
