// VirtualService with every name resolved and every duration in milliseconds. Field names are Istio's.
export type StringMatch =
  | { readonly kind: "exact"; readonly value: string }
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "regex"; readonly value: string }
  /** `{}`, null, or regex `*`: the header or parameter is there. */
  | { readonly kind: "present" };

export interface Destination {
  /** Resolved to a full name in the VirtualService's namespace, where Istio resolves it. */
  readonly host: string;
  readonly subset: string;
  /** undefined: the only port of the service, else the listener's. */
  readonly port: number | undefined;
}

export interface HeaderOperations {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
}

export interface Headers {
  readonly request: HeaderOperations;
  readonly response: HeaderOperations;
}

export interface WeightedDestination {
  readonly destination: Destination;
  readonly weight: number;
  readonly headers: Headers | undefined;
}

/** What only the control plane evaluates, against the proxy: port, source and gateway of one match. */
export interface MatchScope {
  readonly port: number | undefined;
  readonly sourceLabels: Readonly<Record<string, string>>;
  readonly sourceNamespace: string;
  /** Resolved gateway names (`mesh`, `ns/name`); empty = those of the VirtualService. */
  readonly gateways: readonly string[];
}

export interface HttpMatch {
  readonly name: string;
  readonly scope: MatchScope;
  readonly uri: StringMatch | undefined;
  readonly ignoreUriCase: boolean;
  readonly scheme: StringMatch | undefined;
  readonly method: StringMatch | undefined;
  readonly authority: StringMatch | undefined;
  readonly headers: readonly (readonly [name: string, match: StringMatch])[];
  readonly withoutHeaders: readonly (readonly [name: string, match: StringMatch])[];
  readonly queryParams: readonly (readonly [name: string, match: StringMatch])[];
  readonly statPrefix: string;
}

export interface Redirect {
  readonly uri: string | undefined;
  readonly authority: string | undefined;
  readonly port: number | undefined;
  readonly derivePort: "FROM_PROTOCOL_DEFAULT" | "FROM_REQUEST_PORT" | undefined;
  readonly scheme: string | undefined;
  readonly redirectCode: number;
  readonly prefixRewrite: string | undefined;
}

export interface DirectResponse {
  readonly status: number;
  readonly body: { readonly text: string } | { readonly bytes: Uint8Array } | undefined;
}

export interface Rewrite {
  readonly uri: string | undefined;
  readonly authority: string | undefined;
  readonly uriRegexRewrite: { readonly match: string; readonly rewrite: string } | undefined;
}

export interface Retries {
  /** 0 = no retries. */
  readonly attempts: number;
  readonly perTryTimeoutMs: number | undefined;
  /** undefined: not written; Istio's default list then applies. */
  readonly retryOn: string | undefined;
  readonly retryRemoteLocalities: boolean;
  readonly retryIgnorePreviousHosts: boolean | undefined;
  readonly backoffMs: number | undefined;
}

export interface HttpFault {
  readonly delay: { readonly fixedDelayMs: number; readonly percentage: number } | undefined;
  readonly abort:
    | { readonly httpStatus: number | undefined; readonly grpcStatus: string | undefined; readonly percentage: number }
    | undefined;
}

export interface Mirror {
  readonly destination: Destination;
  /** 0–100. */
  readonly percentage: number;
}

export interface CorsPolicy {
  readonly allowOrigins: readonly StringMatch[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeMs: number | undefined;
  readonly allowCredentials: boolean | undefined;
  readonly unmatchedPreflights: "FORWARD" | "IGNORE" | undefined;
}

export interface HttpRoute {
  readonly name: string;
  /** Empty = matches all. */
  readonly match: readonly HttpMatch[];
  readonly route: readonly WeightedDestination[];
  readonly redirect: Redirect | undefined;
  readonly directResponse: DirectResponse | undefined;
  readonly rewrite: Rewrite | undefined;
  /** undefined or 0 = none. */
  readonly timeoutMs: number | undefined;
  readonly retries: Retries | undefined;
  readonly fault: HttpFault | undefined;
  readonly mirrors: readonly Mirror[];
  readonly corsPolicy: CorsPolicy | undefined;
  readonly headers: Headers | undefined;
  /** Weights are shares of users: who has a version keeps it while its weight does not fall. */
  readonly stickyShares: boolean;
}

export interface TcpMatch {
  readonly scope: MatchScope;
  readonly destinationSubnets: readonly string[];
}

export interface TcpRoute {
  readonly match: readonly TcpMatch[];
  readonly route: readonly WeightedDestination[];
}

export interface TlsMatch extends TcpMatch {
  readonly sniHosts: readonly string[];
}

export interface TlsRoute {
  readonly match: readonly TlsMatch[];
  readonly route: readonly WeightedDestination[];
}

export interface VirtualService {
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: number;
  /** Resolved, lower-case; may be wildcards. */
  readonly hosts: readonly string[];
  /** `mesh` or `namespace/name`. */
  readonly gateways: readonly string[];
  readonly exportTo: readonly string[];
  /** Delegates are already merged in. */
  readonly http: readonly HttpRoute[];
  readonly tls: readonly TlsRoute[];
  readonly tcp: readonly TcpRoute[];
}
