// The part of Istio's MeshConfig that generation reads, in milliseconds.
import type { LocalityLb, TcpKeepalive, TrafficPolicy, ZoneAwareLb } from "./destination-rule.ts";
import type { ClientTls, TlsSettings } from "./tls.ts";
import type { Retries } from "./virtual-service.ts";

/** Kubernetes' own. */
export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    readonly values: readonly string[];
  }[];
}

/** `defaultConfig.connectionSettings`; what is not there stays as it is otherwise. */
export interface ConnectionSettings {
  /** What is not there is Envoy's advice for the edge, at gateways. */
  readonly edge: boolean;
  /** Of gateways. */
  readonly listenerBufferBytes?: number;
  readonly idleTimeoutMs?: number;
  readonly maxConnectionDurationMs?: number;
  readonly maxStreamDurationMs?: number;
  readonly drainTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly requestHeadersTimeoutMs?: number;
  readonly streamIdleTimeoutMs?: number;
  readonly maxConcurrentStreams?: number;
  readonly streamWindow?: number;
  readonly connectionWindow?: number;
  readonly headersWithUnderscores?: "ALLOW" | "REJECT_REQUEST" | "DROP_HEADER";
  readonly mergeSlashes?: boolean;
  readonly escapedSlashes?: "KEEP_UNCHANGED" | "REJECT_REQUEST" | "UNESCAPE_AND_REDIRECT" | "UNESCAPE_AND_FORWARD";
}

export type Visibility = "PUBLIC" | "NAMESPACE" | "NONE";

/** Where requests and connections to unknown hosts go. ALLOW_ANY_DYNAMIC_DNS: HTTP requests to the host that they name. */
export type OutboundPolicy = "ALLOW_ANY" | "REGISTRY_ONLY" | "ALLOW_ANY_DYNAMIC_DNS";

export interface MeshSettings {
  readonly rootNamespace: string;
  /** `cluster.local` */
  readonly domain: string;
  /** Sidecar.ingress[].tls counts (istiod's ENABLE_TLS_ON_SIDECAR_INGRESS). */
  readonly tlsOnSidecarIngress: boolean;
  /** Every proxy takes HTTP/1.0 (istiod's PILOT_HTTP10); one alone says so in its metadata. */
  readonly http10: boolean;
  /** Gateways choose proxies of their own namespace only (istiod's PILOT_SCOPE_GATEWAY_TO_NAMESPACE). */
  readonly scopeGatewayToNamespace: boolean;
  readonly proxyListenPort: number;
  readonly proxyInboundListenPort: number;
  /** 0 = no explicit HTTP proxy listener. */
  readonly proxyHttpPort: number;
  readonly connectTimeoutMs: number;
  /** For every cluster; what a DestinationRule's own tcpKeepalive leaves out is taken from here. */
  readonly tcpKeepalive: TcpKeepalive | undefined;
  readonly outboundTrafficPolicy: OutboundPolicy;
  /** Of connections to hosts that requests name (ALLOW_ANY_DYNAMIC_DNS); undefined = plain text. */
  readonly outboundTls: ClientTls | undefined;
  /** Where applications are called: PASSTHROUGH at the address that callers used, LOCALHOST at 127.0.0.1. */
  readonly inboundTrafficPolicy: "PASSTHROUGH" | "LOCALHOST";
  readonly dnsRefreshRateMs: number;
  /** Patterns for the names of clusters in statistics; "" = the cluster's own name. */
  readonly inboundClusterStatName: string;
  readonly outboundClusterStatName: string;
  readonly pathNormalization: "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";
  readonly accessLogFile: string;
  readonly accessLogFormat: string;
  readonly accessLogEncoding: "TEXT" | "JSON";
  /** Connections that no filter chain takes are not logged. */
  readonly listenerLogDisabled: boolean;
  /** undefined = no tracing; else the share of requests (percent) that is sampled where the caller did not decide. */
  readonly traceSamplingPercent: number | undefined;
  readonly h2UpgradePolicy: "DO_NOT_UPGRADE" | "UPGRADE";
  readonly protocolDetectionTimeoutMs: number;
  /** From `defaultConfig.gatewayTopology`. */
  readonly numTrustedProxies: number;
  readonly forwardClientCertDetails: string;
  /** `defaultConfig.gatewayTopology.proxyProtocol`: every connection to a gateway begins with a PROXY line. */
  readonly gatewayProxyProtocol: boolean;
  readonly connectionSettings: ConnectionSettings;
  /** For TLS that is not the mesh's own. */
  readonly tlsDefaults: TlsSettings;
  /** For TLS between the mesh's own workloads. */
  readonly meshMtls: TlsSettings;
  readonly enableAutoMtls: boolean;
  /** `cluster.local`: the first part of the mesh's identities. */
  readonly trustDomain: string;
  /** Other trust domains whose identities are as good. */
  readonly trustDomainAliases: readonly string[];
  /** From `defaultConfig.proxyHeaders`; undefined = Istio's default. */
  readonly proxyHeaders: {
    readonly server: { readonly disabled: boolean; readonly value: string };
    /** What sidecars do with x-forwarded-client-cert; "" = APPEND_FORWARD. Gateways have `forwardClientCertDetails`. */
    readonly forwardedClientCert: string;
    readonly clientCertDetails: {
      readonly subject: boolean;
      readonly cert: boolean;
      readonly chain: boolean;
      readonly dns: boolean;
      readonly uri: boolean;
    };
    readonly requestIdDisabled: boolean;
    readonly attemptCountDisabled: boolean;
    readonly envoyDebugHeadersDisabled: boolean;
    readonly preserveHttp1HeaderCase: boolean;
    readonly xForwardedHost: boolean;
    readonly xForwardedPort: boolean;
  };
  /** Connection pool and outlier detection where no DestinationRule says anything of them. */
  readonly defaultTrafficPolicy: TrafficPolicy;
  readonly defaultHttpRetryPolicy: Retries | undefined;
  readonly defaultInboundHttpRetryPolicy: Retries | undefined;
  readonly localityLb: LocalityLb | undefined;
  /** In place of localityLb. */
  readonly zoneAwareLb: ZoneAwareLb | undefined;
  /** Namespaces that count, by their labels; none = all. */
  readonly discoverySelectors: readonly LabelSelector[];
  /** How far ServiceEntries are seen, by the labels of their namespaces; undefined = as they say themselves. */
  readonly serviceEntryVisibility:
    | {
        readonly defaultVisibility: Visibility;
        /** A rule without a selector fits nothing. */
        readonly policies: readonly { readonly visibility: Visibility; readonly selectors: readonly (LabelSelector | undefined)[] }[];
      }
    | undefined;
  readonly defaultServiceExportTo: readonly string[];
  readonly defaultVirtualServiceExportTo: readonly string[];
  readonly defaultDestinationRuleExportTo: readonly string[];
}
