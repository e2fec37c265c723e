// TLS settings as written → model: of servers (Gateway, Sidecar.ingress), of clients (DestinationRule), of the mesh (MeshConfig).
import type { CertificateFiles, ClientTls, ServerTls, TlsSettings, TlsVersion } from "../model/index.ts";
import { usableCipherSuites } from "../resources/index.ts";

interface CertificateSpec {
  readonly serverCertificate?: string;
  readonly privateKey?: string;
}

export interface ServerTlsSpec extends CertificateSpec {
  readonly httpsRedirect?: boolean;
  readonly mode?: ServerTls["mode"];
  readonly caCertificates?: string;
  readonly caCrl?: string;
  readonly credentialName?: string;
  readonly credentialNames?: readonly string[];
  readonly caCertCredentialName?: string;
  readonly tlsCertificates?: readonly CertificateSpec[];
  readonly subjectAltNames?: readonly string[];
  readonly verifyCertificateSpki?: readonly string[];
  readonly verifyCertificateHash?: readonly string[];
  readonly insecureSkipVerify?: boolean;
  readonly minProtocolVersion?: string;
  readonly maxProtocolVersion?: string;
  readonly cipherSuites?: readonly string[];
}

const VERSIONS: readonly TlsVersion[] = ["TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"];

/** TLS_AUTO and what is no version: the default. */
export function toTlsVersion(written: unknown): TlsVersion | undefined {
  return VERSIONS.find((version) => version === written);
}

function toFiles(spec: ServerTlsSpec): readonly CertificateFiles[] {
  return (spec.tlsCertificates ?? [spec])
    .map(({ serverCertificate = "", privateKey = "" }) => ({ certificate: serverCertificate, privateKey }))
    .filter(({ certificate, privateKey }) => certificate !== "" && privateKey !== "");
}

function toCredentialNames(spec: ServerTlsSpec): readonly string[] {
  if (spec.credentialNames !== undefined && spec.credentialNames.length > 0) return spec.credentialNames;
  return spec.credentialName === undefined || spec.credentialName === "" ? [] : [spec.credentialName];
}

export function toServerTls(spec: ServerTlsSpec | undefined): ServerTls | undefined {
  if (spec === undefined) return undefined;
  const credentialNames = toCredentialNames(spec);
  return {
    httpsRedirect: spec.httpsRedirect === true,
    mode: spec.mode ?? "PASSTHROUGH",
    certificates: credentialNames.length > 0 ? [] : toFiles(spec),
    caCertificates: spec.caCertificates ?? "",
    caCrl: spec.caCrl ?? "",
    credentialNames,
    caCertCredentialName: spec.caCertCredentialName ?? "",
    subjectAltNames: spec.subjectAltNames ?? [],
    verifyCertificateSpki: spec.verifyCertificateSpki ?? [],
    verifyCertificateHash: spec.verifyCertificateHash ?? [],
    insecureSkipVerify: spec.insecureSkipVerify === true,
    minProtocolVersion: toTlsVersion(spec.minProtocolVersion),
    maxProtocolVersion: toTlsVersion(spec.maxProtocolVersion),
    cipherSuites: usableCipherSuites(spec.cipherSuites),
  };
}

export interface ClientTlsSpec {
  readonly mode?: ClientTls["mode"];
  readonly clientCertificate?: string;
  readonly privateKey?: string;
  readonly caCertificates?: string;
  readonly caCrl?: string;
  readonly credentialName?: string;
  readonly subjectAltNames?: readonly string[];
  readonly sni?: string;
  readonly insecureSkipVerify?: boolean | null;
}

export function toClientTls(spec: ClientTlsSpec): ClientTls {
  return {
    mode: spec.mode ?? "DISABLE",
    clientCertificate: spec.clientCertificate ?? "",
    privateKey: spec.privateKey ?? "",
    caCertificates: spec.caCertificates ?? "",
    caCrl: spec.caCrl ?? "",
    credentialName: spec.credentialName ?? "",
    subjectAltNames: spec.subjectAltNames,
    sni: spec.sni ?? "",
    insecureSkipVerify: spec.insecureSkipVerify === true,
  };
}

function names(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}

/** `value`: MeshConfig.tlsDefaults or .meshMTLS as parsed. */
export function toTlsSettings(value: Readonly<Record<string, unknown>>): TlsSettings {
  return {
    minProtocolVersion: toTlsVersion(value["minProtocolVersion"]),
    cipherSuites: usableCipherSuites(names(value["cipherSuites"])),
    ecdhCurves: names(value["ecdhCurves"]),
  };
}
