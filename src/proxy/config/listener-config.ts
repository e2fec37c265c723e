// Listeners, filter chains and network filters as the proxy runs them: decoded from Envoy's Listener, frozen.
import type { Http2Limits } from "./http2-limits.ts";
import type { HeaderMutations, RouteTable } from "./route-config.ts";
import type { DownstreamTls } from "./tls-config.ts";

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

export interface FilterChainMatch {
  readonly destinationPort: number | undefined;
  readonly prefixRanges: readonly { readonly address: string; readonly prefix: number }[];
  readonly sourcePrefixRanges: readonly { readonly address: string; readonly prefix: number }[];
  readonly sourcePorts: readonly number[];
  /** "raw_buffer", "tls", "" = any. */
  readonly transportProtocol: string;
  readonly serverNames: readonly string[];
  readonly applicationProtocols: readonly string[];
}

export interface AccessLog {
  /** File path, or "/dev/stdout". */
  readonly path: string;
  /** Envoy's text format, or the JSON object's template. */
  readonly format:
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "json"; readonly template: Readonly<Record<string, unknown>> };
  /** What is missing is left out: in text nothing stands for it, in JSON its field is not there. */
  readonly omitEmpty?: boolean;
  /** A filter we can evaluate: only responses with one of these flags; undefined = all. */
  readonly responseFlags: readonly string[] | undefined;
}

export type ClientCertDetail = "cert" | "chain" | "subject" | "uri" | "dns";

export interface HttpFilterConfig {
  /** Name in the chain; `typed_per_filter_config` uses it. */
  readonly name: string;
  readonly typeUrl: string;
  /** Decoded by the filter's own decoder; undefined where it has nothing to say. */
  readonly config: unknown;
  /** Off, but where a route's own config switches it on. */
  readonly disabled: boolean;
  /** Its type and config come as a resource of its name. */
  readonly discovery?: FilterDiscovery;
}

export interface FilterDiscovery {
  readonly typeUrls: ReadonlySet<string>;
  /** 0 = for ever. */
  readonly timeoutMs: number;
  /** In place of one that has not come in time. */
  readonly fallback: { readonly typeUrl: string; readonly config: unknown } | undefined;
  /** False: the fallback serves at once. */
  readonly waits: boolean;
}

export interface HttpConnectionManagerConfig {
  readonly kind: "http";
  readonly statPrefix: string;
  /** Inline, or by RDS: then `runtime.routes.get(name)` at each request. `timeoutMs`: how long the listener waits for it; 0 = for ever. */
  readonly routes:
    | { readonly kind: "inline"; readonly table: RouteTable }
    | { readonly kind: "rds"; readonly name: string; readonly timeoutMs?: number };
  readonly codec: "AUTO" | "HTTP1" | "HTTP2";
  /** What of HTTP/2's settings and bounds is not Envoy's default. */
  readonly http2: Partial<Http2Limits>;
  readonly filters: readonly HttpFilterConfig[];
  readonly upgrades: readonly string[];
  readonly useRemoteAddress: boolean;
  readonly xffNumTrustedHops: number;
  readonly skipXffAppend: boolean;
  readonly generateRequestId: boolean;
  readonly preserveExternalRequestId: boolean;
  readonly alwaysSetRequestIdInResponse: boolean;
  /** The decorator's operation is told to the other side: with the request on the way out, with the answer on the way in. */
  readonly tracing: "none" | "egress" | "ingress";
  /** x-forwarded-port says the local port. */
  readonly appendXForwardedPort: boolean;
  readonly serverName: string;
  readonly serverHeader: "OVERWRITE" | "APPEND_IF_ABSENT" | "PASS_THROUGH";
  readonly suppressEnvoyHeaders: boolean;
  readonly via: string;
  readonly normalizePath: boolean;
  readonly mergeSlashes: boolean;
  readonly escapedSlashes: "KEEP_UNCHANGED" | "REJECT_REQUEST" | "UNESCAPE_AND_REDIRECT" | "UNESCAPE_AND_FORWARD";
  readonly stripMatchingHostPort: boolean;
  readonly stripAnyHostPort: boolean;
  readonly stripTrailingHostDot: boolean;
  readonly forwardClientCert: "SANITIZE" | "FORWARD_ONLY" | "APPEND_FORWARD" | "SANITIZE_SET" | "ALWAYS_FORWARD_ONLY";
  /** What is told of the caller's certificate, in the order in which it is written. */
  readonly clientCertDetails: readonly ClientCertDetail[];
  readonly http10: { readonly accept: boolean; readonly defaultHost: string };
  readonly allowAbsoluteUrl: boolean;
  readonly enableTrailers: boolean;
  /** HTTP/1 header names of requests keep their letters' case. */
  readonly keepsHeaderCase: boolean;
  /** `expect: 100-continue` and 1xx answers pass; else the proxy says `100 Continue` itself and nothing of it reaches the upstream. */
  readonly proxy100Continue: boolean;
  readonly headersWithUnderscores: "ALLOW" | "REJECT_REQUEST" | "DROP_HEADER";
  readonly maxRequestHeadersKb: number;
  readonly maxHeadersCount: number;
  /** Milliseconds; 0 = none. */
  readonly streamIdleTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly requestHeadersTimeoutMs: number;
  /** Of a request with its answer, from its head on; 0 = no limit. */
  readonly maxStreamDurationMs: number;
  readonly idleTimeoutMs: number;
  readonly maxConnectionDurationMs: number;
  /** 0 = any number. */
  readonly maxRequestsPerConnection: number;
  readonly drainTimeoutMs: number;
  readonly delayedCloseTimeoutMs: number;
  readonly accessLogs: readonly AccessLog[];
  /** schemeHeaderTransformation.schemeToOverwrite, "" = none */
  readonly schemeToOverwrite: string;
}

