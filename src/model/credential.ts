// Certificates that come from Secrets: what a TLS setting asks for, by SDS name, and what is in it.
import { caSecret, certificateSecret } from "./names.ts";
import type { ClientTls, ServerTls } from "./tls.ts";

export interface CertificateContent {
  readonly kind: "certificate";
  /** PEM, as are all of these. */
  readonly chain: Uint8Array;
  readonly privateKey: Uint8Array;
  readonly ocspStaple: Uint8Array | undefined;
}

export interface CaContent {
  readonly kind: "ca";
  readonly certificates: Uint8Array;
  readonly crl: Uint8Array | undefined;
}

/** What a proxy is given under an SDS name. */
export interface Credential {
  readonly name: string;
  readonly content: CertificateContent | CaContent;
}

/** The mesh's Secrets (and CAs in ConfigMaps) with certificates in them. Equal secrets, same object. */
export interface SecretIndex {
  has(namespace: string, name: string): boolean;
  certificate(namespace: string, name: string): CertificateContent | undefined;
  ca(kind: "Secret" | "ConfigMap", namespace: string, name: string): CaContent | undefined;
}

/** The credential whose CA clients are checked against; undefined: no credential's. */
export function clientCa(tls: ServerTls): string | undefined {
  const [first] = tls.credentialNames;
  return tls.caCertCredentialName === "" || first === undefined ? first : tls.caCertCredentialName;
}

function named(names: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(names)].filter((name) => name !== undefined);
}

/** SDS names of what a server needs of us. */
export function serverSecrets(tls: ServerTls | undefined): readonly string[] {
  switch (tls?.mode) {
    case "SIMPLE":
      return named(tls.credentialNames.map(certificateSecret));
    case "MUTUAL":
    case "OPTIONAL_MUTUAL": {
      const ca = clientCa(tls);
      return named([...tls.credentialNames.map(certificateSecret), ca === undefined ? undefined : caSecret(ca)]);
    }
    case "ISTIO_MUTUAL":
    case "PASSTHROUGH":
    case "AUTO_PASSTHROUGH":
    case undefined:
      return [];
  }
}

/** SDS names of what a client needs of us. */
export function clientSecrets(tls: ClientTls | undefined): readonly string[] {
  if (tls === undefined || tls.credentialName === "") return [];
  if (tls.mode === "SIMPLE") return named([caSecret(tls.credentialName)]);
  return tls.mode === "MUTUAL" ? named([certificateSecret(tls.credentialName), caSecret(tls.credentialName)]) : [];
}
