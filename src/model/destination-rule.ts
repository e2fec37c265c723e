// DestinationRule in milliseconds, with the subset's and the port's policies already merged by Istio's precedence.
import type { ClientTls } from "./tls.ts";

export type SimpleBalancer = "ROUND_ROBIN" | "LEAST_REQUEST" | "RANDOM" | "PASSTHROUGH";

export type ConsistentHashKey =
  | { readonly kind: "header"; readonly name: string }
  | {
      readonly kind: "cookie";
      readonly name: string;
      readonly path: string;
      readonly ttlMs: number | undefined;
      readonly attributes: readonly (readonly [string, string])[];
    }
  | { readonly kind: "sourceIp" }
  | { readonly kind: "queryParameter"; readonly name: string };

export interface ConsistentHash {
  readonly key: ConsistentHashKey;
  readonly algorithm:
    | { readonly kind: "ringHash"; readonly minimumRingSize: number }
    | { readonly kind: "maglev"; readonly tableSize: number | undefined };
}

export interface LocalityLb {
  readonly enabled: boolean;
  readonly distribute: readonly { readonly from: string; readonly to: Readonly<Record<string, number>> }[];
  readonly failover: readonly { readonly from: string; readonly to: string }[];
  readonly failoverPriority: readonly string[];
}

/** Endpoints of the caller's region come first, and of those as many requests stay in its zone as that can bear. */
export interface ZoneAwareLb {
  readonly enabled: boolean;
  readonly failover: LocalityLb["failover"];
  readonly failoverPriority: readonly string[];
  readonly minClusterSize: number | undefined;
}

export interface LoadBalancer {
  /** undefined = LEAST_REQUEST, Istio's default. */
  readonly simple: SimpleBalancer | undefined;
  readonly consistentHash: ConsistentHash | undefined;
  readonly localityLb: LocalityLb | undefined;
  /** In place of localityLb. */
  readonly zoneAwareLb: ZoneAwareLb | undefined;
  readonly warmup: { readonly durationMs: number; readonly minimumPercent: number; readonly aggression: number } | undefined;
}

export interface TcpKeepalive {
  readonly probes: number | undefined;
  readonly timeMs: number | undefined;
  readonly intervalMs: number | undefined;
}

export interface ConnectionPool {
  readonly tcp: {
    readonly maxConnections: number | undefined;
    readonly connectTimeoutMs: number | undefined;
    readonly keepalive: TcpKeepalive | undefined;
    readonly maxConnectionDurationMs: number | undefined;
    readonly idleTimeoutMs: number | undefined;
  };
  readonly http: {
    readonly http1MaxPendingRequests: number | undefined;
    readonly http2MaxRequests: number | undefined;
    readonly maxRequestsPerConnection: number | undefined;
    readonly maxRetries: number | undefined;
    readonly idleTimeoutMs: number | undefined;
    readonly h2UpgradePolicy: "DEFAULT" | "DO_NOT_UPGRADE" | "UPGRADE" | undefined;
    readonly useClientProtocol: boolean;
    readonly maxConcurrentStreams: number | undefined;
    /** PINGs on HTTP/2 connections: how often, and how long to wait for the answer. */
    readonly http2Keepalive: { readonly intervalMs: number; readonly timeoutMs: number } | undefined;
  };
}

export interface OutlierDetection {
  readonly consecutive5xxErrors: number | undefined;
  readonly consecutiveGatewayErrors: number | undefined;
  readonly splitExternalLocalOriginErrors: boolean;
  readonly consecutiveLocalOriginFailures: number | undefined;
  readonly intervalMs: number | undefined;
  readonly baseEjectionTimeMs: number | undefined;
  readonly maxEjectionPercent: number | undefined;
  readonly minHealthPercent: number | undefined;
  /** The statuses that are errors; none = 500 and more. */
  readonly httpErrorCodes: readonly number[];
}

export interface TrafficPolicy {
  readonly loadBalancer: LoadBalancer | undefined;
  readonly connectionPool: ConnectionPool | undefined;
  readonly outlierDetection: OutlierDetection | undefined;
  readonly tls: ClientTls | undefined;
  readonly proxyProtocol: "V1" | "V2" | undefined;
  readonly retryBudget: RetryBudget | undefined;
}

/** How many of a cluster's requests may be retries, instead of a fixed number. */
export interface RetryBudget {
  readonly percent: number | undefined;
  /** 0 = not written. */
  readonly minRetryConcurrency: number;
  /** Requests count for so long from their start on; undefined: while they are active. */
  readonly intervalMs: number | undefined;
}

/** What a rule says of byte streams. Istio reads it from the host's level only, the tunnel also from the subset's; never from a port's. */
export interface StreamSettings {
  readonly idleTimeoutMs: number | undefined;
  readonly maxConnectionDurationMs: number | undefined;
  /** Streams from one address go to one endpoint. */
  readonly hashSourceIp: boolean;
  /** The stream is wrapped in an HTTP request for this address. */
  readonly tunnel: { readonly protocol: "CONNECT" | "POST"; readonly host: string; readonly port: number } | undefined;
}

export interface Subset {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface DestinationRule {
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: number;
  /** Resolved, lower-case; may be a wildcard. */
  readonly host: string;
  readonly exportTo: readonly string[];
  /** As it stands there, in order: rules of one host become one by it. */
  readonly writtenExportTo: readonly string[];
  readonly workloadSelector: Readonly<Record<string, string>> | undefined;
  readonly subsets: readonly Subset[];
  /** The policy for one service port, of the whole service (`subset` "") or of one subset: all precedence is applied here. */
  policyFor(port: number, subset: string): TrafficPolicy;
  /** Connections go where they were going: PASSTHROUGH of the whole service, or of the subset, whatever it says of single ports. */
  passesThrough(port: number, subset: string): boolean;
  /** TLS as written for exactly this subset ("" = the whole service), without what it inherits: what endpoints are marked by. */
  writtenTlsMode(port: number, subset: string): ClientTls["mode"] | undefined;
  /** `subset`: "" = the whole service. */
  streamSettings(subset: string): StreamSettings;
  /** What requests of a route to this destination are hashed by, whether its cluster hashes or not. Port levels only count where the route names the port. */
  hashKeyFor(port: number | undefined, subset: string): ConsistentHashKey | undefined;
  /** SDS names of the secrets that its TLS settings need, at any level. */
  readonly secrets: readonly string[];
  /** Labels of the caller that some failoverPriority compares with the endpoints'. */
  readonly failoverLabels: readonly string[];
}
