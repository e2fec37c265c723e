// Endpoints of one cluster, grouped by locality (Istio xds/endpoints/endpoint_builder.go).
import { type ClusterLoadAssignment, ClusterLoadAssignmentSchema, create, HealthStatus } from "../../envoy-api/index.ts";
import type { Endpoint } from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";

function localityKey({ locality }: Endpoint): string {
  return `${locality.region}/${locality.zone}/${locality.subZone}`;
}

export function buildLoadAssignment(clusterName: string, endpoints: readonly Endpoint[]): ClusterLoadAssignment {
  const groups = [...Map.groupBy(endpoints, localityKey)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: groups.map(([, group]) => ({
      ...(group[0] === undefined
        ? {}
        : { locality: { region: group[0].locality.region, zone: group[0].locality.zone, subZone: group[0].locality.subZone } }),
      loadBalancingWeight: group.reduce((sum, e) => sum + e.weight, 0),
      lbEndpoints: group.map((e) => ({
        hostIdentifier: { case: "endpoint" as const, value: { address: socketAddress(e.address, e.port) } },
        healthStatus: e.ready ? HealthStatus.HEALTHY : HealthStatus.UNHEALTHY,
        loadBalancingWeight: e.weight,
      })),
    })),
  });
}

/** Those whose labels hold all of the subset's. */
export function ofSubset(endpoints: readonly Endpoint[], labels: Readonly<Record<string, string>>): readonly Endpoint[] {
  const wanted = Object.entries(labels);
  return wanted.length === 0 ? endpoints : endpoints.filter((e) => wanted.every(([k, v]) => e.labels[k] === v));
}
