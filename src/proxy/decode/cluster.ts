// Envoy's Cluster and ClusterLoadAssignment → what the proxy runs.
import {
  type Cluster,
  Cluster_DiscoveryType as Type,
  Cluster_LbPolicy as Lb,
  ClusterLoadAssignmentSchema,
  type ClusterLoadAssignment,
  ClusterSchema,
  durationMs,
  fromBinary,
  HealthStatus,
  RoutingPriority,
  unpackAny,
  type UpstreamHttpProtocolOptions,
  UpstreamHttpProtocolOptionsSchema,
} from "../../envoy-api/index.ts";
import type { CircuitBreakers, ClusterConfig, EndpointConfig, EndpointSet, LbPolicy } from "../config/index.ts";
import { guard, refuse } from "./guard.ts";

const TYPES: Readonly<Partial<Record<Type, ClusterConfig["type"]>>> = {
  [Type.STATIC]: "STATIC",
  [Type.EDS]: "EDS",
  [Type.STRICT_DNS]: "STRICT_DNS",
  [Type.LOGICAL_DNS]: "LOGICAL_DNS",
  [Type.ORIGINAL_DST]: "ORIGINAL_DST",
};

const POLICIES: Readonly<Partial<Record<Lb, LbPolicy>>> = {
  [Lb.ROUND_ROBIN]: "ROUND_ROBIN",
  [Lb.LEAST_REQUEST]: "LEAST_REQUEST",
  [Lb.RANDOM]: "RANDOM",
  [Lb.CLUSTER_PROVIDED]: "CLUSTER_PROVIDED",
};

const OPTIONS_KEY = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const DEFAULT_CONNECT_MS = 5000;
const DEFAULT_IDLE_MS = 3_600_000;
const DEFAULT_BREAKERS: CircuitBreakers = { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3 };

const CLUSTER_FIELDS = {
  used: [
    "name",
    "type",
    "eds_cluster_config",
    "connect_timeout",
    "lb_policy",
    "least_request_lb_config",
    "load_assignment",
    "circuit_breakers",
    "http2_protocol_options",
    "typed_extension_protocol_options",
    "upstream_bind_config",
    "upstream_connection_options",
    "common_lb_config",
    "per_connection_buffer_limit_bytes",
  ],
  inert: [
    "alt_stat_name",
    "metadata",
    "dns_refresh_rate",
    "respect_dns_ttl",
    "dns_lookup_family",
    "dns_failure_refresh_rate",
    "track_cluster_stats",
    "wait_for_warm_on_init",
  ],
};

export function decodeCluster(bytes: Uint8Array): ClusterConfig {
  return toCluster(fromBinary(ClusterSchema, bytes));
}

export function toCluster(message: Cluster): ClusterConfig {
  const path = `cluster ${message.name}`;
  guard(ClusterSchema, message, { ...CLUSTER_FIELDS, path });
  if (message.name === "") refuse("cluster", "has no name");
  const type = discoveryType(message, path);
  const http = protocolOptions(message, path);
  const lbPolicy = POLICIES[message.lbPolicy];
  if (lbPolicy === undefined) refuse(`${path}.lb_policy`, `${Lb[message.lbPolicy]} is not supported yet`);
  const keepalive = message.upstreamConnectionOptions?.tcpKeepalive;
  const source = message.upstreamBindConfig?.sourceAddress?.address;
  return Object.freeze({
    name: message.name,
    type,
    edsServiceName: message.edsClusterConfig?.serviceName || message.name,
    connectTimeoutMs: message.connectTimeout === undefined ? DEFAULT_CONNECT_MS : durationMs(message.connectTimeout),
    lbPolicy: lbPolicy ?? "ROUND_ROBIN",
    leastRequestChoiceCount: message.lbConfig.case === "leastRequestLbConfig" ? (message.lbConfig.value.choiceCount ?? 2) : 2,
    breakers: breakersOf(message),
    idleTimeoutMs: http.idleTimeoutMs,
    maxConnectionDurationMs: http.maxConnectionDurationMs,
    maxRequestsPerConnection: http.maxRequestsPerConnection,
    protocol: http.protocol,
    sourceAddress: type === "ORIGINAL_DST" ? undefined : source,
    tcpKeepalive:
      keepalive === undefined ? undefined : { timeMs: keepalive.keepaliveTime === undefined ? undefined : keepalive.keepaliveTime * 1000 },
    panicThreshold: message.commonLbConfig?.healthyPanicThreshold?.value ?? 50,
    endpoints: message.loadAssignment === undefined ? undefined : toEndpointSet(message.loadAssignment),
    altStatName: message.altStatName,
    metadata: message.metadata,
  });
}

function discoveryType(message: Cluster, path: string): ClusterConfig["type"] {
  const kind = message.clusterDiscoveryType;
  if (kind.case === "clusterType") return refuse(`${path}.cluster_type`, `${kind.value.name} is not supported yet`);
  const type = TYPES[kind.case === "type" ? kind.value : Type.STATIC];
  return type ?? refuse(`${path}.type`, "is not supported");
}

