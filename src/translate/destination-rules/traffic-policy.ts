// trafficPolicy of a DestinationRule → model, and Istio's precedence: subset's port, subset, host's port, host; a port level replaces everything
// (pilot/pkg/util MergeTrafficPolicy).
import { parseDuration } from "../../kit/index.ts";
import type { ConnectionPool, OutlierDetection, RetryBudget, StreamSettings, TcpKeepalive, TrafficPolicy } from "../../model/index.ts";
import { type ClientTlsSpec, toClientTls } from "../tls.ts";
import { type LoadBalancerSpec, toLoadBalancer } from "./load-balancer.ts";

export interface KeepaliveSpec {
  readonly probes?: number;
  readonly time?: string;
  readonly interval?: string;
}

export interface ConnectionPoolSpec {
  readonly tcp?: {
    readonly maxConnections?: number;
    readonly connectTimeout?: string;
    readonly tcpKeepalive?: KeepaliveSpec;
    readonly maxConnectionDuration?: string;
    readonly idleTimeout?: string;
  };
  readonly http?: {
    readonly http1MaxPendingRequests?: number;
    readonly http2MaxRequests?: number;
    readonly maxRequestsPerConnection?: number;
    readonly maxRetries?: number;
    readonly idleTimeout?: string;
    readonly h2UpgradePolicy?: "DEFAULT" | "DO_NOT_UPGRADE" | "UPGRADE";
    readonly useClientProtocol?: boolean;
    readonly maxConcurrentStreams?: number;
    readonly http2KeepAlive?: { readonly interval?: string; readonly timeout?: string };
  };
}

export interface PolicySettingsSpec {
  readonly loadBalancer?: LoadBalancerSpec;
  readonly connectionPool?: ConnectionPoolSpec;
  readonly outlierDetection?: {
    readonly consecutive5xxErrors?: number | null;
    readonly consecutiveGatewayErrors?: number | null;
    readonly splitExternalLocalOriginErrors?: boolean;
    readonly consecutiveLocalOriginFailures?: number | null;
    readonly interval?: string;
    readonly baseEjectionTime?: string;
    readonly maxEjectionPercent?: number;
    readonly minHealthPercent?: number;
    readonly outlierDetectionHttpErrorCodes?: readonly number[];
  };
  readonly tls?: ClientTlsSpec;
}

export interface TrafficPolicySpec extends PolicySettingsSpec {
  readonly tunnel?: { readonly protocol?: string; readonly targetHost?: string; readonly targetPort?: number };
  readonly proxyProtocol?: { readonly version?: "V1" | "V2" };
  readonly retryBudget?: { readonly percent?: number; readonly minRetryConcurrency?: number; readonly budgetInterval?: string };
  readonly portLevelSettings?: readonly (PolicySettingsSpec & { readonly port?: { readonly number?: number } })[];
}

function ms(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text);
}

export function toKeepalive(spec: KeepaliveSpec): TcpKeepalive {
  return { probes: spec.probes, timeMs: ms(spec.time), intervalMs: ms(spec.interval) };
}

export function toConnectionPool(spec: ConnectionPoolSpec): ConnectionPool {
  const { tcp = {}, http = {} } = spec;
  const keepalive = tcp.tcpKeepalive;
  return {
    tcp: {
      maxConnections: tcp.maxConnections,
      connectTimeoutMs: ms(tcp.connectTimeout),
      keepalive: keepalive === undefined ? undefined : toKeepalive(keepalive),
      maxConnectionDurationMs: ms(tcp.maxConnectionDuration),
      idleTimeoutMs: ms(tcp.idleTimeout),
    },
    http: {
      http1MaxPendingRequests: http.http1MaxPendingRequests,
      http2MaxRequests: http.http2MaxRequests,
      maxRequestsPerConnection: http.maxRequestsPerConnection,
      maxRetries: http.maxRetries,
      idleTimeoutMs: ms(http.idleTimeout),
      h2UpgradePolicy: http.h2UpgradePolicy,
      useClientProtocol: http.useClientProtocol === true,
      maxConcurrentStreams: http.maxConcurrentStreams,
      http2Keepalive:
        http.http2KeepAlive === undefined
          ? undefined
          : { intervalMs: ms(http.http2KeepAlive.interval) ?? 0, timeoutMs: ms(http.http2KeepAlive.timeout) ?? 0 },
    },
  };
}

