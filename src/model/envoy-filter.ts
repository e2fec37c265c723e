// EnvoyFilter with its conditions on the proxy decided, so that what is left only looks at Envoy's own config. Field names are Istio's.
export type ApplyTo =
  | "LISTENER"
  | "FILTER_CHAIN"
  | "NETWORK_FILTER"
  | "HTTP_FILTER"
  | "ROUTE_CONFIGURATION"
  | "VIRTUAL_HOST"
  | "HTTP_ROUTE"
  | "CLUSTER"
  | "EXTENSION_CONFIG"
  | "BOOTSTRAP"
  | "LISTENER_FILTER";

export type PatchContext = "ANY" | "SIDECAR_INBOUND" | "SIDECAR_OUTBOUND" | "GATEWAY" | "WAYPOINT";

export type PatchOperation =
  | "MERGE"
  | "ADD"
  | "REMOVE"
  | "INSERT_BEFORE"
  | "INSERT_AFTER"
  | "INSERT_FIRST"
  | "REPLACE"
  | "MERGE_AND_REPLACE_LIST";

/** In all matches: "" and 0 ask for nothing. */
export interface FilterChainPatchMatch {
  readonly name: string;
  readonly sni: string;
  readonly transportProtocol: string;
  readonly applicationProtocols: readonly string[];
  readonly destinationPort: number;
  /** Name of a network filter; undefined: any. */
  readonly filter: string | undefined;
  /** Name of an HTTP filter; undefined: any. */
  readonly subFilter: string | undefined;
}

export interface ListenerPatchMatch {
  readonly name: string;
  readonly portNumber: number;
  readonly listenerFilter: string;
  readonly filterChain: FilterChainPatchMatch | undefined;
}

export interface RoutePatchMatch {
  readonly name: string;
  readonly action: "ANY" | "ROUTE" | "REDIRECT" | "DIRECT_RESPONSE";
}

export interface VirtualHostPatchMatch {
  readonly name: string;
  readonly domainName: string;
  readonly route: RoutePatchMatch | undefined;
}

export interface RouteConfigurationPatchMatch {
  readonly name: string;
  readonly portNumber: number;
  readonly portName: string;
  readonly gateway: string;
  readonly vhost: VirtualHostPatchMatch | undefined;
}

export interface ClusterPatchMatch {
  readonly name: string;
  readonly portNumber: number;
  readonly service: string;
  readonly subset: string;
}

export interface EnvoyPatch {
  readonly applyTo: ApplyTo;
  readonly context: PatchContext;
  readonly listener: ListenerPatchMatch | undefined;
  readonly routeConfiguration: RouteConfigurationPatchMatch | undefined;
  readonly cluster: ClusterPatchMatch | undefined;
  readonly operation: PatchOperation;
  /** JSON of an Envoy message, as written; undefined where there is none. */
  readonly value: unknown;
}

/** One entry of an EnvoyFilter's configPatches. */
export interface ProxyPatch {
  /** Does the proxy's version (metadata ISTIO_VERSION) fit? undefined: any does. */
  readonly version: ((version: string) => boolean) | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly patch: EnvoyPatch;
}

export interface EnvoyFilter {
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: number;
  readonly priority: number;
  /** undefined: every workload. */
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** Names of Gateway API gateways; undefined: it selects by labels. */
  readonly gateways: readonly string[] | undefined;
  readonly patches: readonly ProxyPatch[];
}
