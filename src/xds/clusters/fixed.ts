// Clusters every proxy has: traffic that goes where it was meant to, and traffic that goes nowhere.
import {
  type Cluster,
  Cluster_DiscoveryType as Type,
  Cluster_LbPolicy as Lb,
  ClusterSchema,
  create,
  toDuration,
} from "../../envoy-api/index.ts";
import { BLACK_HOLE_CLUSTER, INBOUND_PASSTHROUGH_CLUSTER, type MeshSettings, PASSTHROUGH_CLUSTER } from "../../model/index.ts";

/** Source address by which the capture rules know traffic of the proxy's own inbound side. */
const INBOUND_SOURCE = "127.0.0.6";

export function originalDestination(name: string, mesh: MeshSettings): Cluster {
  return create(ClusterSchema, {
    name,
    altStatName: `${name};`,
    clusterDiscoveryType: { case: "type", value: Type.ORIGINAL_DST },
    lbPolicy: Lb.CLUSTER_PROVIDED,
    connectTimeout: toDuration(mesh.connectTimeoutMs),
  });
}

export function buildBlackHole(mesh: MeshSettings): Cluster {
  return create(ClusterSchema, {
    name: BLACK_HOLE_CLUSTER,
    altStatName: `${BLACK_HOLE_CLUSTER};`,
    clusterDiscoveryType: { case: "type", value: Type.STATIC },
    connectTimeout: toDuration(mesh.connectTimeoutMs),
  });
}

export function buildPassthrough(mesh: MeshSettings): Cluster {
  return originalDestination(PASSTHROUGH_CLUSTER, mesh);
}

export function boundInbound(name: string, mesh: MeshSettings): Cluster {
  const cluster = originalDestination(name, mesh);
  cluster.upstreamBindConfig = create(ClusterSchema, {
    upstreamBindConfig: { sourceAddress: { address: INBOUND_SOURCE, portSpecifier: { case: "portValue", value: 0 } } },
  }).upstreamBindConfig;
  return cluster;
}

export function buildInboundPassthrough(mesh: MeshSettings): Cluster {
  return boundInbound(INBOUND_PASSTHROUGH_CLUSTER, mesh);
}
