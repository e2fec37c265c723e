// VirtualService → model: names resolved in its own namespace, durations in milliseconds. Delegates are merged in later (delegates.ts).
import { memoByIdentity2, parseDuration } from "../../kit/index.ts";
import type { HttpRoute, MeshSettings, TcpRoute, TlsRoute, VirtualService } from "../../model/index.ts";
import type { Resource, VirtualServiceSpec } from "../../resources/index.ts";
import { MESH_GATEWAY, resolveExportTo, resolveGateway, resolveHost } from "../names.ts";
import { type Home, toCorsPolicy, toDirectResponse, toFault, toHeaders, toMirrors, toRedirect, toRetries, toRewrite } from "./actions.ts";
import { toWeightedDestination } from "./actions.ts";
import { toHttpMatch, toMatchScope } from "./matches.ts";
import type { HttpRouteSpec, L4RouteSpec } from "./spec.ts";

/** Serin's own annotation: "true" makes the weights of the VirtualService's HTTP rules shares of users. */
export const STICKY_SHARES = "serin.dev/sticky-shares";

/** A rule that hands over to another VirtualService. */
export interface DelegateReference {
  readonly namespace: string;
  readonly name: string;
}

/** Rule → what it delegates to; only rules that delegate are in it. */
export const delegateOf: WeakMap<HttpRoute, DelegateReference> = new WeakMap();

function toHttpRoute(spec: HttpRouteSpec, home: Home, stickyShares: boolean): HttpRoute {
  const route: HttpRoute = Object.freeze({
    name: spec.name ?? "",
    match: (spec.match ?? []).map((match) => toHttpMatch(match, home.namespace)),
    route: (spec.route ?? []).map((weighted) => toWeightedDestination(weighted, home)),
    redirect: toRedirect(spec.redirect),
    directResponse: toDirectResponse(spec.directResponse),
    rewrite: toRewrite(spec.rewrite),
    timeoutMs: spec.timeout === undefined ? undefined : parseDuration(spec.timeout),
    retries: spec.retries === undefined ? undefined : toRetries(spec.retries),
    fault: toFault(spec.fault),
    mirrors: toMirrors(spec, home),
    corsPolicy: toCorsPolicy(spec.corsPolicy),
    headers: toHeaders(spec.headers),
    stickyShares,
  });
  if (spec.delegate !== undefined) {
    delegateOf.set(route, { namespace: spec.delegate.namespace || home.namespace, name: spec.delegate.name ?? "" });
  }
  return route;
}

function toTcpRoute(spec: L4RouteSpec, home: Home): TcpRoute {
  return {
    match: (spec.match ?? []).map((match) => ({
      scope: toMatchScope(match, home.namespace),
      destinationSubnets: match.destinationSubnets ?? [],
    })),
    route: (spec.route ?? []).map((weighted) => toWeightedDestination(weighted, home)),
  };
}

function toTlsRoute(spec: L4RouteSpec, home: Home): TlsRoute {
  const { match, route } = toTcpRoute(spec, home);
  return { match: match.map((one, index) => ({ ...one, sniHosts: spec.match?.[index]?.sniHosts ?? [] })), route };
}

export const toVirtualService: (resource: Resource<VirtualServiceSpec>, settings: MeshSettings) => VirtualService = memoByIdentity2(
  ({ metadata, spec }, settings) => {
    const home: Home = { namespace: metadata.namespace, domain: settings.domain };
    const stickyShares = metadata.annotations[STICKY_SHARES] === "true";
    const gateways = spec.gateways === undefined || spec.gateways.length === 0 ? [MESH_GATEWAY] : spec.gateways;
    return Object.freeze({
      name: metadata.name,
      namespace: metadata.namespace,
      createdAt: metadata.creationTimestamp,
      hosts: (spec.hosts ?? []).map((host) => resolveHost(host, home.namespace, home.domain).toLowerCase()),
      gateways: gateways.map((gateway) => resolveGateway(gateway, home.namespace)),
      exportTo: resolveExportTo(spec.exportTo, home.namespace, settings.defaultVirtualServiceExportTo),
      http: ((spec.http ?? []) as readonly HttpRouteSpec[]).map((route) => toHttpRoute(route, home, stickyShares)),
      tls: ((spec.tls ?? []) as readonly L4RouteSpec[]).map((route) => toTlsRoute(route, home)),
      tcp: ((spec.tcp ?? []) as readonly L4RouteSpec[]).map((route) => toTcpRoute(route, home)),
    });
  },
);
