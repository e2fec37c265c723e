// Routes as the proxy runs them: decoded from Envoy's RouteConfiguration, frozen, compiled for lookup by router/match.
// Behaviour: Envoy's config.route.v3 route_components.

/** How the router reads a request. The HTTP/1 head implements it lazily on its own text; nothing is copied that no rule asks for. */
export interface RequestView {
  readonly method: string;
  /** Path and query exactly as they will be forwarded (normalised once, before matching). */
  readonly path: string;
  /** Host / :authority raw. */
  readonly authority: string;
  readonly scheme: string;
  /** Every line of a header in order (name in lower case); latin1, i.e. one char per byte. Pseudo headers `:path`, `:method`, `:authority`, `:scheme` and `host` answer too. */
  headerLines(name: string): readonly string[];
}

/** Tests text that holds one byte per char. */
export type TextMatcher = (value: string) => boolean;

export interface HeaderMatcher {
  readonly name: string;
  readonly invert: boolean;
  readonly treatMissingAsEmpty: boolean;
  /** undefined = present_match(true). */
  readonly test: TextMatcher | undefined;
  /** present_match: false. */
  readonly absent: boolean;
  /** For explain: what it tests, in words. */
  readonly describe: string;
}

export interface QueryParameterMatcher {
  readonly name: string;
  readonly test: TextMatcher | undefined;
  readonly describe: string;
}

export type PathMatcher =
  | { readonly kind: "prefix"; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: "exact"; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: "regex"; readonly source: string; readonly test: TextMatcher }
  | { readonly kind: "separatedPrefix"; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: "connect" };

export interface RouteMatch {
  readonly path: PathMatcher;
  readonly headers: readonly HeaderMatcher[];
  readonly queryParameters: readonly QueryParameterMatcher[];
  /** runtime_fraction as a share in [0, 1]; undefined = always. */
  readonly fraction: number | undefined;
  readonly grpcOnly: boolean;
}

export type AppendAction = "APPEND_IF_EXISTS_OR_ADD" | "ADD_IF_ABSENT" | "OVERWRITE_IF_EXISTS_OR_ADD" | "OVERWRITE_IF_EXISTS";

/** A header value: literal, or with substitutions (`%REQ(x)%`), compiled once. */
export interface HeaderValue {
  readonly literal: string | undefined;
  /** The format's source, for config_dump and for the compiler in observe/format. */
  readonly format: string;
}

export interface HeaderMutation {
  /** Lower case. */
  readonly name: string;
  readonly value: HeaderValue;
  readonly action: AppendAction;
  readonly keepEmpty: boolean;
}

export interface HeaderMutations {
  readonly add: readonly HeaderMutation[];
  /** Lower case. */
  readonly remove: readonly string[];
}

/** What a route, a virtual host or a whole table says to one of its HTTP filters. */
export interface PerFilterConfig {
  /** Type of its config; "" when there is only `disabled`. */
  readonly typeUrl: string;
  readonly config: unknown;
  readonly disabled: boolean;
}

/** By the filter's name in the chain. */
export type PerFilter = ReadonlyMap<string, PerFilterConfig>;

export interface WeightedCluster {
  readonly name: string;
  readonly weight: number;
  readonly request: HeaderMutations;
  readonly response: HeaderMutations;
  readonly hostRewrite: string | undefined;
}

/** Where a request's key comes from; with `terminal`, later ones only count when this one gave nothing. */
export type HashPolicy = { readonly terminal: boolean } & (
  | {
      readonly kind: "header";
      /** Lower case. */
      readonly name: string;
      readonly rewrite: { readonly substitute: (value: string) => string } | undefined;
    }
  | {
      readonly kind: "cookie";
      readonly name: string;
      readonly path: string;
      /** Whole seconds; 0 = until the browser closes. undefined: none is issued. */
      readonly ttlSeconds: number | undefined;
      readonly attributes: readonly (readonly [name: string, value: string])[];
    }
  | { readonly kind: "sourceIp" }
  | { readonly kind: "query"; readonly name: string }
);

export type ClusterSpecifier =
  | { readonly kind: "cluster"; readonly name: string }
  | {
      readonly kind: "weighted";
      readonly clusters: readonly WeightedCluster[];
      readonly total: number;
      readonly headerName: string | undefined;
      /** The route's hash policy draws the cluster: one key, one cluster. */
      readonly useHashPolicy?: boolean;
    }
  | { readonly kind: "header"; readonly header: string };

