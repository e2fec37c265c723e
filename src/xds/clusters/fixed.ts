// Clusters every proxy has: traffic that goes where it was meant to, and traffic that goes nowhere.
import {
  type Cluster,
  Cluster_DiscoveryType as Type,
  Cluster_LbPolicy as Lb,
  ClusterSchema,
  create,
  toDuration,
} from "../../envoy-api/index.ts";
import {
  BLACK_HOLE_CLUSTER,
  type ConnectionPool,
  INBOUND_PASSTHROUGH_CLUSTER,
  type MeshSettings,
  PASSTHROUGH_CLUSTER,
  type ServicePort,
} from "../../model/index.ts";
import { circuitBreakers } from "./circuit-breakers.ts";
import { protocolOptions } from "./protocol-options.ts";
import { tcpKeepalive } from "./tcp-keepalive.ts";

/** Source address by which the capture rules know traffic of the proxy's own inbound side. */
const INBOUND_SOURCE = "127.0.0.6";

/** Nobody says what stands behind: the caller's HTTP version, and five minutes of silence. */
export const PASSTHROUGH_POOL: ConnectionPool = Object.freeze({
  tcp: {
    maxConnections: undefined,
    connectTimeoutMs: undefined,
    keepalive: undefined,
    maxConnectionDurationMs: undefined,
    idleTimeoutMs: undefined,
  },
  http: {
    http1MaxPendingRequests: undefined,
    http2MaxRequests: undefined,
    maxRequestsPerConnection: undefined,
    maxRetries: undefined,
    idleTimeoutMs: 300_000,
    h2UpgradePolicy: undefined,
    useClientProtocol: true,
    maxConcurrentStreams: undefined,
    http2Keepalive: undefined,
  },
});

export interface OriginalDestination {
  readonly name: string;
  readonly port: Pick<ServicePort, "protocol">;
  readonly pool: ConnectionPool | undefined;
  readonly mesh: MeshSettings;
}

export function originalDestination({ name, port, pool, mesh }: OriginalDestination): Cluster {
  const keepalive = tcpKeepalive(pool?.tcp.keepalive, mesh);
  return create(ClusterSchema, {
    name,
    altStatName: `${name};`,
    clusterDiscoveryType: { case: "type", value: Type.ORIGINAL_DST },
    lbPolicy: Lb.CLUSTER_PROVIDED,
    connectTimeout: toDuration(pool?.tcp.connectTimeoutMs ?? mesh.connectTimeoutMs),
    circuitBreakers: circuitBreakers(pool),
    ...(keepalive === undefined ? {} : { upstreamConnectionOptions: keepalive }),
    ...protocolOptions({ port, pool, mesh, router: false }),
  } as never);
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
  return originalDestination({ name: PASSTHROUGH_CLUSTER, port: { protocol: "UNSUPPORTED" }, pool: PASSTHROUGH_POOL, mesh });
}

/** So that the capture rules do not send it back to the proxy. */
export const FROM_INBOUND = {
  upstreamBindConfig: { sourceAddress: { address: INBOUND_SOURCE, portSpecifier: { case: "portValue", value: 0 } } },
} as const;

export function boundInbound(destination: OriginalDestination): Cluster {
  const cluster = originalDestination(destination);
  cluster.upstreamBindConfig = create(ClusterSchema, FROM_INBOUND).upstreamBindConfig;
  return cluster;
}

export function buildInboundPassthrough(mesh: MeshSettings): Cluster {
  return boundInbound({ name: INBOUND_PASSTHROUGH_CLUSTER, port: { protocol: "UNSUPPORTED" }, pool: PASSTHROUGH_POOL, mesh });
}
