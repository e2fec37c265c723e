// Envoy's TLS contexts and secrets. What cannot work is refused here: a certificate that does not fit its key, names to check without anybody to trust.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/tls.proto
import type {
  DownstreamTls,
  SanMatcher,
  SanType,
  Secret,
  SecretRef,
  TlsCertificate,
  TlsContextConfig,
  UpstreamTls,
  ValidationConfig,
} from "../../config/index.ts";
import { certificateProblem, validationProblem } from "../../transport/secure-context.ts";
import { normalizeHash } from "../../transport/verify-peer.ts";
import type { Reader } from "../../wire/reader.ts";
import { secretSource } from "./config-source.ts";
import { readDataSource } from "./data-source.ts";
import { decodeStringMatcher } from "./text-matcher.ts";
import { decodeTlsParams } from "./tls-params.ts";

export function decodeDownstreamTls(reader: Reader): DownstreamTls {
  if (reader.flag("require_sni")) reader.refuse("require_sni", "is not supported");
  const staple = reader.choice<string>("ocsp_staple_policy", "LENIENT_STAPLING");
  if (staple !== "LENIENT_STAPLING") reader.refuse("ocsp_staple_policy", `${staple} is not supported`);
  const common = decodeCommon(reader, "server");
  if (common.certificates.length === 0 && common.certificateSecrets.length === 0)
    reader.refuse("common_tls_context", "No TLS certificates found for server context");
  return Object.freeze({
    ...common,
    requireClientCertificate: reader.flag("require_client_certificate"),
    sessionTickets: !reader.flag("disable_stateless_session_resumption"),
    sessionTimeoutMs: reader.optionalNumber("session_timeout"),
    fullScan: reader.flag("full_scan_certs_on_sni_mismatch"),
  });
}

export function decodeUpstreamTls(reader: Reader): UpstreamTls {
  const common = decodeCommon(reader, "client");
  if (common.certificates.length + common.certificateSecrets.length > 1)
    reader.refuse("common_tls_context", "Multiple TLS certificates are not supported for client contexts");
  const sni = reader.text("sni");
  if (sni.length > 255) reader.refuse("sni", "is longer than 255 bytes");
  // OpenSSL takes an RSA key for what its certificate does not name.
  if (reader.flag("enforce_rsa_key_usage")) reader.refuse("enforce_rsa_key_usage", "is not supported");
  return Object.freeze({ ...common, sni, allowRenegotiation: reader.flag("allow_renegotiation") });
}

function decodeCommon(reader: Reader, side: "server" | "client"): TlsContextConfig {
  const common = reader.message("common_tls_context");
  if (common === undefined) return reader.refuse("common_tls_context", "is missing");
  const certificates = common.messages("tls_certificates").map(decodeCertificate);
  const combined = common.message("combined_validation_context");
  const inline = combined?.message("default_validation_context") ?? common.message("validation_context");
  const secret = combined?.message("validation_context_sds_secret_config") ?? common.message("validation_context_sds_secret_config");
  const validation = inline === undefined ? undefined : decodeValidation(inline);
  // The other half of a combined context comes later.
  if (inline !== undefined && validation !== undefined && secret === undefined) checkValidation(inline, validation);
  for (const protocol of common.texts("alpn_protocols"))
    if (protocol === "" || protocol.length > 255) common.refuse("alpn_protocols", "has a name of no or too many bytes");
  return {
    params: decodeTlsParams(common.message("tls_params"), side),
    alpn: common.texts("alpn_protocols").flatMap((entry) => entry.split(",")),
    certificates,
    certificateSecrets: certificates.length > 0 ? [] : common.messages("tls_certificate_sds_secret_configs").map(decodeSecretRef),
    validation,
    validationSecret: secret === undefined ? undefined : decodeSecretRef(secret),
  };
}

function decodeSecretRef(reader: Reader): SecretRef {
  const name = reader.text("name");
  if (name === "") reader.refuse("name", "is empty");
  return { name, ...secretSource(reader, "sds_config") };
}

