// Clusters and endpoints as the proxy runs them: decoded from Envoy's Cluster and ClusterLoadAssignment, frozen.
import type { Http2Limits } from "./http2-limits.ts";
import type { Balancing, LbPolicy, OutlierDetection } from "./balancing-config.ts";
import type { DnsCacheConfig, DnsConfig } from "./dns-config.ts";
import type { TransportMatch, UpstreamTransport } from "./tls-config.ts";

export interface RetryBudget {
  readonly percent: number;
  readonly minConcurrency: number;
  /** Requests count for so long from their start on; 0: while they are active. */
  readonly intervalMs: number;
}

export interface CircuitBreakers {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  /** In place of maxRetries: a share of the requests may be retries, and always so many. */
  readonly retryBudget?: RetryBudget | undefined;
}

/** What is undefined stays as the system has it. */
export interface TcpKeepalive {
  readonly timeMs: number | undefined;
  readonly intervalMs: number | undefined;
  readonly probes: number | undefined;
}

export interface AutoSni {
  readonly sni: boolean;
  readonly sanValidation: boolean;
  /** Lower case; "" = the request's host. */
  readonly header: string;
}

export interface ClusterConfig {
  readonly name: string;
  /** DYNAMIC: each request's own host. */
  readonly type: "STATIC" | "EDS" | "STRICT_DNS" | "LOGICAL_DNS" | "ORIGINAL_DST" | "DYNAMIC";
  /** EDS: the name to ask for. */
  readonly edsServiceName: string;
  /** EDS: how long the cluster waits for its first endpoints; 0 or undefined = for ever. */
  readonly edsTimeoutMs?: number;
  /** For endpoints that are names; undefined = Envoy's defaults. */
  readonly dns?: DnsConfig | undefined;
  /** DYNAMIC: where names are kept. */
  readonly dnsCache?: DnsCacheConfig | undefined;
  readonly connectTimeoutMs: number;
  readonly lbPolicy: LbPolicy;
  readonly leastRequestChoiceCount: number;
  readonly balancing: Balancing;
  readonly outliers: OutlierDetection | undefined;
  readonly breakers: CircuitBreakers;
  /** Idle upstream connections are closed after this; 0 = never. Envoy's default is one hour. */
  readonly idleTimeoutMs: number;
  readonly maxConnectionDurationMs: number;
  readonly maxRequestsPerConnection: number;
  /** `downstream`: what the caller speaks. */
  readonly protocol: "http1" | "http2" | "downstream";
  /** HTTP/1: trailers are sent and taken. */
  readonly http1Trailers: boolean;
  /** Lines that the head of an HTTP/1 answer may have. */
  readonly maxHeadersCount: number;
  /** HTTP/1 header names of answers keep their letters' case. */
  readonly keepsHeaderCase: boolean;
  /** What of HTTP/2's settings and bounds is not Envoy's default. */
  readonly http2: Partial<Http2Limits>;
  readonly sourceAddress: string | undefined;
  readonly tcpKeepalive: TcpKeepalive | undefined;
  /** undefined = plain text. */
  readonly transport: UpstreamTransport | undefined;
  /** The first that an endpoint's metadata fits counts instead. */
  readonly transportMatches: readonly TransportMatch[];
  /** The name sent, and the name the upstream must have, follow each request; undefined = they do not. */
  readonly autoSni: AutoSni | undefined;
  readonly panicThreshold: number;
  /** Endpoints that came with the cluster itself (not EDS). */
  readonly endpoints: EndpointSet | undefined;
  readonly altStatName: string;
  readonly metadata: unknown;
}

export interface EndpointConfig {
  readonly address: string;
  readonly port: number;
  readonly hostname: string;
  readonly weight: number;
  readonly healthy: boolean;
  /** Healthy, but only to be used when the others are not enough. */
  readonly degraded: boolean;
  readonly priority: number;
  /** `region/zone/sub_zone`, "" = none. */
  readonly locality: string;
  /** Of its locality within its priority; 0 when none is given. */
  readonly localityWeight: number;
  /** Metadata that chooses among the cluster's transports; undefined = none. */
  readonly transportMatch: Readonly<Record<string, unknown>> | undefined;
  readonly metadata: unknown;
}

export interface EndpointSet {
  readonly clusterName: string;
  readonly endpoints: readonly EndpointConfig[];
  readonly overprovisioningFactor: number;
  /** A priority's health is that of its weights, not of its heads. */
  readonly weightedPriorityHealth?: boolean;
}
