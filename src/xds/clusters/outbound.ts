// Outbound clusters: one per service port and subset (Istio networking/core/cluster_builder.go, cluster_traffic_policy.go).
import {
  type Cluster,
  Cluster_DiscoveryType as Type,
  Cluster_DnsLookupFamily as DnsFamily,
  Cluster_LbPolicy as Lb,
  ClusterSchema,
  create,
  toDuration,
} from "../../envoy-api/index.ts";
import {
  type Endpoint,
  type MeshSettings,
  outboundCluster,
  sniCluster,
  type ServicePort,
  type ServiceView,
  type TrafficPolicy,
} from "../../model/index.ts";
import { adsSource } from "../config-source.ts";
import { buildLoadAssignment } from "../endpoints/load-assignment.ts";
import { circuitBreakers } from "./circuit-breakers.ts";
import { protocolOptions, speaksHttp2 } from "./protocol-options.ts";
import { tcpKeepalive } from "./tcp-keepalive.ts";
import { buildTransport, PLAIN } from "./transport.ts";

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
  /** The proxy has a secret server, and with it a mesh identity. */
  readonly secretServer: boolean;
  /** Identities of the workloads behind the service, and the names its ServiceEntry gives its servers. */
  readonly accounts: readonly string[];
  /** Endpoints may take the mesh's own TLS; where they are not known one by one, all of them do. */
  readonly autoMtls: boolean;
  /** For AUTO_PASSTHROUGH: under the name that callers ask for, and without TLS of its own. */
  readonly forSni?: boolean;
}

function policyOf({ view, port, subset, mesh }: ClusterInput): TrafficPolicy {
  const policy = view.destinationRule?.policyFor(port.number, subset);
  const base = mesh.defaultTrafficPolicy;
  if (policy === undefined) return base;
  return {
    ...policy,
    connectionPool: policy.connectionPool ?? base.connectionPool,
    outlierDetection: policy.outlierDetection ?? base.outlierDetection,
  };
}

function balancer(policy: TrafficPolicy): Lb {
  switch (policy.loadBalancer?.simple) {
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

/** How the endpoints are found. */
function discovery(input: ClusterInput, name: string, policy: TrafficPolicy): Partial<Cluster> {
  const { resolution } = input.view.service;
  const passthrough = policy.loadBalancer?.simple === "PASSTHROUGH" || resolution === "NONE";
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
  const nameOf = input.forSni === true ? sniCluster : outboundCluster;
  const name = nameOf(service.hostname, input.port.number, input.subset);
  const { $typeName: _, ...found } = discovery(input, name, policy) as Cluster;
  const connect = policy.connectionPool?.tcp.connectTimeoutMs ?? input.mesh.connectTimeoutMs;
  const keepalive = tcpKeepalive(policy.connectionPool?.tcp.keepalive, input.mesh);
  const protocol = { port: input.port, pool: policy.connectionPool, mesh: input.mesh, router: input.router };
  const kind = { http2: speaksHttp2(protocol), originalDst: found.clusterDiscoveryType?.value === Type.ORIGINAL_DST };
  const transport = input.forSni === true ? PLAIN : buildTransport(policy, input, kind);
  return create(ClusterSchema, {
    ...found,
    name,
    altStatName: `${name};`,
    connectTimeout: toDuration(connect),
    circuitBreakers: circuitBreakers(policy.connectionPool),
    ...(keepalive === undefined ? {} : { upstreamConnectionOptions: keepalive }),
    ...transport.sockets,
    ...protocolOptions({ ...protocol, names: transport }),
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
