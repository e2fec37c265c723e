// Clusters and endpoints as the proxy runs them: decoded from Envoy's Cluster and ClusterLoadAssignment, frozen.
export type LbPolicy = "ROUND_ROBIN" | "LEAST_REQUEST" | "RANDOM" | "CLUSTER_PROVIDED";

export interface CircuitBreakers {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
}

export interface ClusterConfig {
  readonly name: string;
  readonly type: "STATIC" | "EDS" | "STRICT_DNS" | "LOGICAL_DNS" | "ORIGINAL_DST";
  /** EDS: the name to ask for. */
  readonly edsServiceName: string;
  /** EDS: how long the cluster waits for its first endpoints; 0 or undefined = for ever. */
  readonly edsTimeoutMs?: number;
  readonly connectTimeoutMs: number;
  readonly lbPolicy: LbPolicy;
  readonly leastRequestChoiceCount: number;
  readonly breakers: CircuitBreakers;
  /** Idle upstream connections are closed after this; 0 = never. Envoy's default is one hour. */
  readonly idleTimeoutMs: number;
  readonly maxConnectionDurationMs: number;
  readonly maxRequestsPerConnection: number;
  readonly protocol: "http1" | "http2" | "downstream";
  readonly sourceAddress: string | undefined;
  readonly tcpKeepalive: { readonly timeMs: number | undefined } | undefined;
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
  readonly priority: number;
  readonly locality: string;
  readonly metadata: unknown;
}

export interface EndpointSet {
  readonly clusterName: string;
  readonly endpoints: readonly EndpointConfig[];
  readonly overprovisioningFactor: number;
}
