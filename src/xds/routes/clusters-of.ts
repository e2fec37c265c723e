// The clusters that routes name, mirrors included: they must be there first.
import type { Route, VirtualHost } from "../../envoy-api/index.ts";

function ofRoute(route: Route): string[] {
  if (route.action.case !== "route") return [];
  const { clusterSpecifier: specifier, requestMirrorPolicies } = route.action.value;
  const mirrors = requestMirrorPolicies.map((policy) => policy.cluster);
  if (specifier.case === "cluster") return [specifier.value, ...mirrors];
  return specifier.case === "weightedClusters" ? [...specifier.value.clusters.map((c) => c.name), ...mirrors] : mirrors;
}

export function clustersOfHosts(hosts: readonly VirtualHost[]): string[] {
  return hosts.flatMap((host) => host.routes.flatMap(ofRoute));
}
