// Patches of route configurations, virtual hosts and routes (Istio networking/core/envoyfilter/rc_patch.go).
import { clone, type Message } from "@bufbuild/protobuf";
import {
  type Route,
  type RouteConfiguration,
  RouteConfigurationSchema,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "../../envoy-api/index.ts";
import { type EnvoyPatch, parseSubsetKey, type RoutePatchMatch } from "../../model/index.ts";
import { type CompiledPatch, type CompiledPatches, patchesTo } from "./compile.ts";
import { isMerge, listRule } from "./listeners.ts";
import { matchesPlace, type Place } from "./match.ts";
import { mergeInto } from "./merge.ts";
import { MergeMismatch } from "./merge-any.ts";
import { patchList } from "./ordered-list.ts";

export interface RoutePatching {
  readonly patches: CompiledPatches;
  readonly place: Place;
  /** Gateways: the ports of Services that lead to a port of the pod; undefined: the port itself. */
  readonly servicePorts?: (port: number) => readonly number[] | undefined;
}

interface GatewayRouteName {
  readonly port: number;
  readonly portName: string;
  readonly gateway: string;
}

/** `http.8080`, or `https.443.https.edge.istio-system` (Istio model.ParseGatewayRDSRouteName). */
function parseGatewayRouteName(name: string): GatewayRouteName {
  const parts = name.split(".");
  if (name.startsWith("http.")) return { port: Number(name.slice(5)) || 0, portName: "", gateway: "" };
  const [kind, port, portName = "", gateway = "", namespace = ""] = parts;
  if (kind !== "https" || parts.length !== 5) return { port: 0, portName: "", gateway: "" };
  return { port: Number(port) || 0, portName, gateway: `${namespace}/${gateway}` };
}

function portOfSidecarRoute(name: string): number {
  return name.startsWith("inbound") ? (parseSubsetKey(name)?.port ?? 0) : Number(name) || 0;
}

function matchesConfiguration(patch: EnvoyPatch, name: string, patching: RoutePatching): boolean {
  const match = patch.routeConfiguration;
  if (match === undefined) return true;
  if (match.name !== "" && match.name !== name) return false;
  if (patching.place !== "GATEWAY") return match.portNumber === 0 || match.portNumber === portOfSidecarRoute(name);
  const route = parseGatewayRouteName(name);
  if (match.portName !== "" && match.portName !== route.portName) return false;
  if (match.gateway !== "" && match.gateway !== route.gateway) return false;
  if (match.portNumber === 0) return true;
  return (patching.servicePorts?.(route.port) ?? [route.port]).includes(match.portNumber);
}

function matchesVirtualHost(patch: EnvoyPatch, host: VirtualHost): boolean {
  const match = patch.routeConfiguration?.vhost;
  if (match === undefined) return true;
  return (match.name === "" || match.name === host.name) && (match.domainName === "" || host.domains.includes(match.domainName));
}

const ACTIONS: Readonly<Record<string, RoutePatchMatch["action"]>> = {
  route: "ROUTE",
  redirect: "REDIRECT",
  directResponse: "DIRECT_RESPONSE",
};

function matchesRoute(patch: EnvoyPatch, route: Route): boolean {
  const match = patch.routeConfiguration?.vhost?.route;
  if (match === undefined) return true;
  if (match.name !== "" && match.name !== route.name) return false;
  const action = ACTIONS[route.action.case ?? ""];
  return match.action === "ANY" || action === undefined || match.action === action;
}

/** The configuration itself where no patch meets it; hosts that no patch meets keep their identity. */
export function patchRouteConfiguration(config: RouteConfiguration, patching: RoutePatching): RouteConfiguration {
  const meant = (applyTo: EnvoyPatch["applyTo"]): readonly CompiledPatch[] =>
    patchesTo(applyTo, patching.patches).filter(
      (one) => matchesPlace(one, patching.place) && matchesConfiguration(one.patch, config.name, patching),
    );
  const whole = meant("ROUTE_CONFIGURATION").filter(({ patch }) => isMerge(patch));
  const hosts = meant("VIRTUAL_HOST");
  const routes = meant("HTTP_ROUTE");
  if (whole.length + hosts.length + routes.length === 0) return config;
  const result: RouteConfiguration = { ...config };
  try {
    if (whole.length > 0) mergeWhole(result, whole);
    result.virtualHosts = patchVirtualHosts(result.virtualHosts, { hosts, routes, all: patching.patches });
  } catch (error) {
    if (!(error instanceof MergeMismatch)) throw error;
  }
  return result;
}

/** Without a copy of the hosts that are there: they may be many. */
function mergeWhole(config: RouteConfiguration, patches: readonly CompiledPatch[]): void {
  const own = config.virtualHosts;
  const bare = clone(RouteConfigurationSchema, { ...config, virtualHosts: [] });
  let replaced = false;
  for (const { patch, value } of patches) {
    if (listRule(patch) === "replace" && (value as RouteConfiguration).virtualHosts.length > 0) replaced = true;
    mergeInto(RouteConfigurationSchema, bare, value as Message, listRule(patch));
  }
  Object.assign(config, bare, { virtualHosts: replaced ? bare.virtualHosts : [...own, ...bare.virtualHosts] });
}

interface HostPatches {
  readonly hosts: readonly CompiledPatch[];
  readonly routes: readonly CompiledPatch[];
  /** What they were taken from. */
  readonly all: CompiledPatches;
}

/** A host stands in one table, so the same host and the same patches give the same result: null = removed. */
const patchedHosts = new WeakMap<CompiledPatches, WeakMap<VirtualHost, VirtualHost | null>>();

function patchVirtualHosts(hosts: readonly VirtualHost[], { hosts: patches, routes, all }: HostPatches): VirtualHost[] {
  let known = patchedHosts.get(all);
  if (known === undefined) patchedHosts.set(all, (known = new WeakMap()));
  const result: VirtualHost[] = [];
  const removed = new Set<string>();
  for (const host of hosts) {
    let patched = known.get(host);
    if (patched === undefined) {
      const changed = patchVirtualHost(host, patches);
      known.set(host, (patched = changed === undefined ? null : patchRoutes(changed, routes)));
    }
    if (patched === null) removed.add(host.name);
    else result.push(patched);
  }
  for (const { patch, value } of patches) if (patch.operation === "ADD") result.push(clone(VirtualHostSchema, value as VirtualHost));
  // A name that was removed stays away, whoever has it.
  return removed.size === 0 ? result : result.filter((host) => !removed.has(host.name));
}

/** undefined: it is removed. */
function patchVirtualHost(host: VirtualHost, patches: readonly CompiledPatch[]): VirtualHost | undefined {
  let result = host;
  for (const { patch, value } of patches) {
    if (!matchesVirtualHost(patch, result)) continue;
    if (patch.operation === "REMOVE") return undefined;
    if (patch.operation === "REPLACE") result = clone(VirtualHostSchema, value as VirtualHost);
    else if (isMerge(patch)) {
      if (result === host) result = clone(VirtualHostSchema, host);
      mergeInto(VirtualHostSchema, result, value as Message, listRule(patch));
    }
  }
  return result;
}

function patchRoutes(host: VirtualHost, patches: readonly CompiledPatch[]): VirtualHost {
  const meant = patches.filter(({ patch }) => matchesVirtualHost(patch, host));
  if (meant.length === 0) return host;
  let routes: readonly Route[] = host.routes.map((route) => patchRoute(route, meant)).filter((route) => route !== undefined);
  for (const { patch, value } of meant) {
    if (!isInsertion(patch)) continue;
    const make = (): Route => clone(RouteSchema, value as Route);
    const isAnchor =
      patch.routeConfiguration?.vhost?.route === undefined ? undefined : (route: Route): boolean => matchesRoute(patch, route);
    // A first place is given only where the route that was named is there.
    if (patch.operation === "INSERT_FIRST" && isAnchor !== undefined && !routes.some(isAnchor)) continue;
    routes = patchList(routes, { operation: patch.operation, make, isAnchor });
  }
  const same = routes.length === host.routes.length && routes.every((route, index) => route === host.routes[index]);
  return same ? host : { ...host, routes: [...routes] };
}

function isInsertion({ operation }: EnvoyPatch): boolean {
  return operation === "ADD" || operation.startsWith("INSERT_");
}

/** undefined: it is removed. */
function patchRoute(route: Route, patches: readonly CompiledPatch[]): Route | undefined {
  let result = route;
  for (const { patch, value } of patches) {
    if (!matchesRoute(patch, result)) continue;
    if (patch.operation === "REMOVE") return undefined;
    if (!isMerge(patch)) continue;
    if (result === route) result = clone(RouteSchema, route);
    mergeInto(RouteSchema, result, value as Message, listRule(patch));
  }
  return result;
}
