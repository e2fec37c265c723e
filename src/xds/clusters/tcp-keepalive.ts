// SO_KEEPALIVE of a cluster's connections: the DestinationRule's own word for each number, the mesh's for what it leaves out
// (Istio networking/core/cluster_traffic_policy.go applyTCPKeepalive).
import { type Cluster, ClusterSchema, create } from "../../envoy-api/index.ts";
import type { MeshSettings, TcpKeepalive } from "../../model/index.ts";

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / 1000);
}

/** undefined = no keep-alive probes. An empty `tcpKeepalive: {}` asks for the operating system's numbers. */
export function tcpKeepalive(own: TcpKeepalive | undefined, mesh: MeshSettings): Cluster["upstreamConnectionOptions"] {
  const base = mesh.tcpKeepalive;
  if (own === undefined && base === undefined) return undefined;
  const probes = own?.probes ?? base?.probes;
  const time = seconds(own?.timeMs ?? base?.timeMs);
  const interval = seconds(own?.intervalMs ?? base?.intervalMs);
  const numbers = {
    ...(probes === undefined ? {} : { keepaliveProbes: probes }),
    ...(time === undefined ? {} : { keepaliveTime: time }),
    ...(interval === undefined ? {} : { keepaliveInterval: interval }),
  };
  return create(ClusterSchema, { upstreamConnectionOptions: { tcpKeepalive: numbers } }).upstreamConnectionOptions;
}
