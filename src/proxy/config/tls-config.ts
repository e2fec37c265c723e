// TLS as the proxy runs it, towards callers and towards upstreams: decoded from Envoy's DownstreamTlsContext, UpstreamTlsContext and Secret, frozen.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/tls.proto
import type { TextMatcher } from "./route-config.ts";

export type TlsVersion = "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

export interface TlsParams {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Suites for up to TLS 1.2 in OpenSSL's names; those of TLS 1.3 are fixed, as in Envoy. */
  readonly ciphers: readonly string[];
  /** Suites of equal preference stood in one group: callers without AES hardware may choose ChaCha20. */
  readonly equalPreference: boolean;
  readonly curves: readonly string[];
  /** Empty = the library's own. */
  readonly signatureAlgorithms: readonly string[];
}

/** Chain and private key as PEM. Never shown, never logged. */
export interface TlsCertificate {
  readonly chain: string;
  readonly key: string;
  readonly password: string | undefined;
}

/** A secret that comes by SDS. */
export interface SecretRef {
  /** Where from: `ads`, `static` (the bootstrap), or `grpc:CLUSTER` and `delta:CLUSTER` for another stream. */
  readonly source: string;
  readonly name: string;
  /** How long a listener or cluster waits for it; 0 = for ever. */
  readonly timeoutMs: number;
}

export type SanType = "DNS" | "URI" | "EMAIL" | "IP_ADDRESS" | "OTHER_NAME";

export interface SanMatcher {
  readonly type: SanType;
  /** OTHER_NAME: dotted. */
  readonly oid: string;
  /** DNS names are compared with wildcards of the certificate in mind; then this is the name, else undefined. */
  readonly dnsName: string | undefined;
  readonly test: TextMatcher;
  /** What it tests, in words: equal where the meaning is equal. */
  readonly describe: string;
}

export interface ValidationConfig {
  /** PEM; "" = none. */
  readonly trustedCa: string;
  readonly systemRoots: boolean;
  /** PEM; "" = none. */
  readonly crl: string;
  /** SHA-256 of the public key in base64, of the certificate in lower-case hex: one of either list must fit. */
  readonly spki: readonly string[];
  readonly hashes: readonly string[];
  readonly sans: readonly SanMatcher[];
  /** Whatever is presented is taken, and counts as not verified. */
  readonly acceptUntrusted: boolean;
}

export interface TlsContextConfig {
  readonly params: TlsParams;
  readonly alpn: readonly string[];
  readonly certificates: readonly TlsCertificate[];
  readonly certificateSecrets: readonly SecretRef[];
  /** With `validationSecret` too: the secret is merged over it. */
  readonly validation: ValidationConfig | undefined;
  readonly validationSecret: SecretRef | undefined;
}

export interface DownstreamTls extends TlsContextConfig {
  readonly requireClientCertificate: boolean;
  readonly sessionTickets: boolean;
  readonly sessionTimeoutMs: number | undefined;
  /** A name that no certificate has: search all certificates for one that the caller can use, not only the first. */
  readonly fullScan: boolean;
}

export interface UpstreamTls extends TlsContextConfig {
  /** "" = none. */
  readonly sni: string;
  readonly allowRenegotiation: boolean;
}

/** How a connection to an upstream is dressed. `key` is equal where the meaning is equal: connections stay usable as long as it does. */
export interface UpstreamTransport {
  readonly key: string;
  readonly tls: UpstreamTls | undefined;
  /** A PROXY protocol header goes first. */
  readonly proxyProtocol: 1 | 2 | undefined;
}

export interface TransportMatch {
  readonly name: string;
  readonly match: Readonly<Record<string, unknown>>;
  readonly transport: UpstreamTransport | undefined;
}

export type Secret =
  | { readonly name: string; readonly kind: "certificate"; readonly certificate: TlsCertificate }
  | { readonly name: string; readonly kind: "validation"; readonly validation: ValidationConfig };

/** By source, then by name. */
export type Secrets = ReadonlyMap<string, ReadonlyMap<string, Secret>>;
