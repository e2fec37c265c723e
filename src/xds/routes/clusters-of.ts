// The clusters that routes name: they must be there first.
import type { Route, VirtualHost } from "../../envoy-api/index.ts";

function ofRoute(route: Route): string[] {
  if (route.action.case !== "route") return [];
  const specifier = route.action.value.clusterSpecifier;
  if (specifier.case === "cluster") return [specifier.value];
  return specifier.case === "weightedClusters" ? specifier.value.clusters.map((c) => c.name) : [];
}

export function clustersOfHosts(hosts: readonly VirtualHost[]): string[] {
  return hosts.flatMap((host) => host.routes.flatMap(ofRoute));
}
