// The part of Istio's MeshConfig that generation reads, in milliseconds.
import type { LocalityLb } from "./destination-rule.ts";
import type { TlsSettings } from "./tls.ts";
import type { Retries } from "./virtual-service.ts";

export interface MeshSettings {
  readonly rootNamespace: string;
  /** `cluster.local` */
  readonly domain: string;
  readonly proxyListenPort: number;
  readonly proxyInboundListenPort: number;
  /** 0 = no explicit HTTP proxy listener. */
  readonly proxyHttpPort: number;
  readonly connectTimeoutMs: number;
  readonly outboundTrafficPolicy: "ALLOW_ANY" | "REGISTRY_ONLY";
  readonly pathNormalization: "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";
  readonly accessLogFile: string;
  readonly accessLogFormat: string;
  readonly accessLogEncoding: "TEXT" | "JSON";
  readonly h2UpgradePolicy: "DO_NOT_UPGRADE" | "UPGRADE";
  readonly protocolDetectionTimeoutMs: number;
  /** From `defaultConfig.gatewayTopology`. */
  readonly numTrustedProxies: number;
  readonly forwardClientCertDetails: string;
  /** `defaultConfig.gatewayTopology.proxyProtocol`: every connection to a gateway begins with a PROXY line. */
  readonly gatewayProxyProtocol: boolean;
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
    readonly requestIdDisabled: boolean;
    readonly attemptCountDisabled: boolean;
    readonly envoyDebugHeadersDisabled: boolean;
    readonly preserveHttp1HeaderCase: boolean;
    readonly xForwardedHost: boolean;
    readonly xForwardedPort: boolean;
  };
  readonly defaultHttpRetryPolicy: Retries | undefined;
  readonly localityLb: LocalityLb | undefined;
  readonly defaultServiceExportTo: readonly string[];
  readonly defaultVirtualServiceExportTo: readonly string[];
  readonly defaultDestinationRuleExportTo: readonly string[];
}