function breakersOf(message: Cluster): CircuitBreakers {
  const found = message.circuitBreakers?.thresholds.find((t) => t.priority === RoutingPriority.DEFAULT);
  if (found === undefined) return DEFAULT_BREAKERS;
  return {
    maxConnections: found.maxConnections ?? DEFAULT_BREAKERS.maxConnections,
    maxPendingRequests: found.maxPendingRequests ?? DEFAULT_BREAKERS.maxPendingRequests,
    maxRequests: found.maxRequests ?? DEFAULT_BREAKERS.maxRequests,
    maxRetries: found.maxRetries ?? DEFAULT_BREAKERS.maxRetries,
  };
}

interface HttpOptions {
  readonly protocol: ClusterConfig["protocol"];
  readonly idleTimeoutMs: number;
  readonly maxConnectionDurationMs: number;
  readonly maxRequestsPerConnection: number;
}

function protocolOptions(message: Cluster, path: string): HttpOptions {
  for (const key of Object.keys(message.typedExtensionProtocolOptions)) {
    if (key !== OPTIONS_KEY) refuse(`${path}.typed_extension_protocol_options`, `${key} is not supported yet`);
  }
  const any = message.typedExtensionProtocolOptions[OPTIONS_KEY];
  const options = any === undefined ? undefined : unpackAny(UpstreamHttpProtocolOptionsSchema, any);
  const base = { idleTimeoutMs: DEFAULT_IDLE_MS, maxConnectionDurationMs: 0, maxRequestsPerConnection: 0 };
  if (options === undefined) return { ...base, protocol: message.http2ProtocolOptions === undefined ? "http1" : "http2" };
  guard(UpstreamHttpProtocolOptionsSchema, options, {
    used: ["common_http_protocol_options", "explicit_http_config", "use_downstream_protocol_config"],
    path: `${path}.typed_extension_protocol_options`,
  });
  const common = options.commonHttpProtocolOptions;
  return {
    protocol: versionOf(options, path),
    idleTimeoutMs: common?.idleTimeout === undefined ? base.idleTimeoutMs : durationMs(common.idleTimeout),
    maxConnectionDurationMs: common?.maxConnectionDuration === undefined ? 0 : durationMs(common.maxConnectionDuration),
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? 0,
  };
}

function versionOf(options: UpstreamHttpProtocolOptions, path: string): ClusterConfig["protocol"] {
  const { upstreamProtocolOptions: kind } = options;
  if (kind.case === "useDownstreamProtocolConfig") return "downstream";
  if (kind.case !== "explicitHttpConfig") return "http1";
  const explicit = kind.value.protocolConfig.case;
  if (explicit === "http3ProtocolOptions") return refuse(`${path}.http3_protocol_options`, "HTTP/3 is not supported");
  return explicit === "http2ProtocolOptions" ? "http2" : "http1";
}

export function decodeEndpoints(bytes: Uint8Array): EndpointSet {
  return toEndpointSet(fromBinary(ClusterLoadAssignmentSchema, bytes));
}

function toEndpointSet(message: ClusterLoadAssignment): EndpointSet {
  const path = `endpoints ${message.clusterName}`;
  guard(ClusterLoadAssignmentSchema, message, { used: ["cluster_name", "endpoints", "policy"], path });
  const endpoints: EndpointConfig[] = [];
  for (const group of message.endpoints) {
    const { locality } = group;
    const place = locality === undefined ? "" : [locality.region, locality.zone, locality.subZone].join("/").replace(/\/+$/, "");
    for (const host of group.lbEndpoints) {
      if (host.hostIdentifier.case !== "endpoint") return refuse(path, "endpoint_name is not supported");
      const { address, hostname } = host.hostIdentifier.value;
      const at = address?.address;
      if (at?.case === "socketAddress") {
        const port = at.value.portSpecifier.case === "portValue" ? at.value.portSpecifier.value : 0;
        endpoints.push(endpointOf(host, { address: at.value.address, port, hostname, priority: group.priority, locality: place }));
      } else if (at?.case === "pipe")
        endpoints.push(
          endpointOf(host, { address: `unix://${at.value.path}`, port: 0, hostname, priority: group.priority, locality: place }),
        );
      else refuse(path, `an endpoint's address is neither a socket nor a pipe`);
    }
  }
  return Object.freeze({
    clusterName: message.clusterName,
    endpoints: Object.freeze(endpoints),
    overprovisioningFactor: message.policy?.overprovisioningFactor ?? 140,
  });
}

type Host = ClusterLoadAssignment["endpoints"][number]["lbEndpoints"][number];

function endpointOf(host: Host, place: Omit<EndpointConfig, "weight" | "healthy" | "metadata">): EndpointConfig {
  const healthy = host.healthStatus === HealthStatus.UNKNOWN || host.healthStatus === HealthStatus.HEALTHY;
  return { ...place, weight: host.loadBalancingWeight ?? 1, healthy, metadata: host.metadata };
}