export interface ProxyProtocolConfig {
  /** A connection that does not begin with the header is taken as it is. */
  readonly optional: boolean;
  readonly versions: readonly (1 | 2)[];
}

/** TCP through a CONNECT or POST request to the upstream. */
export interface TunnelConfig {
  /** With substitutions, of the connection. */
  readonly hostname: string;
  readonly usePost: boolean;
  readonly postPath: string;
  readonly headers: HeaderMutations;
}

export interface TcpProxyConfig {
  readonly kind: "tcp";
  readonly statPrefix: string;
  /** With one cluster, weight 1. */
  readonly clusters: readonly { readonly name: string; readonly weight: number }[];
  /** The name in the TLS hello is the cluster's name, where there is one. */
  readonly sniCluster: boolean;
  /** A cluster of names takes the one in the TLS hello, with this port; it is looked up before anything else. */
  readonly dynamicPort?: number | undefined;
  readonly tunnel: TunnelConfig | undefined;
  /** 0 = none. */
  readonly maxConnectionDurationMs: number;
  readonly idleTimeoutMs: number;
  readonly maxConnectAttempts: number;
  /** Hashing balancers place connections by the caller's address. */
  readonly hashSourceIp: boolean;
  readonly accessLogs: readonly AccessLog[];
}

export interface DirectResponseConfig {
  readonly kind: "direct";
  readonly response: Buffer;
}

export interface FilterChain {
  readonly name: string;
  readonly match: FilterChainMatch;
  readonly network: HttpConnectionManagerConfig | TcpProxyConfig | DirectResponseConfig;
  /** undefined = plain text. */
  readonly tls: DownstreamTls | undefined;
  /** How long the TLS handshake may take; 0 = the proxy's own limit. */
  readonly handshakeTimeoutMs: number;
}

/** Which destination ports. */
export type PortRule =
  | { readonly kind: "any" }
  /** `end` is not in it. */
  | { readonly kind: "range"; readonly start: number; readonly end: number }
  | { readonly kind: "not"; readonly rule: PortRule }
  | { readonly kind: "or" | "and"; readonly rules: readonly PortRule[] };

export interface Listener {
  readonly name: string;
  /** A Unix socket is its path and port 0. */
  readonly address: SocketAddress;
  /** Of the file of a Unix socket; 0 or undefined = as the system makes it. */
  readonly socketMode?: number;
  readonly bindToPort: boolean;
  readonly useOriginalDst: boolean;
  readonly direction: "UNSPECIFIED" | "INBOUND" | "OUTBOUND";
  readonly filterChains: readonly FilterChain[];
  readonly defaultFilterChain: FilterChain | undefined;
  readonly inspectors: {
    readonly http: boolean;
    readonly tls: boolean;
    /** Connections that the inspectors leave alone; undefined = none. */
    readonly skipsHttp: PortRule | undefined;
    readonly skipsTls: PortRule | undefined;
    readonly originalDst: boolean;
    /** undefined = nobody announces another caller's address. */
    readonly proxyProtocol: ProxyProtocolConfig | undefined;
    readonly timeoutMs: number;
    readonly continueOnTimeout: boolean;
  };
  readonly accessLogs: readonly AccessLog[];
  readonly perConnectionBufferLimit: number;
  /** Its connections and their requests are taken however overloaded the proxy is. */
  readonly bypassesOverload: boolean;
  /** Its connections do not count against the limit of all listeners. */
  readonly ignoresConnectionLimit: boolean;
}
