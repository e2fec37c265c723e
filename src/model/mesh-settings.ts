// The part of Istio's MeshConfig that generation reads, in milliseconds.
import type { LocalityLb } from "./destination-rule.ts";
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
