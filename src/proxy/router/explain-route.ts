// Which route of a virtual host a request takes, and for each earlier one the first condition that it does not meet, in words.
// The verdicts are router/match's; only the words are of here.
import type { HeaderMatcher, PathMatcher, RequestView, Route, RouteMatch, RouteTable, VirtualHost } from "../config/index.ts";
import { matchesHeader, matchesPath, matchesQuery, matchesRoute } from "./match.ts";

export interface Explained {
  /** undefined: no virtual host has that domain. */
  readonly virtualHost: VirtualHost | undefined;
  readonly route: Route | undefined;
  /** The routes that were asked before, in order. */
  readonly passed: readonly { readonly route: Route; readonly because: string }[];
}

export function explainRoute(table: RouteTable, request: RequestView, random: () => number): Explained {
  const virtualHost = table.lookup(request.authority);
  const passed: { route: Route; because: string }[] = [];
  for (const route of virtualHost?.routes ?? []) {
    if (matchesRoute(route.match, request, random)) return { virtualHost, route, passed };
    passed.push({ route, because: explainMismatch(route.match, request) ?? "its share of requests was not drawn" });
  }
  return { virtualHost, route: undefined, passed };
}

/** undefined: every condition is met (but perhaps the share it takes was not drawn). */
export function explainMismatch(match: RouteMatch, request: RequestView): string | undefined {
  if (!matchesPath(match.path, request)) return `path ${request.path.split("?")[0]} is not ${describePath(match.path)}`;
  const header = match.headers.find((one) => !matchesHeader(one, request));
  if (header !== undefined) return describeHeader(header, request);
  const parameter = match.queryParameters.find((one) => !matchesQuery(one, request.path));
  if (parameter !== undefined) return `query parameter ${parameter.name} is not ${parameter.describe}`;
  return match.grpcOnly && !matchesRoute({ ...match, fraction: undefined }, request, () => 0) ? "it is not a gRPC request" : undefined;
}

function describePath(matcher: PathMatcher): string {
  if (matcher.kind === "connect") return "a CONNECT request";
  if (matcher.kind === "regex") return `regex ${matcher.source}`;
  const kind = { exact: "exactly", prefix: "prefix", separatedPrefix: "at or below" }[matcher.kind];
  return `${kind} ${matcher.value}${matcher.ignoreCase ? " in any case" : ""}`;
}

function describeHeader(matcher: HeaderMatcher, request: RequestView): string {
  const lines = request.headerLines(matcher.name);
  const got = lines.length === 0 ? "is not there" : `is ${lines.map((line) => JSON.stringify(line)).join(" and ")}`;
  return `header ${matcher.name} ${got}, asked for: ${matcher.describe}`;
}
