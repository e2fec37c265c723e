// Endpoints of one cluster, grouped by locality and priority (Istio xds/endpoints/endpoint_builder.go).
import { type ClusterLoadAssignment, ClusterLoadAssignmentSchema, create, HealthStatus } from "../../envoy-api/index.ts";
import type { Endpoint } from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";
import type { EndpointGroup } from "./locality.ts";

/** What a cluster chooses the transport of an endpoint by. */
const TAKES_MTLS = { filterMetadata: { "envoy.transport_socket_match": { tlsMode: "istio" } } };

export function buildLoadAssignment(clusterName: string, groups: readonly EndpointGroup[]): ClusterLoadAssignment {
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: groups.map(({ locality, endpoints, weight, priority }) => ({
      locality: { region: locality.region, zone: locality.zone, subZone: locality.subZone },
      loadBalancingWeight: weight,
      priority,
      lbEndpoints: endpoints.map((e) => ({
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
