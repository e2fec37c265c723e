// Clusters of the proxy's own application ports (Istio networking/core/cluster.go buildInboundClusters).
import { type Cluster, Cluster_DiscoveryType as Type, ClusterSchema, create, toDuration } from "../../envoy-api/index.ts";
import { inboundCluster, type InboundPortView, type MeshSettings } from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";
import { boundInbound } from "./fixed.ts";
import { protocolOptions } from "./protocol-options.ts";

/** Named by the port callers are sent to. */
export function inboundClusterName(port: InboundPortView): string {
  return inboundCluster(port.listenPort);
}

export function buildInboundCluster(port: InboundPortView, mesh: MeshSettings): Cluster {
  const name = inboundClusterName(port);
  const options = protocolOptions({ port, pool: undefined, mesh: { ...mesh, h2UpgradePolicy: "DO_NOT_UPGRADE" } });
  if (port.target === undefined) {
    const cluster = boundInbound(name, mesh);
    return options === undefined ? cluster : create(ClusterSchema, { ...cluster, ...options });
  }
  return create(ClusterSchema, {
    name,
    altStatName: `${name};`,
    clusterDiscoveryType: { case: "type", value: Type.STATIC },
    connectTimeout: toDuration(mesh.connectTimeoutMs),
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address: socketAddress(port.target.address, port.target.port) } } }],
        },
      ],
    },
    ...options,
  });
}
