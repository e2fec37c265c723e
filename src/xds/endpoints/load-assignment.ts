// Endpoints of one cluster, grouped by locality (Istio xds/endpoints/endpoint_builder.go).
import { type ClusterLoadAssignment, ClusterLoadAssignmentSchema, create, HealthStatus } from "../../envoy-api/index.ts";
import type { Endpoint } from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";

/** What a cluster chooses the transport of an endpoint by. */
const TAKES_MTLS = { filterMetadata: { "envoy.transport_socket_match": { tlsMode: "istio" } } };

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
        ...(e.mtls ? { metadata: TAKES_MTLS } : {}),
      })),
    })),
  });
}

/** Which endpoints of a service port a cluster has. */
export interface EndpointChoice {
  /** All of the subset's labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Whether the mesh's own TLS goes to all of them, none, or each that takes it. */
  readonly mtls: "each" | "all" | "none";
  /** Only those that it goes to. */
  readonly mtlsOnly: boolean;
}

export function chooseEndpoints(endpoints: readonly Endpoint[], { labels, mtls, mtlsOnly }: EndpointChoice): readonly Endpoint[] {
  const wanted = Object.entries(labels);
  const ofSubset = wanted.length === 0 ? endpoints : endpoints.filter((e) => wanted.every(([k, v]) => e.labels[k] === v));
  const marked = mtls === "each" ? ofSubset : ofSubset.map((e) => (e.mtls === (mtls === "all") ? e : { ...e, mtls: mtls === "all" }));
  return mtlsOnly ? marked.filter((e) => e.mtls) : marked;
}
