// Clusters whose requests bring the name of the host to go to: ServiceEntries with resolution DYNAMIC_DNS, and all that is unknown where the mesh
// says ALLOW_ANY_DYNAMIC_DNS (Istio after 1.29, networking/core/cluster_builder.go buildDFPCluster, buildAllowAnyDFPCluster).
import {
  type Cluster,
  Cluster_LbPolicy as Lb,
  ClusterSchema,
  create,
  DynamicForwardProxyClusterSchema,
  packAny,
  toDuration,
} from "../../envoy-api/index.ts";
import { DYNAMIC_CLUSTER, type MeshSettings } from "../../model/index.ts";
import { dnsCache } from "../dns-cache.ts";
import { upstreamSocket } from "../tls/sockets.ts";
import { buildClientTls } from "../tls/upstream.ts";
import { circuitBreakers } from "./circuit-breakers.ts";
import { PASSTHROUGH_POOL } from "./fixed.ts";
import { protocolOptions } from "./protocol-options.ts";
import { tcpKeepalive } from "./tcp-keepalive.ts";

/** What follows the request's host. Envoy wants both, or to be told that it is meant. */
interface Follows {
  readonly autoSni: boolean;
  readonly autoSanValidation: boolean;
}

export function dynamicDiscovery({ autoSni, autoSanValidation }: Follows): Pick<Cluster, "clusterDiscoveryType" | "lbPolicy"> {
  const config = create(DynamicForwardProxyClusterSchema, {
    clusterImplementationSpecifier: { case: "dnsCacheConfig", value: dnsCache() },
    allowInsecureClusterOptions: !(autoSni && autoSanValidation),
  });
  const { clusterDiscoveryType } = create(ClusterSchema, {
    clusterDiscoveryType: {
      case: "clusterType",
      value: { name: "envoy.clusters.dynamic_forward_proxy", typedConfig: packAny(DynamicForwardProxyClusterSchema, config) },
    },
  });
  return { clusterDiscoveryType, lbPolicy: Lb.CLUSTER_PROVIDED };
}

export function buildAllowAnyDynamic(mesh: MeshSettings, secretServer: boolean): Cluster {
  const { outboundTls: tls } = mesh;
  const encrypted = tls !== undefined && tls.mode !== "DISABLE";
  const autoSni = encrypted && tls.sni === "";
  const follows: Follows = { autoSni, autoSanValidation: encrypted && !tls.insecureSkipVerify };
  const keepalive = tcpKeepalive(undefined, mesh);
  const context = encrypted
    ? buildClientTls(tls, { defaults: mesh.tlsDefaults, subjectAltNames: tls.subjectAltNames ?? [], secretServer, http2: false })
    : undefined;
  return create(ClusterSchema, {
    name: DYNAMIC_CLUSTER,
    altStatName: `${DYNAMIC_CLUSTER};`,
    ...dynamicDiscovery(follows),
    connectTimeout: toDuration(mesh.connectTimeoutMs),
    circuitBreakers: circuitBreakers(undefined),
    ...(keepalive === undefined ? {} : { upstreamConnectionOptions: keepalive }),
    ...(context === undefined ? {} : { transportSocket: upstreamSocket(context) }),
    ...protocolOptions({ port: { protocol: "UNSUPPORTED" }, pool: PASSTHROUGH_POOL, mesh, router: false, names: follows }),
  } as never);
}
