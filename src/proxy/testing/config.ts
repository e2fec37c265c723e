// Config values for tests of the data plane, with Envoy's defaults filled in.
import type {
  Balancing,
  ClusterConfig,
  EndpointConfig,
  FilterChain,
  FilterChainMatch,
  ForwardAction,
  HttpConnectionManagerConfig,
  Listener,
  RetryPolicy,
  Route,
  RouteTable,
  RuntimeConfig,
  TcpProxyConfig,
  VirtualHost,
} from "../config/index.ts";
import { ROUTER_FILTER } from "../http-filters/index.ts";

const NO_MUTATIONS = { add: [], remove: [] };

export function endpointConfig(port: number, over: Partial<EndpointConfig> = {}): EndpointConfig {
  return {
    address: "127.0.0.1",
    port,
    hostname: "",
    weight: 1,
    healthy: true,
    degraded: false,
    priority: 0,
    locality: "",
    localityWeight: 0,
    transportMatch: undefined,
    metadata: undefined,
    ...over,
  };
}

export const PLAIN_BALANCING: Balancing = {
  activeRequestBias: 1,
  slowStart: undefined,
  ring: { minimumSize: 1024, maximumSize: 8_388_608 },
  maglevTableSize: 65_537,
  hashHostname: false,
  localityWeighted: false,
  mergeWindowMs: 1000,
  originalDestination: { header: undefined, port: undefined, cleanupMs: 5000 },
};

export function clusterConfig(name: string, ports: readonly number[], over: Partial<ClusterConfig> = {}): ClusterConfig {
  return {
    name,
    type: "STATIC",
    edsServiceName: "",
    connectTimeoutMs: 2000,
    lbPolicy: "ROUND_ROBIN",
    leastRequestChoiceCount: 2,
    balancing: PLAIN_BALANCING,
    outliers: undefined,
    breakers: { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3, retryBudget: undefined },
    idleTimeoutMs: 3_600_000,
    maxConnectionDurationMs: 0,
    maxRequestsPerConnection: 0,
    protocol: "http1",
    http1Trailers: false,
    maxHeadersCount: 100,
    keepsHeaderCase: false,
    http2: {},
    sourceAddress: undefined,
    tcpKeepalive: undefined,
    transport: undefined,
    transportMatches: [],
    autoSni: undefined,
    panicThreshold: 50,
    endpoints: { clusterName: name, endpoints: ports.map((port) => endpointConfig(port)), overprovisioningFactor: 140 },
    altStatName: "",
    metadata: undefined,
    ...over,
  };
}

export function retryPolicy(over: Partial<RetryPolicy> = {}): RetryPolicy {
  return {
    on: new Set(["5xx"]),
    numRetries: 2,
    perTryTimeoutMs: undefined,
    perTryIdleTimeoutMs: undefined,
    retriableStatusCodes: new Set(),
    retriableHeaders: [],
    retriableRequestHeaders: [],
    avoidPreviousHosts: false,
    hostSelectionMaxAttempts: 1,
    previousPriorities: undefined,
    backoffBaseMs: 5,
    backoffMaxMs: 50,
    ...over,
  };
}

export function forwardAction(cluster: string, over: Partial<ForwardAction> = {}): ForwardAction {
  return {
    kind: "forward",
    cluster: { kind: "cluster", name: cluster },
    clusterNotFoundStatus: 503,
    prefixRewrite: undefined,
    regexRewrite: undefined,
    hostRewrite: undefined,
    autoHostRewrite: false,
    appendXForwardedHost: false,
    timeoutMs: 0,
    idleTimeoutMs: undefined,
    maxGrpcTimeoutMs: undefined,
    retry: undefined,
    upgrades: new Map(),
    connect: undefined,
    priority: "DEFAULT",
    hashPolicy: [],
    mirrors: [],
    ...over,
  };
}

export function routeTo(action: Route["action"], over: Partial<Route> = {}, prefix = "/"): Route {
  return {
    name: "",
    match: {
      path: { kind: "prefix", value: prefix, ignoreCase: false },
      headers: [],
      queryParameters: [],
      fraction: undefined,
      grpcOnly: false,
    },
    action,
    request: NO_MUTATIONS,
    response: NO_MUTATIONS,
    statPrefix: "",
    decorator: undefined,
    perFilter: new Map(),
    metadata: undefined,
    ...over,
  };
}

export function routeTable(routes: readonly Route[], over: Partial<VirtualHost> = {}, domains: readonly string[] = ["*"]): RouteTable {
  const host: VirtualHost = {
    name: "all",
    domains,
    routes,
    requireTls: "NONE",
    request: NO_MUTATIONS,
    response: NO_MUTATIONS,
    retry: undefined,
    mirrors: [],
    includeAttemptCount: false,
    includeAttemptCountInResponse: false,
    perFilter: new Map(),
    ...over,
  };
  return {
    name: "table",
    virtualHosts: [host],
    request: NO_MUTATIONS,
    response: NO_MUTATIONS,
    ignorePortInHostMatching: false,
    internalOnlyHeaders: [],
    mostSpecificHeaderMutationsWins: false,
    mirrors: [],
    perFilter: new Map(),
    lookup: (authority) => (domains.includes("*") || domains.includes(authority.toLowerCase()) ? host : undefined),
  };
}

