// ServerTLSSettings of Gateways and Sidecars (istio validateTLSOptions).
import { isCipherSuite } from "../checks/cipher-suites.ts";
import { joinPath } from "../field-path.ts";
import type { Report } from "../report.ts";
import { bool, enumOf, list, obj, type ObjectSchema, type Rule, str } from "../schema/schema.ts";

interface Certificate {
  readonly serverCertificate?: string;
  readonly privateKey?: string;
  readonly caCertificates?: string;
}

export interface ServerTlsSpec {
  readonly httpsRedirect?: boolean;
  readonly mode?: string;
  readonly serverCertificate?: string;
  readonly privateKey?: string;
  readonly caCertificates?: string;
  readonly caCrl?: string;
  readonly credentialName?: string;
  readonly credentialNames?: readonly string[];
  readonly tlsCertificates?: readonly Certificate[];
  readonly subjectAltNames?: readonly string[];
  readonly verifyCertificateSpki?: readonly string[];
  readonly verifyCertificateHash?: readonly string[];
  readonly minProtocolVersion?: string;
  readonly cipherSuites?: readonly string[];
}

const VERSIONS = ["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"];
function atMostOne(a: string, b: string): Rule {
  return {
    message: `only one of ${a} and ${b} can be set`,
    test: (self) => self[a] === undefined || self[b] === undefined,
    field: b,
    fix: "Keep one of them.",
  };
}

export const serverTls: ObjectSchema = obj<ServerTlsSpec>(
  {
    httpsRedirect: bool(),
    mode: enumOf(["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"]),
    serverCertificate: str(),
    privateKey: str(),
    caCertificates: str(),
    caCrl: str(),
    credentialName: str(),
    credentialNames: list(str(), { min: 1, max: 2 }),
    caCertCredentialName: str(),
    tlsCertificates: list(obj({ serverCertificate: str(), privateKey: str(), caCertificates: str() }), { min: 1, max: 2 }),
    subjectAltNames: list(str()),
    verifyCertificateSpki: list(str()),
    verifyCertificateHash: list(str()),
    minProtocolVersion: enumOf(VERSIONS),
    maxProtocolVersion: enumOf(VERSIONS),
    cipherSuites: list(str()),
    insecureSkipVerify: bool(),
  },
  { rules: [atMostOne("tlsCertificates", "credentialNames"), atMostOne("credentialName", "credentialNames")], check: checkServerTls },
);

function isSet(text: string | undefined): boolean {
  return text !== undefined && text !== "";
}

function checkServerTls(tls: ServerTlsSpec, path: string, report: Report): void {
  checkCiphers(tls, path, report);
  const sources = [
    isSet(tls.serverCertificate) && isSet(tls.privateKey),
    isSet(tls.credentialName),
    tls.credentialNames !== undefined,
    tls.tlsCertificates !== undefined,
  ].filter(Boolean).length;
  const files = isSet(tls.serverCertificate) || isSet(tls.privateKey) || isSet(tls.caCertificates);
  if (tls.mode === "ISTIO_MUTUAL") {
    if (sources > 0 || files)
      report.error(path, "ISTIO_MUTUAL uses the mesh's own certificates", "Remove the certificates, or use another mode.");
    return;
  }
  if ((tls.mode === "PASSTHROUGH" || tls.mode === "AUTO_PASSTHROUGH") && (sources > 0 || files || isSet(tls.caCrl))) {
    report.warning(path, `${tls.mode} does not use certificates`, "Remove them.");
  }
  if (sources > 1)
    report.error(
      path,
      "only one of serverCertificate with privateKey, credentialName, credentialNames, tlsCertificates can be set",
      "Keep one of them.",
    );
  if (tls.mode === "SIMPLE" || tls.mode === "MUTUAL" || tls.mode === "OPTIONAL_MUTUAL") checkCertificates(tls, path, report);
}

function checkCertificates(tls: ServerTlsSpec, path: string, report: Report): void {
  if (isSet(tls.credentialName) || tls.credentialNames !== undefined) {
    if (isSet(tls.caCrl)) report.warning(joinPath(path, "caCrl"), "caCrl does nothing beside a credential", "Put the CRL into the secret.");
    return;
  }
  for (const field of ["verifyCertificateSpki", "verifyCertificateHash"] as const)
    if (tls[field] !== undefined && tls[field].length > 0)
      report.warning(joinPath(path, field), `${field} does nothing beside certificate files, as in Istio`, "Use credentialName.");
  if (isSet(tls.caCrl) && tls.mode === "SIMPLE")
    report.error(joinPath(path, "caCrl"), "SIMPLE asks for no client certificates, so there is no CRL", "Remove caCrl.");
  if (tls.mode !== "SIMPLE" && !isSet(tls.caCertificates))
    report.error(path, `${tls.mode} needs caCertificates`, "Add it, or use credentialName.");
  for (const [index, certificate] of (tls.tlsCertificates ?? []).entries())
    if (isSet(certificate.caCertificates))
      report.warning(
        joinPath(joinPath(joinPath(path, "tlsCertificates"), index), "caCertificates"),
        "caCertificates of one certificate does nothing, as in Istio",
        "Set caCertificates of the server.",
      );
  for (const certificate of tls.tlsCertificates ?? [tls]) {
    if (!isSet(certificate.serverCertificate)) report.error(path, `${tls.mode} needs serverCertificate`, "Add it, or use credentialName.");
    if (!isSet(certificate.privateKey)) report.error(path, `${tls.mode} needs privateKey`, "Add it, or use credentialName.");
  }
}

function checkCiphers(tls: ServerTlsSpec, path: string, report: Report): void {
  const suites = tls.cipherSuites ?? [];
  if ((tls.minProtocolVersion === "TLSV1_0" || tls.minProtocolVersion === "TLSV1_1") && suites.length === 0) {
    report.warning(joinPath(path, "minProtocolVersion"), "TLS below 1.2 needs cipherSuites that fit it", "Add cipherSuites.");
  }
  for (const [index, suite] of suites.entries()) {
    const at = joinPath(joinPath(path, "cipherSuites"), index);
    if (!isCipherSuite(suite))
      report.warning(at, `the cipher suite ${suite} is not known and is left out`, "Use OpenSSL's name of a suite that Envoy knows.");
    else if (suites.indexOf(suite) < index) report.warning(at, `the cipher suite ${suite} stands twice`, "Remove one of the two.");
  }
}
