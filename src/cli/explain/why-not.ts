// Why a route does not match a request, in words: the first condition that fails, as Envoy's router tests them.
import {
  type HeaderMatcher,
  matchesHeader,
  matchesPath,
  matchesQuery,
  matchesRoute,
  type PathMatcher,
  type RequestView,
  type RouteMatch,
} from "../../proxy/matcher.ts";

/** undefined: it matches. The verdict is the proxy's own matcher's; only the words are of here. */
export function whyNot(match: RouteMatch, request: RequestView): string | undefined {
  if (!matchesPath(match.path, request)) return `path ${request.path.split("?")[0]} is not ${describePath(match.path)}`;
  const header = match.headers.find((one) => !matchesHeader(one, request));
  if (header !== undefined) return describeHeader(header, request);
  const parameter = match.queryParameters.find((one) => !matchesQuery(one, request.path));
  if (parameter !== undefined) return `query parameter ${parameter.name} is not as asked for: ${parameter.describe}`;
  return matchesRoute(match, request, () => 0) ? undefined : "it is not a gRPC request";
}

export function describePath(matcher: PathMatcher): string {
  switch (matcher.kind) {
    case "prefix":
      return `prefix ${matcher.value}${matcher.ignoreCase ? " (in any case)" : ""}`;
    case "exact":
      return `exactly ${matcher.value}${matcher.ignoreCase ? " (in any case)" : ""}`;
    case "regex":
      return `regex ${matcher.source}`;
    case "separatedPrefix":
      return `${matcher.value} or below${matcher.ignoreCase ? " (in any case)" : ""}`;
    case "connect":
      return "a CONNECT request";
  }
}

function describeHeader(matcher: HeaderMatcher, request: RequestView): string {
  const lines = request.headerLines(matcher.name);
  const got = lines.length === 0 ? "is not there" : `is "${lines.join(", ")}"`;
  const shutOut = matcher.invert && lines.length > 0;
  return `header ${matcher.name} ${got}, ${shutOut ? "which is shut out" : "asked for"}: ${matcher.describe}`;
}
