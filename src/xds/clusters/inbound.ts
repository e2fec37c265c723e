// Clusters of the proxy's own application ports (Istio networking/core/cluster.go buildInboundClusters).
import { type Cluster, Cluster_DiscoveryType as Type, ClusterSchema, create, toDuration } from "../../envoy-api/index.ts";
import { isLoopback } from "../../kit/index.ts";
import { type ConnectionPool, inboundCluster, type InboundPortView, type MeshSettings } from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";
import { circuitBreakers } from "./circuit-breakers.ts";
import { boundInbound, FROM_INBOUND } from "./fixed.ts";
import { protocolOptions } from "./protocol-options.ts";
import { statName } from "./stat-name.ts";
import { tcpKeepalive } from "./tcp-keepalive.ts";

/** Connections to the application are not taken from it for being idle: the longest time that Istio can write. */
const NEVER = toDuration(9_223_372_035_000);

/** Named by the port callers are sent to. */
export function inboundClusterName(port: InboundPortView): string {
  return inboundCluster(port.listenPort);
}

/** Connections to it are not captured. */
function isOwn(address: string): boolean {
  return isLoopback(address) || address.startsWith("unix://");
}

export function buildInboundCluster(port: InboundPortView, mesh: MeshSettings): Cluster {
  const name = inboundClusterName(port);
  const { pool, service } = port;
  const target = port.target ?? (mesh.inboundTrafficPolicy === "LOCALHOST" ? { address: "127.0.0.1", port: port.listenPort } : undefined);
  const subject = service === undefined ? undefined : { ...service, subset: "", targetPort: target?.port ?? port.listenPort };
  const altStatName = statName(mesh.inboundClusterStatName, name, subject);
  // Nothing is upgraded on the last step to the application.
  const plain: ConnectionPool | undefined =
    pool === undefined ? undefined : { ...pool, http: { ...pool.http, h2UpgradePolicy: "DO_NOT_UPGRADE" } };
  const own: MeshSettings = { ...mesh, h2UpgradePolicy: "DO_NOT_UPGRADE" };
  if (target === undefined)
    return create(ClusterSchema, { ...boundInbound({ name, port, pool: plain, mesh: own }), altStatName, cleanupInterval: NEVER });
  const keepalive = tcpKeepalive(pool?.tcp.keepalive, mesh);
  return create(ClusterSchema, {
    name,
    altStatName,
    clusterDiscoveryType: { case: "type", value: Type.STATIC },
    connectTimeout: toDuration(pool?.tcp.connectTimeoutMs ?? mesh.connectTimeoutMs),
    circuitBreakers: circuitBreakers(pool),
    ...(keepalive === undefined ? {} : { upstreamConnectionOptions: keepalive }),
    loadAssignment: {
      clusterName: name,
      endpoints: [
        { lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address: socketAddress(target.address, target.port) } } }] },
      ],
    },
    ...(isOwn(target.address) ? {} : FROM_INBOUND),
    ...protocolOptions({ port, pool: plain, mesh: own, router: false }),
  } as never);
}
