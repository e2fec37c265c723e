// Which route of a virtual host a request takes: first match wins. Pure, so that explain and the proxy read config the same way.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto (RouteMatch)
import type { HeaderMatcher, PathMatcher, QueryParameterMatcher, RequestView, Route, RouteMatch, VirtualHost } from "../config/index.ts";
import { isGrpc } from "../http/header-kinds.ts";

/** `random` decides runtime fractions; it is only asked where a route has one. */
export function matchRoute(virtualHost: VirtualHost, request: RequestView, random: () => number): Route | undefined {
  const { routes } = virtualHost;
  for (let i = 0; i < routes.length; i++) {
    const route = routes[i] as Route;
    if (matchesRoute(route.match, request, random)) return route;
  }
  return undefined;
}

export function matchesRoute(match: RouteMatch, request: RequestView, random: () => number): boolean {
  if (!matchesPath(match.path, request)) return false;
  for (let i = 0; i < match.headers.length; i++) if (!matchesHeader(match.headers[i] as HeaderMatcher, request)) return false;
  if (match.queryParameters.length > 0 && !match.queryParameters.every((parameter) => matchesQuery(parameter, request.path))) return false;
  if (match.grpcOnly && !isGrpc(request.headerLines("content-type")[0] ?? "")) return false;
  return match.fraction === undefined || random() < match.fraction;
}

export function matchesPath(matcher: PathMatcher, request: RequestView): boolean {
  // CONNECT has no path that could match.
  if (matcher.kind === "connect" || request.method === "CONNECT") return matcher.kind === "connect" && request.method === "CONNECT";
  const { path } = request;
  const question = path.indexOf("?");
  const bare = question < 0 ? path : path.slice(0, question);
  switch (matcher.kind) {
    case "prefix":
      return matcher.ignoreCase ? bare.toLowerCase().startsWith(matcher.value.toLowerCase()) : bare.startsWith(matcher.value);
    case "exact":
      return matcher.ignoreCase ? bare.toLowerCase() === matcher.value.toLowerCase() : bare === matcher.value;
    case "separatedPrefix": {
      const value = matcher.ignoreCase ? matcher.value.toLowerCase() : matcher.value;
      const text = matcher.ignoreCase ? bare.toLowerCase() : bare;
      return text === value || text.startsWith(`${value}/`);
    }
    case "regex":
      return matcher.test(bare);
  }
}

/** Each line is matched on its own; nothing is joined. */
export function matchesHeader(matcher: HeaderMatcher, request: Pick<RequestView, "headerLines">): boolean {
  const lines = request.headerLines(matcher.name);
  const { test } = matcher;
  if (matcher.absent) return (lines.length === 0) !== matcher.invert;
  if (test === undefined) return lines.length > 0 !== matcher.invert;
  if (lines.length === 0) return matcher.treatMissingAsEmpty ? test("") !== matcher.invert : false;
  return lines.some(test) !== matcher.invert;
}

/** The first of repeated names counts, nothing is decoded, only `&` separates. */
export function matchesQuery(matcher: QueryParameterMatcher, path: string): boolean {
  const value = queryValue(path, matcher.name);
  return value !== undefined && (matcher.test === undefined || matcher.test(value));
}

/** undefined: there is no such parameter. */
export function queryValue(path: string, name: string): string | undefined {
  const question = path.indexOf("?");
  if (question < 0) return undefined;
  for (const part of path.slice(question + 1).split("&")) {
    const equals = part.indexOf("=");
    if ((equals < 0 ? part : part.slice(0, equals)) === name) return equals < 0 ? "" : part.slice(equals + 1);
  }
  return undefined;
}
