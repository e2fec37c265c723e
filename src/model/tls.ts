// TLS of a server (Gateway, Sidecar.ingress), of a client (DestinationRule) and of the mesh, as Istio's API says it.

export type TlsVersion = "TLSV1_0" | "TLSV1_1" | "TLSV1_2" | "TLSV1_3";

/** Paths on the proxy's own machine. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface ServerTls {
  readonly httpsRedirect: boolean;
  readonly mode: "PASSTHROUGH" | "SIMPLE" | "MUTUAL" | "AUTO_PASSTHROUGH" | "ISTIO_MUTUAL" | "OPTIONAL_MUTUAL";
  /** One of each key type; empty when `credentialNames` has them. */
  readonly certificates: readonly CertificateFiles[];
  /** Path; "" = none. */
  readonly caCertificates: string;
  readonly caCrl: string;
  /** Secrets in the gateway's namespace. */
  readonly credentialNames: readonly string[];
  /** "" = the first credential's own CA. */
  readonly caCertCredentialName: string;
  readonly subjectAltNames: readonly string[];
  readonly verifyCertificateSpki: readonly string[];
  readonly verifyCertificateHash: readonly string[];
  /** A client's certificate is taken without being verified. */
  readonly insecureSkipVerify: boolean;
  readonly minProtocolVersion: TlsVersion | undefined;
  readonly maxProtocolVersion: TlsVersion | undefined;
  /** OpenSSL names that Envoy knows, none twice. */
  readonly cipherSuites: readonly string[];
}

/** TLS goes through undecrypted. */
export function isPassthrough(tls: Pick<ServerTls, "mode">): boolean {
  return tls.mode === "PASSTHROUGH" || tls.mode === "AUTO_PASSTHROUGH";
}

export interface ClientTls {
  readonly mode: "DISABLE" | "SIMPLE" | "MUTUAL" | "ISTIO_MUTUAL";
  readonly clientCertificate: string;
  readonly privateKey: string;
  readonly caCertificates: string;
  readonly caCrl: string;
  readonly credentialName: string;
  /** undefined: not written, which differs from an empty list where service accounts would stand in. */
  readonly subjectAltNames: readonly string[] | undefined;
  readonly sni: string;
  readonly insecureSkipVerify: boolean;
}

/** MeshConfig.tlsDefaults and MeshConfig.meshMTLS. */
export interface TlsSettings {
  readonly minProtocolVersion: TlsVersion | undefined;
  readonly cipherSuites: readonly string[];
  readonly ecdhCurves: readonly string[];
}
