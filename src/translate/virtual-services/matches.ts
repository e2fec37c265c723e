// Match blocks of VirtualService rules → model (Istio virtual_service.proto HTTPMatchRequest; `{}`, null and regex `*` mean "is there").
import type { HttpMatch, MatchScope, StringMatch } from "../../model/index.ts";
import { compareText, resolveGateway } from "../names.ts";
import type { HttpMatchSpec, MatchMapSpec, MatchScopeSpec, StringMatchSpec } from "./spec.ts";

const PRESENT: StringMatch = Object.freeze({ kind: "present" });

/** A header or query parameter value: nothing given means that it must only be there. */
export function toStringMatch(spec: StringMatchSpec | null | undefined): StringMatch {
  if (spec?.exact !== undefined) return { kind: "exact", value: spec.exact };
  if (spec?.prefix !== undefined) return { kind: "prefix", value: spec.prefix };
  if (spec?.regex !== undefined && spec.regex !== "*") return { kind: "regex", value: spec.regex };
  return PRESENT;
}

/** `uri: {}` sets no condition. */
function toUriMatch(spec: StringMatchSpec | null | undefined): StringMatch | undefined {
  const match = spec === null || spec === undefined ? PRESENT : toStringMatch(spec);
  return match.kind === "present" ? undefined : match;
}

function optional(spec: StringMatchSpec | null | undefined): StringMatch | undefined {
  return spec === null || spec === undefined ? undefined : toStringMatch(spec);
}

/** Sorted by name, as Istio emits them. */
function toMatchMap(spec: MatchMapSpec | null | undefined): readonly (readonly [string, StringMatch])[] {
  return Object.entries(spec ?? {})
    .map(([name, match]) => [name, toStringMatch(match)] as const)
    .sort(([a], [b]) => compareText(a, b));
}

export function toMatchScope(spec: MatchScopeSpec, namespace: string): MatchScope {
  return {
    port: spec.port === undefined || spec.port === 0 ? undefined : spec.port,
    sourceLabels: spec.sourceLabels ?? {},
    sourceNamespace: spec.sourceNamespace ?? "",
    gateways: (spec.gateways ?? []).map((gateway) => resolveGateway(gateway, namespace)),
  };
}

export function toHttpMatch(written: HttpMatchSpec | null, namespace: string): HttpMatch {
  const spec = written ?? {};
  return {
    name: spec.name ?? "",
    scope: toMatchScope(spec, namespace),
    uri: toUriMatch(spec.uri),
    ignoreUriCase: spec.ignoreUriCase === true,
    scheme: optional(spec.scheme),
    method: optional(spec.method),
    authority: optional(spec.authority),
    headers: toMatchMap(spec.headers),
    withoutHeaders: toMatchMap(spec.withoutHeaders),
    queryParams: toMatchMap(spec.queryParams),
    statPrefix: spec.statPrefix ?? "",
  };
}
