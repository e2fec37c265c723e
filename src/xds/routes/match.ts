// HttpMatch → Envoy's RouteMatch (Istio networking/core/route/route.go TranslateRouteMatch).
import {
  create,
  type HeaderMatcher,
  HeaderMatcherSchema,
  type QueryParameterMatcher,
  QueryParameterMatcherSchema,
  RegexMatcherSchema,
  type RouteMatch,
  RouteMatchSchema,
  type StringMatcher,
  StringMatcherSchema,
} from "../../envoy-api/index.ts";
import type { HttpMatch, StringMatch } from "../../model/index.ts";

type NamedMatch = readonly [name: string, match: StringMatch];

const NO_FURTHER = { headers: [], queryParams: [] };

const byName = (a: NamedMatch, b: NamedMatch): number => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);

/** A regex that fits everything asks only for presence. */
function isPresence(match: StringMatch): boolean {
  return match.kind === "present" || (match.kind === "regex" && match.value === "*");
}

export function stringMatcher(match: Exclude<StringMatch, { kind: "present" }>): StringMatcher {
  switch (match.kind) {
    case "exact":
      return create(StringMatcherSchema, { matchPattern: { case: "exact", value: match.value } });
    case "prefix":
      return create(StringMatcherSchema, { matchPattern: { case: "prefix", value: match.value } });
    case "regex":
      return create(StringMatcherSchema, { matchPattern: { case: "safeRegex", value: { regex: match.value } } });
  }
}

function headerMatcher([name, match]: NamedMatch, inverted: boolean): HeaderMatcher {
  if (match.kind === "present" || isPresence(match)) {
    return create(HeaderMatcherSchema, { name, invertMatch: inverted, headerMatchSpecifier: { case: "presentMatch", value: true } });
  }
  return create(HeaderMatcherSchema, {
    name,
    invertMatch: inverted,
    // A missing header counts as empty where its absence is asked for.
    treatMissingHeaderAsEmpty: inverted,
    headerMatchSpecifier: { case: "stringMatch", value: stringMatcher(match) },
  });
}

function queryMatcher([name, match]: NamedMatch): QueryParameterMatcher {
  if (match.kind === "present" || isPresence(match)) {
    return create(QueryParameterMatcherSchema, { name, queryParameterMatchSpecifier: { case: "presentMatch", value: true } });
  }
  return create(QueryParameterMatcherSchema, { name, queryParameterMatchSpecifier: { case: "stringMatch", value: stringMatcher(match) } });
}

function pathOf(match: HttpMatch | undefined): RouteMatch["pathSpecifier"] {
  const uri = match?.uri;
  if (uri === undefined || uri.kind === "present") return { case: "prefix", value: "/" };
  if (uri.kind === "exact") return { case: "path", value: uri.value };
  if (uri.kind === "prefix") return { case: "prefix", value: uri.value };
  return { case: "safeRegex", value: create(RegexMatcherSchema, { regex: uri.value }) };
}

/** Conditions beside those that the user wrote. */
export interface FurtherMatch {
  readonly headers: readonly NamedMatch[];
  readonly queryParams: readonly NamedMatch[];
}

export function buildRouteMatch(match: HttpMatch | undefined, further: FurtherMatch = NO_FURTHER): RouteMatch {
  const pseudo: NamedMatch[] = [];
  if (match?.method !== undefined) pseudo.push([":method", match.method]);
  if (match?.authority !== undefined) pseudo.push([":authority", match.authority]);
  if (match?.scheme !== undefined) pseudo.push([":scheme", match.scheme]);
  const headers = [
    ...[...(match?.headers ?? [])].sort(byName).map((m) => headerMatcher(m, false)),
    ...[...(match?.withoutHeaders ?? [])].sort(byName).map((m) => headerMatcher(m, true)),
    ...pseudo.map((m) => headerMatcher(m, false)),
    ...further.headers.map((m) => headerMatcher(m, false)),
  ];
  return create(RouteMatchSchema, {
    pathSpecifier: pathOf(match),
    headers,
    queryParameters: [...[...(match?.queryParams ?? [])].sort(byName), ...further.queryParams].map(queryMatcher),
    ...(match?.ignoreUriCase === true ? { caseSensitive: false } : {}),
  });
}

/** Matches every request: prefix `/` or regex `.*`, and no other condition (Istio's IsCatchAllRoute). */
export function isCatchAll(match: HttpMatch | undefined): boolean {
  if (match === undefined) return true;
  const { uri } = match;
  const anyPath =
    uri === undefined ||
    uri.kind === "present" ||
    (uri.kind === "prefix" && uri.value === "/") ||
    (uri.kind === "regex" && uri.value === ".*");
  const noHeader = match.headers.length === 0 && match.withoutHeaders.length === 0;
  const noPseudo = match.method === undefined && match.authority === undefined && match.scheme === undefined;
  return anyPath && noHeader && noPseudo && match.queryParams.length === 0;
}
