// What a route does: forward, redirect or answer (Istio networking/core/route/route.go translateRoute).
import {
  create,
  type DirectResponseAction,
  DirectResponseActionSchema,
  type RedirectAction,
  RedirectAction_RedirectResponseCode as Code,
  RedirectActionSchema,
  type RouteAction,
  type RouteAction_HashPolicy,
  type RouteAction_RequestMirrorPolicy,
  RouteAction_RequestMirrorPolicySchema,
  RouteActionSchema,
  toDuration,
  type WeightedCluster_ClusterWeight,
  WeightedCluster_ClusterWeightSchema,
} from "../../envoy-api/index.ts";
import type { Destination, HttpRoute, MeshSettings, Redirect, ServiceView, WeightedDestination } from "../../model/index.ts";
import { outboundCluster } from "../../model/index.ts";
import { fractionOf } from "./fraction.ts";
import { headerFields, hostSetBy } from "./headers.ts";
import { buildHashPolicy } from "./hash-policy.ts";
import { buildRetryPolicy } from "./retry.ts";
import { byShares, type ShareVariant } from "./sticky-shares.ts";

/** What the routes of one table are built for. */
export interface RouteContext {
  readonly mesh: MeshSettings;
  /** Services known in this table, by host. */
  readonly services: ReadonlyMap<string, ServiceView>;
  /** Every service this proxy has clusters for, by host: DestinationRules are found here, also of destinations that are no host of the table. */
  readonly known: ReadonlyMap<string, ServiceView>;
  /** The port of the listener; 0 for the explicit proxy. */
  readonly listenPort: number;
  /** A destination without port means its service's only one; not in a sidecar's table of one port, where that port is meant. */
  readonly onlyPortCounts: boolean;
  readonly tls: boolean;
}

function onlyPort(view: ServiceView | undefined): number | undefined {
  if (view === undefined) return undefined;
  const { ports } = view;
  const usable = ports === undefined ? view.service.ports : view.service.ports.filter((port) => ports.includes(port.number));
  return usable.length === 1 ? usable[0]?.number : undefined;
}

/** The destination's own port, else the service's only one, else the listener's. */
export function portOf(destination: Destination, context: RouteContext): number {
  const only = context.onlyPortCounts ? onlyPort(context.services.get(destination.host)) : undefined;
  return destination.port ?? only ?? context.listenPort;
}

export function clusterOf(destination: Destination, context: RouteContext): string {
  const service = (context.services.get(destination.host) ?? context.known.get(destination.host))?.service;
  return outboundCluster(service?.aliasOf ?? destination.host, portOf(destination, context), destination.subset);
}

const CODES: Readonly<Record<number, Code>> = {
  301: Code.MOVED_PERMANENTLY,
  302: Code.FOUND,
  303: Code.SEE_OTHER,
  307: Code.TEMPORARY_REDIRECT,
  308: Code.PERMANENT_REDIRECT,
};

/** A port that the scheme has anyway is not written. */
function redirectPort(redirect: Redirect, context: RouteContext): number {
  const port = redirect.port ?? (redirect.derivePort === "FROM_REQUEST_PORT" ? context.listenPort : 0);
  const scheme = redirect.scheme ?? (context.tls ? "https" : "http");
  return (port === 80 && scheme === "http") || (port === 443 && scheme === "https") ? 0 : port;
}

export function buildRedirect(redirect: Redirect, context: RouteContext): RedirectAction {
  const path: RedirectAction["pathRewriteSpecifier"] =
    redirect.prefixRewrite !== undefined
      ? { case: "prefixRewrite", value: redirect.prefixRewrite }
      : redirect.uri !== undefined
        ? { case: "pathRedirect", value: redirect.uri }
        : { case: undefined };
  return create(RedirectActionSchema, {
    hostRedirect: redirect.authority ?? "",
    portRedirect: redirectPort(redirect, context),
    pathRewriteSpecifier: path,
    responseCode: CODES[redirect.redirectCode] ?? Code.MOVED_PERMANENTLY,
    ...(redirect.scheme === undefined ? {} : { schemeRewriteSpecifier: { case: "schemeRedirect", value: redirect.scheme } }),
  });
}

