// How a cluster spreads requests over its endpoints and which endpoints it leaves out for a while: decoded from Envoy's Cluster, frozen.
export type LbPolicy = "ROUND_ROBIN" | "LEAST_REQUEST" | "RANDOM" | "RING_HASH" | "MAGLEV" | "CLUSTER_PROVIDED";

/** A new endpoint's weight grows from `minWeight` (a share) to all of it over the window: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/slow_start */
export interface SlowStart {
  readonly windowMs: number;
  readonly aggression: number;
  readonly minWeight: number;
}

/** Counts only in a proxy that knows its own cluster. */
export interface ZoneRouting {
  /** Per cent of the requests. */
  readonly routingEnabled: number;
  /** Healthy hosts that a cluster has at least. */
  readonly minClusterSize: number;
  readonly failOnPanic: boolean;
}

export interface Balancing {
  /** least_request: the weight is divided by (active requests + 1) to this power. */
  readonly activeRequestBias: number;
  readonly slowStart: SlowStart | undefined;
  readonly ring: { readonly minimumSize: number; readonly maximumSize: number };
  readonly maglevTableSize: number;
  /** Hashing balancers place an endpoint by its name instead of its address. */
  readonly hashHostname: boolean;
  /** Localities get the load their weights say. */
  readonly localityWeighted: boolean;
  /** Where localities have no weights: what is kept in the proxy's own. undefined: nothing. */
  readonly zones?: ZoneRouting | undefined;
  /** In panic no host is used at all. */
  readonly failOnPanic?: boolean;
  /** Within it, changes of hosts' health reach the picker together; 0 = each at once. */
  readonly mergeWindowMs: number;
  readonly originalDestination: OriginalDestination;
}

/** Where an ORIGINAL_DST cluster finds the address: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/service_discovery#original-destination */
export interface OriginalDestination {
  /** Lower case; undefined: no header decides. */
  readonly header: string | undefined;
  readonly port: number | undefined;
  /** How often unused addresses are forgotten. */
  readonly cleanupMs: number;
}

/** What is seen of an answer's head. */
export interface AnswerLines {
  readonly status: number;
  headerLines(name: string): readonly string[];
}

export type AnswerTest = (answer: AnswerLines) => boolean;

/** https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier */
export interface OutlierDetection {
  /** Which answers are errors; undefined: those of 500 and more. */
  readonly isError?: AnswerTest | undefined;
  readonly intervalMs: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  readonly maxEjectionJitterMs: number;
  readonly maxEjectionPercent: number;
  readonly alwaysEjectOneHost: boolean;
  /** Failures of the connection are counted on their own. */
  readonly splitLocalOrigin: boolean;
  readonly consecutive: Readonly<Record<ConsecutiveKind, Enforced>>;
  readonly successRate: {
    readonly minimumHosts: number;
    readonly requestVolume: number;
    /** In standard deviations. */
    readonly deviations: number;
    readonly enforcing: number;
    readonly enforcingLocalOrigin: number;
  };
  readonly failurePercentage: {
    readonly threshold: number;
    readonly minimumHosts: number;
    readonly requestVolume: number;
    readonly enforcing: number;
    readonly enforcingLocalOrigin: number;
  };
}

export type ConsecutiveKind = "5xx" | "gateway_failure" | "local_origin_failure";

/** `count` in a row is an outlier, which is ejected in `enforcing` per cent of all cases. */
export interface Enforced {
  readonly count: number;
  readonly enforcing: number;
}