function decodeCertificate(reader: Reader): TlsCertificate {
  const chain = readDataSource(reader, "certificate_chain");
  const key = readDataSource(reader, "private_key");
  if (chain === undefined) return reader.refuse("certificate_chain", "is missing");
  if (key === undefined) return reader.refuse("private_key", "is missing");
  const certificate = {
    chain: chain.toString("latin1"),
    key: key.toString("latin1"),
    password: readDataSource(reader, "password")?.toString("utf8"),
  };
  const problem = certificateProblem(certificate);
  if (problem !== undefined) reader.refuse("", problem);
  return certificate;
}

function decodeValidation(reader: Reader): ValidationConfig {
  for (const field of ["allow_expired_certificate", "only_verify_leaf_cert_crl", "require_signed_certificate_timestamp"])
    if (reader.flag(field)) reader.refuse(field, "is not supported");
  const typed = reader.messages("match_typed_subject_alt_names");
  // The older list fits names of every kind; it counts where the newer one is empty.
  const sans =
    typed.length > 0
      ? typed.map(decodeSanMatcher)
      : reader.messages("match_subject_alt_names").flatMap((matcher) => ANY_TYPE.map((type) => sanMatcher(type, "", matcher)));
  return {
    trustedCa: readDataSource(reader, "trusted_ca")?.toString("latin1") ?? "",
    systemRoots: reader.has("system_root_certs"),
    crl: readDataSource(reader, "crl")?.toString("latin1") ?? "",
    spki: reader.texts("verify_certificate_spki").map((pin) => {
      if (!/^[A-Za-z0-9+/]{43}=$/.test(pin)) reader.refuse("verify_certificate_spki", `Invalid base64-encoded SHA-256 ${pin}`);
      return pin;
    }),
    hashes: reader.texts("verify_certificate_hash").map((hash) => {
      return normalizeHash(hash) ?? reader.refuse("verify_certificate_hash", `Invalid hex-encoded SHA-256 ${hash}`);
    }),
    sans,
    acceptUntrusted: reader.choice<string>("trust_chain_verification", "VERIFY_TRUST_CHAIN") === "ACCEPT_UNTRUSTED",
  };
}

function checkValidation(reader: Reader, validation: ValidationConfig): void {
  const problem = validationProblem(validation);
  if (problem !== undefined) reader.refuse("", problem);
}

const ANY_TYPE: readonly SanType[] = ["DNS", "URI", "EMAIL", "IP_ADDRESS"];

function decodeSanMatcher(reader: Reader): SanMatcher {
  const type = reader.choice<SanType | "SAN_TYPE_UNSPECIFIED">("san_type", "SAN_TYPE_UNSPECIFIED");
  if (type === "SAN_TYPE_UNSPECIFIED") return reader.refuse("san_type", "is missing");
  const oid = reader.text("oid");
  if (type === "OTHER_NAME" && !/^\d+(?:\.\d+)+$/.test(oid)) reader.refuse("oid", "must be an object identifier");
  const matcher = reader.message("matcher");
  return matcher === undefined ? reader.refuse("matcher", "is missing") : sanMatcher(type, oid, matcher);
}

function sanMatcher(type: SanType, oid: string, matcher: Reader): SanMatcher {
  const exact = type === "DNS" && !matcher.flag("ignore_case") ? matcher.optionalText("exact") : undefined;
  return { type, oid, dnsName: exact, ...decodeStringMatcher(matcher) };
}

export function decodeSecret(reader: Reader): Secret {
  const name = reader.text("name");
  if (name === "") reader.refuse("name", "is empty");
  const certificate = reader.message("tls_certificate");
  if (certificate !== undefined) return Object.freeze({ name, kind: "certificate", certificate: decodeCertificate(certificate) });
  const context = reader.message("validation_context");
  if (context === undefined) return reader.refuse("", "is of a kind that is not supported");
  const validation = decodeValidation(context);
  checkValidation(context, validation);
  return Object.freeze({ name, kind: "validation", validation });
}