export function httpConfig(table: RouteTable, over: Partial<HttpConnectionManagerConfig> = {}): HttpConnectionManagerConfig {
  return {
    kind: "http",
    statPrefix: "test",
    routes: { kind: "inline", table },
    codec: "AUTO",
    http2: {},
    filters: [{ name: "envoy.filters.http.router", typeUrl: ROUTER_FILTER, config: undefined, disabled: false }],
    upgrades: ["websocket"],
    useRemoteAddress: false,
    xffNumTrustedHops: 0,
    skipXffAppend: false,
    generateRequestId: true,
    preserveExternalRequestId: false,
    alwaysSetRequestIdInResponse: false,
    tracing: "none",
    appendXForwardedPort: false,
    serverName: "envoy",
    serverHeader: "OVERWRITE",
    suppressEnvoyHeaders: false,
    via: "",
    normalizePath: true,
    mergeSlashes: false,
    escapedSlashes: "KEEP_UNCHANGED",
    stripMatchingHostPort: false,
    stripAnyHostPort: false,
    stripTrailingHostDot: false,
    forwardClientCert: "SANITIZE",
    clientCertDetails: [],
    http10: { accept: false, defaultHost: "" },
    allowAbsoluteUrl: true,
    enableTrailers: false,
    keepsHeaderCase: false,
    proxy100Continue: false,
    headersWithUnderscores: "ALLOW",
    maxRequestHeadersKb: 60,
    maxHeadersCount: 100,
    streamIdleTimeoutMs: 0,
    requestTimeoutMs: 0,
    requestHeadersTimeoutMs: 0,
    maxStreamDurationMs: 0,
    idleTimeoutMs: 3_600_000,
    maxConnectionDurationMs: 0,
    maxRequestsPerConnection: 0,
    drainTimeoutMs: 5000,
    delayedCloseTimeoutMs: 1000,
    accessLogs: [],
    schemeToOverwrite: "",
    ...over,
  };
}

/** What a test says of the listener, the route and the cluster of `oneRoute`. */
export interface OneRoute {
  readonly action?: Partial<ForwardAction>;
  readonly route?: Partial<Route>;
  readonly host?: Partial<VirtualHost>;
  readonly manager?: Partial<HttpConnectionManagerConfig>;
  readonly cluster?: Partial<ClusterConfig>;
}

/** The listener `in`, whose one route leads to the cluster `up` at these ports. */
export function oneRoute(ports: readonly number[], { action, route, host, manager, cluster }: OneRoute = {}): RuntimeConfig {
  const table = routeTable([routeTo(forwardAction("up", action), route)], host);
  return runtimeConfig([listenerConfig(httpConfig(table, manager))], [clusterConfig("up", ports, cluster)]);
}

export function tcpConfig(clusters: TcpProxyConfig["clusters"], over: Partial<TcpProxyConfig> = {}): TcpProxyConfig {
  return {
    kind: "tcp",
    statPrefix: "test",
    clusters,
    sniCluster: false,
    hashSourceIp: false,
    tunnel: undefined,
    maxConnectionDurationMs: 0,
    idleTimeoutMs: 0,
    maxConnectAttempts: 1,
    accessLogs: [],
    ...over,
  };
}

export const NO_INSPECTORS: Listener["inspectors"] = {
  http: false,
  tls: false,
  skipsHttp: undefined,
  skipsTls: undefined,
  originalDst: false,
  proxyProtocol: undefined,
  timeoutMs: 0,
  continueOnTimeout: true,
};

export const ANY_CONNECTION: FilterChainMatch = {
  destinationPort: undefined,
  prefixRanges: [],
  sourcePrefixRanges: [],
  sourcePorts: [],
  transportProtocol: "",
  serverNames: [],
  applicationProtocols: [],
};

export function listenerConfig(network: FilterChain["network"], over: Partial<Listener> = {}): Listener {
  return {
    name: "in",
    address: { host: "127.0.0.1", port: 0 },
    bindToPort: true,
    useOriginalDst: false,
    direction: "OUTBOUND",
    filterChains: [
      {
        name: "",
        match: ANY_CONNECTION,
        network,
        tls: undefined,
        handshakeTimeoutMs: 0,
      },
    ],
    defaultFilterChain: undefined,
    inspectors: NO_INSPECTORS,
    accessLogs: [],
    perConnectionBufferLimit: 1_048_576,
    bypassesOverload: false,
    ignoresConnectionLimit: false,
    ...over,
  };
}

export function runtimeConfig(
  listeners: readonly Listener[],
  clusters: readonly ClusterConfig[],
  routes: readonly RouteTable[] = [],
): RuntimeConfig {
  return {
    listeners: new Map(listeners.map((listener) => [listener.name, listener])),
    clusters: new Map(clusters.map((cluster) => [cluster.name, cluster])),
    endpoints: new Map(),
    routes: new Map(routes.map((table) => [table.name, table])),
    secrets: new Map(),
  };
}
