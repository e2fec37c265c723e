// Why a route does not match a request, in words: the first condition that fails, as Envoy's router tests them.
import type { HeaderMatcher, PathMatcher, RequestView, RouteMatch } from "../../proxy/config/index.ts";

/** undefined: it matches. */
export function whyNot(match: RouteMatch, request: RequestView): string | undefined {
  const at = request.path.indexOf("?");
  const path = at === -1 ? request.path : request.path.slice(0, at);
  const query = at === -1 ? "" : request.path.slice(at + 1);
  if (!pathMatches(match.path, path)) return `path ${path} is not ${describePath(match.path)}`;
  for (const header of match.headers) {
    const reason = headerReason(header, request);
    if (reason !== undefined) return reason;
  }
  if (match.grpcOnly && !(request.headerLines("content-type")[0] ?? "").startsWith("application/grpc")) return "it is not a gRPC request";
  for (const parameter of match.queryParameters) {
    const value = queryParameter(query, parameter.name);
    if (value === undefined) return `query parameter ${parameter.name} is not there`;
    if (parameter.test !== undefined && !parameter.test(value))
      return `query parameter ${parameter.name} is "${value}", asked for: ${parameter.describe}`;
  }
  return undefined;
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

function pathMatches(matcher: PathMatcher, path: string): boolean {
  if (matcher.kind === "regex") return matcher.test(path);
  if (matcher.kind === "connect") return false;
  const fold = (text: string): string => (matcher.ignoreCase ? text.toLowerCase() : text);
  const [value, got] = [fold(matcher.value), fold(path)];
  if (matcher.kind === "exact") return got === value;
  if (matcher.kind === "prefix") return got.startsWith(value);
  return got === value || got.startsWith(`${value}/`);
}

function headerReason(matcher: HeaderMatcher, request: RequestView): string | undefined {
  const lines = request.headerLines(matcher.name);
  const value = lines.length === 0 ? (matcher.treatMissingAsEmpty ? "" : undefined) : lines.join(",");
  if (headerHolds(matcher, value)) return undefined;
  const got = value === undefined ? "is not there" : `is "${value}"`;
  return matcher.invert && value !== undefined
    ? `header ${matcher.name} ${got}, which is shut out: ${matcher.describe}`
    : `header ${matcher.name} ${got}, asked for: ${matcher.describe}`;
}

function headerHolds(matcher: HeaderMatcher, value: string | undefined): boolean {
  if (matcher.test === undefined) return ((value !== undefined) !== matcher.absent) !== matcher.invert;
  // A header that is not there matches no value, not even an inverted one (Envoy: unless missing counts as empty).
  return value !== undefined && matcher.test(value) !== matcher.invert;
}

function queryParameter(query: string, name: string): string | undefined {
  for (const part of query.split("&")) {
    const [key = "", ...rest] = part.split("=");
    if (key === name) return rest.join("=");
  }
  return undefined;
}
