// A VirtualService's HTTP rules → Envoy routes for one proxy and one route table (Istio networking/core/route/route.go
// BuildHTTPRoutesForVirtualService). Port, source and gateway of a match are decided here, not by Envoy.
import { create, type Route, type RouteMatch, RouteSchema } from "../../envoy-api/index.ts";
import type { HttpMatch, HttpRoute, MatchScope, ProxyScope, VirtualService } from "../../model/index.ts";
import { buildDirectResponse, buildForward, buildRedirect, portOf, type RouteContext } from "./action.ts";
import { headerFields } from "./headers.ts";
import { buildRouteMatch, isCatchAll } from "./match.ts";
import { buildPerFilter } from "./per-filter.ts";
import { type ShareVariant, shareVariants } from "./sticky-shares.ts";

export interface HttpRouteContext extends RouteContext {
  readonly scope: ProxyScope;
  /** The gateways this table is for: `mesh`, or the names of the servers' Gateways. */
  readonly gateways: ReadonlySet<string>;
}

export interface BuiltRoute {
  readonly route: Route;
  readonly catchAll: boolean;
}

export function appliesTo(match: MatchScope, context: Pick<HttpRouteContext, "scope" | "gateways" | "listenPort">): boolean {
  if (match.port !== undefined && match.port !== 0 && match.port !== context.listenPort) return false;
  // Gateways in a match switch off its source conditions.
  if (match.gateways.length > 0) return match.gateways.some((g) => context.gateways.has(g));
  const { labels, namespace } = context.scope;
  const labelled = Object.entries(match.sourceLabels).every(([k, v]) => labels[k] === v);
  return labelled && (match.sourceNamespace === "" || match.sourceNamespace === namespace);
}

function actionOf(rule: HttpRoute, context: HttpRouteContext, variant: ShareVariant | undefined): Route["action"] {
  if (rule.redirect !== undefined) return { case: "redirect", value: buildRedirect(rule.redirect, context) };
  if (rule.directResponse !== undefined) return { case: "directResponse", value: buildDirectResponse(rule.directResponse) };
  return { case: "route", value: buildForward(rule, context, variant) };
}

function pathOf(match: RouteMatch): string {
  switch (match.pathSpecifier.case) {
    case "prefix":
      return `${match.pathSpecifier.value}*`;
    case "path":
      return match.pathSpecifier.value;
    case "safeRegex":
      return match.pathSpecifier.value.regex;
    default:
      return "/*";
  }
}

/** The route in words, for traces (GetRouteOperation): its only destination, else the VirtualService, and the path as it is matched. */
function operationOf(
  rule: HttpRoute,
  built: Pick<Route, "match" | "action">,
  of: { context: HttpRouteContext; owner: VirtualService },
): string {
  const path = built.match === undefined ? "/*" : pathOf(built.match);
  const [only] = rule.route;
  if (built.action.case !== "route" || rule.route.length !== 1 || only === undefined)
    return `${of.owner.name}:${of.context.listenPort}${path}`;
  return `${only.destination.host}:${portOf(only.destination, of.context)}${path}`;
}

interface RouteOptions {
  readonly context: HttpRouteContext;
  readonly owner: VirtualService;
  /** undefined: the weights are shares of requests. */
  readonly variant: ShareVariant | undefined;
}

function buildRoute(rule: HttpRoute, match: HttpMatch | undefined, options: RouteOptions): Route {
  const { context, owner, variant } = options;
  const matchName = match?.name ?? "";
  const single =
    rule.route.length === 1 && rule.redirect === undefined && rule.directResponse === undefined ? rule.route[0]?.headers : undefined;
  const headers = headerFields(rule.headers, single);
  const built = { match: buildRouteMatch(match, variant), action: actionOf(rule, context, variant) };
  return create(RouteSchema, {
    name: matchName === "" ? rule.name : `${rule.name}.${matchName}`,
    ...built,
    ...headers,
    responseHeadersToAdd: [...headers.responseHeadersToAdd, ...(variant?.setCookie ?? [])],
    decorator: { operation: operationOf(rule, built, options) },
    typedPerFilterConfig: buildPerFilter(rule),
    ...(match === undefined || match.statPrefix === "" ? {} : { statPrefix: match.statPrefix }),
    metadata: {
      filterMetadata: { istio: { config: `/apis/networking.istio.io/v1/namespaces/${owner.namespace}/virtual-service/${owner.name}` } },
    },
  });
}

const NO_VARIANTS: readonly undefined[] = [undefined];

/** Routes in order; what stands after a catch-all is never reached and is dropped. */
export function buildHttpRoutes(owner: VirtualService, context: HttpRouteContext): BuiltRoute[] {
  const built: BuiltRoute[] = [];
  for (const rule of owner.http) {
    const variants = rule.stickyShares ? shareVariants(rule, { context, owner: owner.name }) : NO_VARIANTS;
    const matches: readonly (HttpMatch | undefined)[] = rule.match.length === 0 ? [undefined] : rule.match;
    for (const match of matches) {
      if (match !== undefined && !appliesTo(match.scope, context)) continue;
      const catchAll = isCatchAll(match);
      for (const variant of variants) built.push({ route: buildRoute(rule, match, { context, owner, variant }), catchAll });
      if (catchAll) return built;
    }
  }
  return built;
}
