// Outbound clusters: one per service port and subset (Istio networking/core/cluster_builder.go, cluster_traffic_policy.go).
import {
  type Cluster,
  Cluster_DiscoveryType as Type,
  Cluster_DnsLookupFamily as DnsFamily,
  ClusterSchema,
  create,
  dnsJitter,
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
import { type CallerPlace, groupsFor, type LocalityRule, localityRule } from "../endpoints/locality.ts";
import { buildBalancing } from "./balancing.ts";
import { circuitBreakers } from "./circuit-breakers.ts";
import { dynamicDiscovery } from "./dynamic.ts";
import { protocolOptions, speaksHttp2 } from "./protocol-options.ts";
import { statName } from "./stat-name.ts";
import { tcpKeepalive } from "./tcp-keepalive.ts";
import { buildTransport, PLAIN } from "./transport.ts";

/** Istio's own: proxies do not all ask at one moment. */
const DNS_JITTER_MS = 100;

export interface ClusterInput {
  readonly view: ServiceView;
  readonly port: ServicePort;
  /** "" = the whole service. */
  readonly subset: string;
  readonly mesh: MeshSettings;
  /** Original destination needs captured traffic; a gateway has none and uses endpoints. */
  readonly router: boolean;
  /** For clusters that carry their endpoints (DNS): those, and where the caller is. */
  readonly endpoints: readonly Endpoint[];
  /** The proxy has a secret server, and with it a mesh identity. */
  readonly secretServer: boolean;
  /** Identities of the workloads behind the service, and the names its ServiceEntry gives its servers. */
  readonly accounts: readonly string[];
  /** Endpoints may take the mesh's own TLS; where they are not known one by one, all of them do. */
  readonly autoMtls: boolean;
  /** For AUTO_PASSTHROUGH: under the name that callers ask for, and without TLS of its own. */
  readonly forSni?: boolean;
  readonly place: CallerPlace;
}

type ClusterChoice = Pick<ClusterInput, "view" | "port" | "subset" | "mesh">;

function policyOf({ view, port, subset, mesh }: ClusterChoice): TrafficPolicy {
  const policy = view.destinationRule?.policyFor(port.number, subset);
  const base = mesh.defaultTrafficPolicy;
  if (policy === undefined) return base;
  return {
    ...policy,
    connectionPool: policy.connectionPool ?? base.connectionPool,
    outlierDetection: policy.outlierDetection ?? base.outlierDetection,
  };
}

function isOriginalDestination({ view, port, subset, router }: ClusterInput): boolean {
  if (view.service.resolution === "NONE" && !router) return true;
  return view.destinationRule?.passesThrough(port.number, subset) === true;
}

/** undefined: callers everywhere get the same endpoints. */
export function localityRuleOf(choice: ClusterChoice): LocalityRule | undefined {
  return localityRule(policyOf(choice), choice.view.service, choice.mesh);
}

/** How the endpoints are found. */
function discovery(input: ClusterInput, name: string): Partial<Cluster> {
  const { resolution } = input.view.service;
  if (resolution === "DYNAMIC_DNS") return {};
  if (isOriginalDestination(input)) return { clusterDiscoveryType: { case: "type", value: Type.ORIGINAL_DST } };
  if (resolution === "DNS" || resolution === "DNS_ROUND_ROBIN") {
    return {
      clusterDiscoveryType: { case: "type", value: resolution === "DNS" ? Type.STRICT_DNS : Type.LOGICAL_DNS },
      dnsLookupFamily: DnsFamily.V4_ONLY,
      dnsRefreshRate: toDuration(input.mesh.dnsRefreshRateMs),
      respectDnsTtl: true,
      loadAssignment: buildLoadAssignment(
        name,
        groupsFor(input.endpoints, { rule: localityRuleOf(input), place: input.place, ignoreLabels: true }),
      ),
    };
  }
  const eds = { edsConfig: adsSource({ waitForever: true }), serviceName: name };
  return create(ClusterSchema, { clusterDiscoveryType: { case: "type", value: Type.EDS }, edsClusterConfig: eds });
}

export function buildOutboundCluster(input: ClusterInput): Cluster {
  const { service } = input.view;
  const policy = policyOf(input);
  const nameOf = input.forSni === true ? sniCluster : outboundCluster;
  const name = nameOf(service.hostname, input.port.number, input.subset);
  const { $typeName: _, ...found } = discovery(input, name) as Cluster;
  const connect = policy.connectionPool?.tcp.connectTimeoutMs ?? input.mesh.connectTimeoutMs;
  const keepalive = tcpKeepalive(policy.connectionPool?.tcp.keepalive, input.mesh);
  const protocol = { port: input.port, pool: policy.connectionPool, mesh: input.mesh, router: input.router };
  const dynamic = service.resolution === "DYNAMIC_DNS";
  const kind = { http2: speaksHttp2(protocol), originalDst: found.clusterDiscoveryType?.value === Type.ORIGINAL_DST, dynamic };
  const transport = input.forSni === true ? PLAIN : buildTransport(policy, input, kind);
  const cluster = create(ClusterSchema, {
    ...found,
    ...buildBalancing({ policy, service, mesh: input.mesh, originalDestination: isOriginalDestination(input), port: input.port }),
    ...(dynamic ? dynamicDiscovery(transport) : {}),
    name,
    altStatName: statName(input.mesh.outboundClusterStatName, name, {
      ...service,
      subset: input.subset,
      port: input.port.number,
      portName: input.port.name,
      targetPort: 0,
    }),
    connectTimeout: toDuration(connect),
    circuitBreakers: circuitBreakers(policy.connectionPool, policy.retryBudget),
    ...(keepalive === undefined ? {} : { upstreamConnectionOptions: keepalive }),
    ...transport.sockets,
    ...protocolOptions({ ...protocol, names: transport, errorCodes: policy.outlierDetection?.httpErrorCodes ?? [] }),
    metadata: {
      filterMetadata: {
        istio: {
          services: [{ host: service.hostname, name: service.name, namespace: service.namespace }],
          ...(input.subset === "" ? {} : { subset: input.subset }),
        },
      },
    },
  } as never);
  return found.respectDnsTtl ? { ...cluster, ...dnsJitter(DNS_JITTER_MS) } : cluster;
}

/** Clusters whose endpoints come by EDS. */
export function usesEds(cluster: Cluster): boolean {
  return cluster.clusterDiscoveryType.case === "type" && cluster.clusterDiscoveryType.value === Type.EDS;
}