export function buildDirectResponse(response: NonNullable<HttpRoute["directResponse"]>): DirectResponseAction {
  const { body, status } = response;
  if (body === undefined) return create(DirectResponseActionSchema, { status });
  const specifier =
    "text" in body ? ({ case: "inlineString", value: body.text } as const) : ({ case: "inlineBytes", value: body.bytes } as const);
  return create(DirectResponseActionSchema, { status, body: { specifier } });
}

function weightOf(weighted: WeightedDestination, context: RouteContext): WeightedCluster_ClusterWeight {
  const host = hostSetBy(weighted.headers);
  return create(WeightedCluster_ClusterWeightSchema, {
    name: clusterOf(weighted.destination, context),
    weight: weighted.weight,
    ...headerFields(weighted.headers),
    ...(host === undefined ? {} : { hostRewriteSpecifier: { case: "hostRewriteLiteral", value: host } }),
  });
}

function specifierOf(route: HttpRoute, context: RouteContext, sticky: boolean): RouteAction["clusterSpecifier"] {
  const [first] = route.route;
  if (route.route.length === 1 && first !== undefined) return { case: "cluster", value: clusterOf(first.destination, context) };
  const clusters = route.route.filter((w) => w.weight > 0).map((w) => weightOf(w, context));
  if (sticky) return { case: "weightedClusters", value: byShares(clusters) };
  return {
    case: "weightedClusters",
    value: create(RouteActionSchema, { clusterSpecifier: { case: "weightedClusters", value: { clusters } } }).clusterSpecifier
      .value as never,
  };
}

/** The route's own word beats its destination's. */
function hostRewriteOf(route: HttpRoute): string | undefined {
  const single = route.route.length === 1 ? hostSetBy(route.route[0]?.headers) : undefined;
  return [route.rewrite?.authority, hostSetBy(route.headers), single].find((host) => host !== undefined && host !== "");
}

/** One for each destination that hashes: with several, the policy stands there as often. */
function hashPoliciesOf(route: HttpRoute, context: RouteContext): RouteAction_HashPolicy[] {
  const used = route.route.length === 1 ? route.route : route.route.filter(({ weight }) => weight > 0);
  return used.flatMap(({ destination }) => {
    const key = context.known.get(destination.host)?.destinationRule?.hashKeyFor(destination.port, destination.subset);
    return key === undefined ? [] : [buildHashPolicy(key)];
  });
}

/** A mirror of 0 % is none. The copy keeps the Host. */
function mirrorsOf(route: HttpRoute, context: RouteContext): RouteAction_RequestMirrorPolicy[] {
  return route.mirrors
    .filter(({ percentage }) => percentage > 0)
    .map(({ destination, percentage }) =>
      create(RouteAction_RequestMirrorPolicySchema, {
        cluster: clusterOf(destination, context),
        runtimeFraction: { defaultValue: fractionOf(percentage) },
        traceSampled: false,
        disableShadowHostSuffixAppend: true,
      }),
    );
}

export function buildForward(route: HttpRoute, context: RouteContext, variant?: ShareVariant): RouteAction {
  const timeout = toDuration(route.timeoutMs ?? 0);
  const host = hostRewriteOf(route);
  const hashPolicy = variant === undefined ? hashPoliciesOf(route, context) : [variant.hashPolicy];
  const retryPolicy = buildRetryPolicy(route.retries, context.mesh, { hashed: route.route.length === 1 && hashPolicy.length > 0 });
  const { uri, uriRegexRewrite: regex } = route.rewrite ?? {};
  return create(RouteActionSchema, {
    clusterSpecifier: specifierOf(route, context, variant !== undefined),
    timeout,
    maxGrpcTimeout: timeout,
    hashPolicy,
    requestMirrorPolicies: mirrorsOf(route, context),
    ...(retryPolicy === undefined ? {} : { retryPolicy }),
    ...(uri === undefined || regex !== undefined ? {} : { prefixRewrite: uri }),
    ...(regex === undefined ? {} : { regexRewrite: { pattern: { regex: regex.match }, substitution: regex.rewrite } }),
    ...(host === undefined ? {} : { hostRewriteSpecifier: { case: "hostRewriteLiteral", value: host } }),
    // A Host that only header operations set is not told.
    ...(context.mesh.proxyHeaders.xForwardedHost && route.rewrite !== undefined ? { appendXForwardedHost: true } : {}),
  });
}