/** Requests are copied to another cluster, whose answers nobody sees. */
export interface MirrorPolicy {
  readonly cluster: Extract<ClusterSpecifier, { kind: "cluster" | "header" }>;
  /** In [0, 1]; undefined = all. */
  readonly fraction: number | undefined;
  /** The copy's host gets `-shadow` at its end. */
  readonly shadowSuffix: boolean;
}

export interface RetryPolicy {
  /** Parsed retry_on: e.g. "5xx", "gateway-error", "reset", "connect-failure", "refused-stream", "retriable-status-codes", "cancelled", "unavailable", … */
  readonly on: ReadonlySet<string>;
  readonly numRetries: number;
  readonly perTryTimeoutMs: number | undefined;
  readonly perTryIdleTimeoutMs: number | undefined;
  readonly retriableStatusCodes: ReadonlySet<number>;
  /** Of answers, for "retriable-headers". */
  readonly retriableHeaders: readonly HeaderMatcher[];
  /** Only requests that one of these fits are tried again; none = all. */
  readonly retriableRequestHeaders: readonly HeaderMatcher[];
  readonly avoidPreviousHosts: boolean;
  readonly hostSelectionMaxAttempts: number;
  readonly previousPriorities: number | undefined;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

export interface ForwardAction {
  readonly kind: "forward";
  readonly cluster: ClusterSpecifier;
  readonly clusterNotFoundStatus: number;
  readonly prefixRewrite: string | undefined;
  readonly regexRewrite:
    | { readonly substitute: (path: string) => string; readonly source: string; readonly substitution: string }
    | undefined;
  readonly hostRewrite: string | undefined;
  readonly autoHostRewrite: boolean;
  readonly appendXForwardedHost: boolean;
  /** 0 = none; undefined = Envoy's default of 15 s. */
  readonly timeoutMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  readonly maxGrpcTimeoutMs: number | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly upgrades: ReadonlyMap<string, boolean>;
  /** CONNECT ends here, and its bytes go to the upstream as they are; `allowPost`: the bodies of POST requests too. */
  readonly connect: { readonly allowPost: boolean } | undefined;
  readonly priority: "DEFAULT" | "HIGH";
  readonly hashPolicy: readonly HashPolicy[];
  /** Empty: as the virtual host says, or else the table. */
  readonly mirrors: readonly MirrorPolicy[];
}

export interface RedirectAction {
  readonly kind: "redirect";
  readonly status: number;
  readonly scheme: string | undefined;
  readonly httpsRedirect: boolean;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly path: string | undefined;
  readonly prefixRewrite: string | undefined;
  readonly regexRewrite: { readonly substitute: (path: string) => string } | undefined;
  readonly stripQuery: boolean;
}

export interface DirectResponseAction {
  readonly kind: "direct";
  readonly status: number;
  readonly body: Uint8Array;
}

export interface Route {
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: ForwardAction | RedirectAction | DirectResponseAction;
  readonly request: HeaderMutations;
  readonly response: HeaderMutations;
  readonly statPrefix: string;
  /** What traces call the route, where the other side is to be told. */
  readonly decorator: string | undefined;
  readonly perFilter: PerFilter;
  readonly metadata: unknown;
}

export interface VirtualHost {
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly Route[];
  readonly requireTls: "NONE" | "EXTERNAL_ONLY" | "ALL";
  readonly request: HeaderMutations;
  readonly response: HeaderMutations;
  readonly retry: RetryPolicy | undefined;
  /** Empty: as the table says. */
  readonly mirrors: readonly MirrorPolicy[];
  readonly includeAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
  readonly perFilter: PerFilter;
}

/** A route configuration with all its virtual hosts (inline and VHDS), and the lookup compiled from their domains. */
export interface RouteTable {
  readonly name: string;
  readonly virtualHosts: readonly VirtualHost[];
  readonly request: HeaderMutations;
  readonly response: HeaderMutations;
  readonly ignorePortInHostMatching: boolean;
  readonly internalOnlyHeaders: readonly string[];
  readonly mostSpecificHeaderMutationsWins: boolean;
  readonly mirrors: readonly MirrorPolicy[];
  readonly perFilter: PerFilter;
  /** Virtual host for an authority (case-insensitive; exact, then longest suffix wildcard, then longest prefix wildcard, then `*`). */
  readonly lookup: (authority: string) => VirtualHost | undefined;
}