function toOutlierDetection(spec: NonNullable<PolicySettingsSpec["outlierDetection"]>): OutlierDetection {
  return {
    consecutive5xxErrors: spec.consecutive5xxErrors ?? undefined,
    consecutiveGatewayErrors: spec.consecutiveGatewayErrors ?? undefined,
    splitExternalLocalOriginErrors: spec.splitExternalLocalOriginErrors === true,
    consecutiveLocalOriginFailures: spec.consecutiveLocalOriginFailures ?? undefined,
    intervalMs: ms(spec.interval),
    baseEjectionTimeMs: ms(spec.baseEjectionTime),
    maxEjectionPercent: spec.maxEjectionPercent,
    minHealthPercent: spec.minHealthPercent,
    httpErrorCodes: spec.outlierDetectionHttpErrorCodes ?? [],
  };
}

export function toSettings(spec: PolicySettingsSpec): TrafficPolicy {
  return {
    loadBalancer: spec.loadBalancer === undefined ? undefined : toLoadBalancer(spec.loadBalancer),
    connectionPool: spec.connectionPool === undefined ? undefined : toConnectionPool(spec.connectionPool),
    outlierDetection: spec.outlierDetection === undefined ? undefined : toOutlierDetection(spec.outlierDetection),
    tls: spec.tls === undefined ? undefined : toClientTls(spec.tls),
    proxyProtocol: undefined,
    retryBudget: undefined,
  };
}

/** A policy with its port levels, translated once. */
export interface LayeredPolicy {
  readonly base: TrafficPolicy;
  readonly tunnel: StreamSettings["tunnel"];
  readonly ports: ReadonlyMap<number, TrafficPolicy>;
}

export function toLayeredPolicy(spec: TrafficPolicySpec): LayeredPolicy {
  const ports = new Map<number, TrafficPolicy>();
  for (const level of spec.portLevelSettings ?? []) {
    const number = level.port?.number;
    if (number !== undefined && !ports.has(number)) ports.set(number, toSettings(level));
  }
  const proxyProtocol = spec.proxyProtocol === undefined ? undefined : (spec.proxyProtocol.version ?? "V1");
  const retryBudget = spec.retryBudget === undefined ? undefined : toRetryBudget(spec.retryBudget);
  return { base: { ...toSettings(spec), proxyProtocol, retryBudget }, tunnel: toTunnel(spec.tunnel), ports };
}

function toRetryBudget({ percent, minRetryConcurrency = 0, budgetInterval }: NonNullable<TrafficPolicySpec["retryBudget"]>): RetryBudget {
  return { percent, minRetryConcurrency, intervalMs: ms(budgetInterval) };
}

function toTunnel(spec: TrafficPolicySpec["tunnel"]): StreamSettings["tunnel"] {
  if (spec === undefined) return undefined;
  return { protocol: spec.protocol === "POST" ? "POST" : "CONNECT", host: spec.targetHost ?? "", port: spec.targetPort ?? 0 };
}

export function toStreamSettings(host: LayeredPolicy | undefined, subset: LayeredPolicy | undefined, name: string): StreamSettings {
  const tcp = host?.base.connectionPool?.tcp;
  return {
    idleTimeoutMs: tcp?.idleTimeoutMs,
    maxConnectionDurationMs: tcp?.maxConnectionDurationMs,
    hashSourceIp: (subset?.base.loadBalancer ?? host?.base.loadBalancer)?.consistentHash?.key.kind === "sourceIp",
    tunnel: name === "" ? host?.tunnel : subset?.tunnel,
  };
}

export const NO_POLICY: TrafficPolicy = Object.freeze({
  loadBalancer: undefined,
  connectionPool: undefined,
  outlierDetection: undefined,
  tls: undefined,
  proxyProtocol: undefined,
  retryBudget: undefined,
});

/** The host's policy for a port, under the subset's if there is one. Within a level each setting is taken whole. */
export function mergePolicies(host: LayeredPolicy | undefined, subset: LayeredPolicy | undefined, port: number): TrafficPolicy {
  const below = host === undefined ? NO_POLICY : (host.ports.get(port) ?? host.base);
  if (subset === undefined) return below;
  const atPort = subset.ports.get(port);
  if (host === undefined) return atPort ?? subset.base;
  // Istio's merge forgets the retry budget, the host's and the subset's.
  if (atPort !== undefined) return { ...atPort, proxyProtocol: below.proxyProtocol };
  const { base } = subset;
  return {
    retryBudget: undefined,
    loadBalancer: base.loadBalancer ?? below.loadBalancer,
    connectionPool: base.connectionPool ?? below.connectionPool,
    outlierDetection: base.outlierDetection ?? below.outlierDetection,
    tls: base.tls ?? below.tls,
    proxyProtocol: base.proxyProtocol ?? below.proxyProtocol,
  };
}
