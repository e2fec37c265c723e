// The last step of generation: what EnvoyFilters do to a proxy's listeners, route configurations and clusters, as generation made them.
// Istio calls these at the same places (networking/core listener_builder.go patchListeners, httproute.go, cluster.go clusterPatcher).
import { create } from "@bufbuild/protobuf";
import {
  type Cluster,
  type Filter,
  HttpConnectionManagerSchema,
  type Listener,
  packAny,
  type RouteConfiguration,
  TcpProxySchema,
  type TypedExtensionConfig,
  unpackAny,
} from "../../envoy-api/index.ts";
import { memoByIdentity2 } from "../../kit/index.ts";
import type { ConfigView, InboundPortView } from "../../model/index.ts";
import { clustersOfHosts } from "../routes/clusters-of.ts";
import { addedClusters, patchCluster } from "./clusters.ts";
import { type CompiledPatches, compilePatches, patchesTo } from "./compile.ts";
import { patchListeners } from "./listeners.ts";
import type { Place } from "./match.ts";
import { patchRouteConfiguration } from "./routes.ts";

/** A listener with the clusters that it names itself. */
export interface NamedListener {
  readonly message: Listener;
  readonly clusters: readonly string[];
}

export interface Patcher {
  /** Outbound listeners of a sidecar; those of its own making (explicit proxy, captured traffic) are patched one by one. */
  outbound(listeners: readonly NamedListener[], own: ReadonlySet<string>): readonly NamedListener[];
  inbound(listeners: readonly NamedListener[]): readonly NamedListener[];
  gateway(listeners: readonly NamedListener[]): readonly NamedListener[];
  /** The same object, and the same virtual hosts, where nothing meets them. */
  routes(config: RouteConfiguration): RouteConfiguration;
  /** The same object where nothing meets it; undefined: removed. `inbound`: of the proxy's own ports. */
  cluster(cluster: Cluster, inbound?: InboundPortView | "passthrough"): Cluster | undefined;
  readonly addedClusters: readonly Cluster[];
  readonly extensions: readonly TypedExtensionConfig[];
}

/** undefined: no EnvoyFilter meets this proxy, and nothing is asked of anybody. */
export function patcherOf(view: ConfigView): Patcher | undefined {
  return view.envoyPatches.length === 0 ? undefined : makePatcher(view, compilePatches(view.envoyPatches));
}

const makePatcher = memoByIdentity2((view: ConfigView, patches: CompiledPatches): Patcher => {
  const router = view.scope.type === "router";
  const place: Place = router ? "GATEWAY" : "SIDECAR_OUTBOUND";

  function servicePorts(port: number): readonly number[] | undefined {
    const servers = view.gateways.filter((listener) => listener.port === port).flatMap((listener) => listener.servers);
    return servers.length === 0 ? undefined : servers.map(({ server }) => server.port.number);
  }

  function patched(listeners: readonly NamedListener[], at: { place: Place; additions: boolean }): readonly NamedListener[] {
    const before = new Map(listeners.map((one) => [one.message.name, one]));
    return patchListeners(
      listeners.map(({ message }) => message),
      { patches, ...at },
    ).map((message) => ({
      message,
      // Filters may name others now; what was named before may still be.
      clusters: [...new Set([...(before.get(message.name)?.clusters ?? []), ...clustersOfListener(message)])],
    }));
  }

  function withInlineRoutes(listener: NamedListener): NamedListener {
    const chains = listener.message.filterChains.map((chain) => ({ ...chain, filters: chain.filters.map(patchInlineRoutes) }));
    return { message: { ...listener.message, filterChains: chains }, clusters: listener.clusters };
  }

  function patchInlineRoutes(filter: Filter): Filter {
    if (filter.configType.case !== "typedConfig") return filter;
    const manager = unpackAny(HttpConnectionManagerSchema, filter.configType.value);
    if (manager?.routeSpecifier.case !== "routeConfig") return filter;
    const own = manager.routeSpecifier.value;
    const routes = patchRouteConfiguration(own, { patches, place: "SIDECAR_INBOUND" });
    if (routes === own) return filter;
    const value = packAny(HttpConnectionManagerSchema, { ...manager, routeSpecifier: { case: "routeConfig", value: routes } });
    return { ...filter, configType: { case: "typedConfig", value } };
  }

  return {
    outbound(listeners, own) {
      const at = { place, additions: true };
      return [
        ...patched(
          listeners.filter(({ message }) => !own.has(message.name)),
          at,
        ),
        ...listeners.filter(({ message }) => own.has(message.name)).flatMap((one) => patched([one], { place, additions: false })),
      ];
    },
    inbound(listeners) {
      const virtual = (one: NamedListener): boolean => one.message.name === "virtualInbound";
      const ready = listeners.map(withInlineRoutes);
      const at: Place = "SIDECAR_INBOUND";
      return [
        ...ready.filter(virtual).flatMap((one) => patched([one], { place: at, additions: false })),
        ...patched(
          ready.filter((one) => !virtual(one)),
          { place: at, additions: true },
        ),
      ];
    },
    gateway: (listeners) => patched(listeners, { place, additions: true }),
    routes: (config) => patchRouteConfiguration(config, { patches, place, ...(router ? { servicePorts } : {}) }),
    cluster(cluster, inbound) {
      const hosts = inbound === undefined || inbound === "passthrough" ? [] : [inbound.service?.hostname ?? ""];
      return patchCluster(cluster, { patches, place: inbound === undefined ? place : "SIDECAR_INBOUND", hosts });
    },
    addedClusters: [...addedClusters(patches, place), ...(router ? [] : addedClusters(patches, "SIDECAR_INBOUND"))],
    // Asked for by name, wherever a filter waits for its config (ECDS).
    extensions: patchesTo("EXTENSION_CONFIG", patches)
      .filter(({ patch }) => patch.operation === "ADD")
      .map(({ value }) => value as TypedExtensionConfig),
  };
});

function clustersOfListener(listener: Listener): readonly string[] {
  const chains = [...listener.filterChains, ...(listener.defaultFilterChain === undefined ? [] : [listener.defaultFilterChain])];
  return chains.flatMap((chain) => chain.filters.flatMap(clustersOfFilter));
}

function clustersOfFilter(filter: Filter): readonly string[] {
  if (filter.configType.case !== "typedConfig") return [];
  const any = filter.configType.value;
  const tcp = unpackAny(TcpProxySchema, any);
  if (tcp !== undefined) {
    const { clusterSpecifier: specifier } = tcp;
    if (specifier.case === "cluster") return [specifier.value];
    return specifier.case === "weightedClusters" ? specifier.value.clusters.map((one) => one.name) : [];
  }
  const routes = (unpackAny(HttpConnectionManagerSchema, any) ?? create(HttpConnectionManagerSchema)).routeSpecifier;
  return routes.case === "routeConfig" ? clustersOfHosts(routes.value.virtualHosts) : [];
}
