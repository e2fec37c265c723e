// The wire shape of VirtualService's http rules. The published types are unions per field that say the same and are hard to walk.
export interface StringMatchSpec {
  readonly exact?: string;
  readonly prefix?: string;
  readonly regex?: string;
}

export type MatchMapSpec = Readonly<Record<string, StringMatchSpec | null | undefined>>;

export interface DestinationSpec {
  readonly host?: string;
  readonly subset?: string;
  readonly port?: { readonly number?: number };
}

export interface HeaderOperationsSpec {
  readonly set?: Readonly<Record<string, string>>;
  readonly add?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

export interface HeadersSpec {
  readonly request?: HeaderOperationsSpec;
  readonly response?: HeaderOperationsSpec;
}

export interface WeightedDestinationSpec {
  readonly destination?: DestinationSpec;
  readonly weight?: number;
  readonly headers?: HeadersSpec;
}

export interface MatchScopeSpec {
  readonly port?: number;
  readonly sourceLabels?: Readonly<Record<string, string>>;
  readonly sourceNamespace?: string;
  readonly gateways?: readonly string[];
}

export interface HttpMatchSpec extends MatchScopeSpec {
  readonly name?: string;
  readonly uri?: StringMatchSpec | null;
  readonly scheme?: StringMatchSpec | null;
  readonly method?: StringMatchSpec | null;
  readonly authority?: StringMatchSpec | null;
  readonly headers?: MatchMapSpec | null;
  readonly withoutHeaders?: MatchMapSpec | null;
  readonly queryParams?: MatchMapSpec | null;
  readonly ignoreUriCase?: boolean;
  readonly statPrefix?: string;
}

export interface PercentSpec {
  readonly value?: number;
}

export interface RetriesSpec {
  readonly attempts?: number;
  readonly perTryTimeout?: string;
  readonly retryOn?: string;
  readonly retryRemoteLocalities?: boolean | null;
  readonly retryIgnorePreviousHosts?: boolean | null;
  readonly backoff?: string;
}

export interface FaultSpec {
  readonly delay?: { readonly fixedDelay?: string; readonly percent?: number; readonly percentage?: PercentSpec };
  readonly abort?: { readonly httpStatus?: number; readonly grpcStatus?: string; readonly percentage?: PercentSpec };
}

export interface CorsSpec {
  readonly allowOrigin?: readonly string[];
  readonly allowOrigins?: readonly StringMatchSpec[];
  readonly allowMethods?: readonly string[];
  readonly allowHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly maxAge?: string;
  readonly allowCredentials?: boolean | null;
  readonly unmatchedPreflights?: string;
}

export interface HttpRouteSpec {
  readonly name?: string;
  readonly match?: readonly (HttpMatchSpec | null)[];
  readonly route?: readonly WeightedDestinationSpec[];
  readonly redirect?: {
    readonly uri?: string;
    readonly authority?: string;
    readonly port?: number;
    readonly derivePort?: "FROM_PROTOCOL_DEFAULT" | "FROM_REQUEST_PORT";
    readonly scheme?: string;
    readonly redirectCode?: number;
    readonly prefixRewrite?: string;
  };
  readonly directResponse?: { readonly status: number; readonly body?: { readonly string?: string; readonly bytes?: string } };
  readonly delegate?: { readonly name?: string; readonly namespace?: string };
  readonly rewrite?: {
    readonly uri?: string;
    readonly authority?: string;
    readonly uriRegexRewrite?: { readonly match?: string; readonly rewrite?: string };
  };
  readonly timeout?: string;
  readonly retries?: RetriesSpec;
  readonly fault?: FaultSpec;
  readonly mirror?: DestinationSpec;
  readonly mirrorPercent?: number | null;
  readonly mirrorPercentage?: PercentSpec;
  readonly mirrors?: readonly { readonly destination?: DestinationSpec; readonly percentage?: PercentSpec }[];
  readonly corsPolicy?: CorsSpec;
  readonly headers?: HeadersSpec;
}

export interface L4MatchSpec extends MatchScopeSpec {
  readonly destinationSubnets?: readonly string[];
  readonly sniHosts?: readonly string[];
}

export interface L4RouteSpec {
  readonly match?: readonly L4MatchSpec[];
  readonly route?: readonly WeightedDestinationSpec[];
}
