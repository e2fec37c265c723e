// Outbound clusters: one per service port and subset (Istio networking/core/cluster_builder.go, cluster_traffic_policy.go).
import {
  type Cluster,
  Cluster_DiscoveryType as Type,
  Cluster_DnsLookupFamily as DnsFamily,
  Cluster_LbPolicy as Lb,
  ClusterSchema,
  create,
  RoutingPriority,
  toDuration,
} from "../../envoy-api/index.ts";
import {
  type Endpoint,
  type MeshSettings,
  outboundCluster,
  type ServicePort,
  type ServiceView,
  type TrafficPolicy,
} from "../../model/index.ts";
import { adsSource } from "../config-source.ts";
import { buildLoadAssignment } from "../endpoints/load-assignment.ts";
import { protocolOptions } from "./protocol-options.ts";

const NO_LIMIT = 4294967295;
const DNS_REFRESH_MS = 60_000;

export interface ClusterInput {
  readonly view: ServiceView;
  readonly port: ServicePort;
  /** "" = the whole service. */
  readonly subset: string;
  readonly mesh: MeshSettings;
  /** Original destination needs captured traffic; a gateway has none and uses endpoints. */
  readonly router: boolean;
  /** For clusters that carry their endpoints (DNS). */
  readonly endpoints: readonly Endpoint[];
}

function policyOf(input: ClusterInput): TrafficPolicy | undefined {
  return input.view.destinationRule?.policyFor(input.port.number, input.subset);
}

function balancer(policy: TrafficPolicy | undefined): Lb {
  switch (policy?.loadBalancer?.simple) {
    case "ROUND_ROBIN":
      return Lb.ROUND_ROBIN;
    case "RANDOM":
      return Lb.RANDOM;
    case "PASSTHROUGH":
      return Lb.CLUSTER_PROVIDED;
    default:
      return Lb.LEAST_REQUEST;
  }
}

function breakers(policy: TrafficPolicy | undefined): Cluster["circuitBreakers"] {
  const pool = policy?.connectionPool;
  // 0 means no limit.
  const limit = (value: number | undefined): number => (value === undefined || value === 0 ? NO_LIMIT : value);
  const threshold = {
    priority: RoutingPriority.DEFAULT,
    maxConnections: limit(pool?.tcp.maxConnections),
    maxPendingRequests: limit(pool?.http.http1MaxPendingRequests),
    maxRequests: limit(pool?.http.http2MaxRequests),
    maxRetries: limit(pool?.http.maxRetries),
    trackRemaining: true,
  };
  return create(ClusterSchema, { circuitBreakers: { thresholds: [threshold] } }).circuitBreakers;
}

function keepalive(policy: TrafficPolicy | undefined): Cluster["upstreamConnectionOptions"] {
  const k = policy?.connectionPool?.tcp.keepalive;
  if (k === undefined) return undefined;
  const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.round(ms / 1000));
  const [time, interval] = [seconds(k.timeMs), seconds(k.intervalMs)];
  const tcpKeepalive = {
    ...(k.probes === undefined ? {} : { keepaliveProbes: k.probes }),
    ...(time === undefined ? {} : { keepaliveTime: time }),
    ...(interval === undefined ? {} : { keepaliveInterval: interval }),
  };
  return create(ClusterSchema, { upstreamConnectionOptions: { tcpKeepalive } }).upstreamConnectionOptions;
}

/** How the endpoints are found. */
function discovery(input: ClusterInput, name: string, policy: TrafficPolicy | undefined): Partial<Cluster> {
  const { resolution } = input.view.service;
  const passthrough = policy?.loadBalancer?.simple === "PASSTHROUGH" || resolution === "NONE";
  if (passthrough && !input.router)
    return { clusterDiscoveryType: { case: "type", value: Type.ORIGINAL_DST }, lbPolicy: Lb.CLUSTER_PROVIDED };
  const lbPolicy = balancer(policy) === Lb.CLUSTER_PROVIDED ? Lb.LEAST_REQUEST : balancer(policy);
  if (resolution === "DNS" || resolution === "DNS_ROUND_ROBIN") {
    return {
      clusterDiscoveryType: { case: "type", value: resolution === "DNS" ? Type.STRICT_DNS : Type.LOGICAL_DNS },
      lbPolicy,
      dnsLookupFamily: DnsFamily.V4_ONLY,
      dnsRefreshRate: toDuration(DNS_REFRESH_MS),
      respectDnsTtl: true,
      loadAssignment: buildLoadAssignment(name, input.endpoints),
    };
  }
  const eds = { edsConfig: adsSource({ waitForever: true }), serviceName: name };
  return create(ClusterSchema, { clusterDiscoveryType: { case: "type", value: Type.EDS }, lbPolicy, edsClusterConfig: eds });
}

export function buildOutboundCluster(input: ClusterInput): Cluster {
  const { service } = input.view;
  const policy = policyOf(input);
  const name = outboundCluster(service.hostname, input.port.number, input.subset);
  const { $typeName: _, ...found } = discovery(input, name, policy) as Cluster;
  const connect = policy?.connectionPool?.tcp.connectTimeoutMs ?? input.mesh.connectTimeoutMs;
  const options = keepalive(policy);
  return create(ClusterSchema, {
    ...found,
    name,
    altStatName: `${name};`,
    connectTimeout: toDuration(connect),
    circuitBreakers: breakers(policy),
    ...(options === undefined ? {} : { upstreamConnectionOptions: options }),
    ...protocolOptions({ port: input.port, pool: policy?.connectionPool, mesh: input.mesh }),
    metadata: {
      filterMetadata: {
        istio: {
          services: [{ host: service.hostname, name: service.name, namespace: service.namespace }],
          ...(input.subset === "" ? {} : { subset: input.subset }),
        },
      },
    },
  } as never);
}

/** Clusters whose endpoints come by EDS. */
export function usesEds(cluster: Cluster): boolean {
  return cluster.clusterDiscoveryType.case === "type" && cluster.clusterDiscoveryType.value === Type.EDS;
}
