// Whether one match of an HTTP rule takes every request of another: then the later one is never reached.
import type { HttpMatch, HttpRoute, StringMatch } from "../../model/index.ts";

type Named = HttpMatch["headers"];

function valueCovers(wide: StringMatch, narrow: StringMatch): boolean {
  if (wide.kind === "present") return true;
  if (wide.kind === "regex") return wide.value === ".*" || (narrow.kind === "regex" && narrow.value === wide.value);
  if (narrow.kind === "present" || narrow.kind === "regex") return false;
  if (wide.kind === "exact") return narrow.kind === "exact" && narrow.value === wide.value;
  return narrow.value.startsWith(wide.value);
}

function conditionCovers(wide: StringMatch | undefined, narrow: StringMatch | undefined): boolean {
  return wide === undefined || (narrow !== undefined && valueCovers(wide, narrow));
}

function isAnyUri(uri: StringMatch | undefined): boolean {
  if (uri === undefined) return true;
  return (uri.kind === "prefix" && (uri.value === "/" || uri.value === "")) || (uri.kind === "regex" && uri.value === ".*");
}

function uriCovers(wide: HttpMatch, narrow: HttpMatch): boolean {
  if (isAnyUri(wide.uri)) return true;
  if (narrow.ignoreUriCase && !wide.ignoreUriCase) return false;
  if (!wide.ignoreUriCase || wide.uri === undefined || narrow.uri === undefined) return conditionCovers(wide.uri, narrow.uri);
  return conditionCovers(lowerCase(wide.uri), lowerCase(narrow.uri));
}

function lowerCase(match: StringMatch): StringMatch {
  return match.kind === "exact" || match.kind === "prefix" ? { kind: match.kind, value: match.value.toLowerCase() } : match;
}

function allCovered(wide: Named, narrow: Named): boolean {
  const byName = new Map(narrow);
  return wide.every(([name, match]) => conditionCovers(match, byName.get(name)));
}

/** "Not c1" takes all of "not c2" when c1 says no more than c2. */
function exclusionsCovered(wide: Named, narrow: Named): boolean {
  const byName = new Map(narrow);
  return wide.every(([name, match]) => {
    const other = byName.get(name);
    return other !== undefined && valueCovers(other, match);
  });
}

function scopeCovers(wide: HttpMatch["scope"], narrow: HttpMatch["scope"]): boolean {
  if (wide.port !== undefined && wide.port !== narrow.port) return false;
  if (wide.sourceNamespace !== "" && wide.sourceNamespace !== narrow.sourceNamespace) return false;
  if (Object.entries(wide.sourceLabels).some(([name, value]) => narrow.sourceLabels[name] !== value)) return false;
  if (wide.gateways.length === 0) return true;
  return narrow.gateways.length > 0 && narrow.gateways.every((gateway) => wide.gateways.includes(gateway));
}

export function matchCovers(wide: HttpMatch, narrow: HttpMatch): boolean {
  return (
    scopeCovers(wide.scope, narrow.scope) &&
    uriCovers(wide, narrow) &&
    conditionCovers(wide.scheme, narrow.scheme) &&
    conditionCovers(wide.method, narrow.method) &&
    conditionCovers(wide.authority, narrow.authority) &&
    allCovered(wide.headers, narrow.headers) &&
    allCovered(wide.queryParams, narrow.queryParams) &&
    exclusionsCovered(wide.withoutHeaders, narrow.withoutHeaders)
  );
}

const ANYTHING: HttpMatch = Object.freeze({
  name: "",
  scope: { port: undefined, sourceLabels: {}, sourceNamespace: "", gateways: [] },
  uri: undefined,
  ignoreUriCase: false,
  scheme: undefined,
  method: undefined,
  authority: undefined,
  headers: [],
  withoutHeaders: [],
  queryParams: [],
  statPrefix: "",
});

/** A rule without matches takes everything. */
export function matchesOf(route: HttpRoute): readonly HttpMatch[] {
  return route.match.length === 0 ? [ANYTHING] : route.match;
}

export interface Shadowed {
  readonly rule: number;
  /** undefined: the whole rule. */
  readonly match: number | undefined;
  readonly by: number;
  /** The rule that takes the requests has no condition at all. */
  readonly byCatchAll: boolean;
}

/** Rules and matches that no request reaches. `passesOn(i)`: rule i may let requests go on to the next one (a delegate). */
export function findShadowed(routes: readonly HttpRoute[], passesOn: (rule: number) => boolean): readonly Shadowed[] {
  const found: Shadowed[] = [];
  for (const [rule, route] of routes.entries()) {
    const shadows = matchesOf(route).map((narrow, index) => {
      for (let by = 0; by < rule; by += 1) {
        const earlier = routes[by];
        if (earlier !== undefined && !passesOn(by) && matchesOf(earlier).some((wide) => matchCovers(wide, narrow))) return by;
      }
      const before = matchesOf(route).slice(0, index);
      return before.some((wide) => matchCovers(wide, narrow)) ? rule : undefined;
    });
    const isCatchAll = (by: number): boolean => matchesOf(routes[by] ?? route).some((match) => matchCovers(match, ANYTHING));
    const [first] = shadows;
    if (
      first !== undefined &&
      shadows.every((by) => by !== undefined && (by < rule || shadows.length > 1)) &&
      shadows.some((by) => by !== rule)
    ) {
      found.push({ rule, match: undefined, by: first, byCatchAll: isCatchAll(first) });
      continue;
    }
    for (const [match, by] of shadows.entries()) if (by !== undefined) found.push({ rule, match, by, byCatchAll: isCatchAll(by) });
  }
  return found;
}
