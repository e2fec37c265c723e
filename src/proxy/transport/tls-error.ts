// Why a TLS connection failed, in Envoy's words: BoringSSL's error numbers and names, which logs and alarms are written for.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage (UPSTREAM_TRANSPORT_FAILURE_REASON)
import type { PeerProblem } from "./verify-peer.ts";

/** Library number of SSL errors, in the upper byte. */
const SSL = 16 << 24;

/** BoringSSL's reason numbers by name; alerts that the peer sent are 1000 + the alert. */
const REASONS: ReadonlyMap<string, number> = new Map([
  ["BAD_PACKET_LENGTH", 115],
  ["BAD_SIGNATURE", 119],
  ["CCS_RECEIVED_EARLY", 122],
  ["CERTIFICATE_VERIFY_FAILED", 125],
  ["DECODE_ERROR", 137],
  ["DECRYPTION_FAILED_OR_BAD_RECORD_MAC", 139],
  ["EXCESSIVE_MESSAGE_SIZE", 149],
  ["HTTPS_PROXY_REQUEST", 155],
  ["HTTP_REQUEST", 156],
  ["LENGTH_MISMATCH", 162],
  ["NO_CIPHERS_AVAILABLE", 173],
  ["NO_RENEGOTIATION", 180],
  ["NO_SHARED_CIPHER", 184],
  ["PEER_DID_NOT_RETURN_A_CERTIFICATE", 192],
  ["UNEXPECTED_MESSAGE", 225],
  ["UNEXPECTED_RECORD", 226],
  ["UNSUPPORTED_PROTOCOL", 240],
  ["WRONG_CIPHER_RETURNED", 242],
  ["WRONG_VERSION_NUMBER", 247],
  ["NO_COMMON_SIGNATURE_ALGORITHMS", 253],
  ["NO_SHARED_GROUP", 266],
  ["SSLV3_ALERT_CLOSE_NOTIFY", 1000],
  ["SSLV3_ALERT_UNEXPECTED_MESSAGE", 1010],
  ["SSLV3_ALERT_BAD_RECORD_MAC", 1020],
  ["TLSV1_ALERT_DECRYPTION_FAILED", 1021],
  ["TLSV1_ALERT_RECORD_OVERFLOW", 1022],
  ["SSLV3_ALERT_DECOMPRESSION_FAILURE", 1030],
  ["SSLV3_ALERT_HANDSHAKE_FAILURE", 1040],
  ["SSLV3_ALERT_NO_CERTIFICATE", 1041],
  ["SSLV3_ALERT_BAD_CERTIFICATE", 1042],
  ["SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", 1043],
  ["SSLV3_ALERT_CERTIFICATE_REVOKED", 1044],
  ["SSLV3_ALERT_CERTIFICATE_EXPIRED", 1045],
  ["SSLV3_ALERT_CERTIFICATE_UNKNOWN", 1046],
  ["SSLV3_ALERT_ILLEGAL_PARAMETER", 1047],
  ["TLSV1_ALERT_UNKNOWN_CA", 1048],
  ["TLSV1_ALERT_ACCESS_DENIED", 1049],
  ["TLSV1_ALERT_DECODE_ERROR", 1050],
  ["TLSV1_ALERT_DECRYPT_ERROR", 1051],
  ["TLSV1_ALERT_PROTOCOL_VERSION", 1070],
  ["TLSV1_ALERT_INSUFFICIENT_SECURITY", 1071],
  ["TLSV1_ALERT_INTERNAL_ERROR", 1080],
  ["TLSV1_ALERT_INAPPROPRIATE_FALLBACK", 1086],
  ["TLSV1_ALERT_USER_CANCELLED", 1090],
  ["TLSV1_ALERT_NO_RENEGOTIATION", 1100],
  ["TLSV1_ALERT_UNSUPPORTED_EXTENSION", 1110],
  ["TLSV1_ALERT_UNRECOGNIZED_NAME", 1112],
  ["TLSV1_ALERT_UNKNOWN_PSK_IDENTITY", 1115],
  ["TLSV1_ALERT_CERTIFICATE_REQUIRED", 1116],
  ["TLSV1_ALERT_NO_APPLICATION_PROTOCOL", 1120],
]);

/** OpenSSL's names that differ. */
const SAME: ReadonlyMap<string, string> = new Map([
  ["SSL/TLS_ALERT_HANDSHAKE_FAILURE", "SSLV3_ALERT_HANDSHAKE_FAILURE"],
  ["SSL/TLS_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_BAD_CERTIFICATE"],
  ["SSL/TLS_ALERT_CERTIFICATE_UNKNOWN", "SSLV3_ALERT_CERTIFICATE_UNKNOWN"],
  ["SSL/TLS_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_EXPIRED"],
  ["SSL/TLS_ALERT_CERTIFICATE_REVOKED", "SSLV3_ALERT_CERTIFICATE_REVOKED"],
  ["SSL/TLS_ALERT_UNSUPPORTED_CERTIFICATE", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"],
  ["SSL/TLS_ALERT_UNEXPECTED_MESSAGE", "SSLV3_ALERT_UNEXPECTED_MESSAGE"],
  ["SSL/TLS_ALERT_BAD_RECORD_MAC", "SSLV3_ALERT_BAD_RECORD_MAC"],
  ["SSL/TLS_ALERT_ILLEGAL_PARAMETER", "SSLV3_ALERT_ILLEGAL_PARAMETER"],
  ["TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_CERTIFICATE_REQUIRED"],
  ["TLSV13_ALERT_MISSING_EXTENSION", "TLSV1_ALERT_UNSUPPORTED_EXTENSION"],
  ["TLSV1_UNRECOGNIZED_NAME", "TLSV1_ALERT_UNRECOGNIZED_NAME"],
  ["NO_SUITABLE_KEY_SHARE", "NO_SHARED_GROUP"],
  ["NO_SUITABLE_GROUPS", "NO_SHARED_GROUP"],
  ["NO_SHARED_GROUPS", "NO_SHARED_GROUP"],
  ["NO_SUITABLE_SIGNATURE_ALGORITHM", "NO_COMMON_SIGNATURE_ALGORITHMS"],
  ["BAD_RECORD_TYPE", "UNEXPECTED_RECORD"],
  ["PACKET_LENGTH_TOO_LONG", "BAD_PACKET_LENGTH"],
]);

const NO_CERTIFICATE = "peer did not provide required client certificate";

/** The text of an error that Node's TLS raised; undefined = it was no TLS error. */
export function tlsErrorText(error: NodeJS.ErrnoException): string | undefined {
  const { code = "" } = error;
  if (!code.startsWith("ERR_SSL_")) return undefined;
  const name = SAME.get(code.slice(8)) ?? code.slice(8);
  return sslError(name, name === "PEER_DID_NOT_RETURN_A_CERTIFICATE" ? NO_CERTIFICATE : undefined);
}

/** Blanks become underscores, as in all texts of Envoy's that stand in logs. */
function sslError(name: string, detail?: string): string {
  const parts = [`TLS_error:|${SSL + (REASONS.get(name) ?? 0)}`, "SSL routines", "OPENSSL_internal", name];
  return [...parts, ...(detail === undefined ? [] : [detail]), "TLS_error_end"].join(":").replaceAll(" ", "_");
}

/** X.509 errors in BoringSSL's words, which names the first problem of a chain where OpenSSL names the last. */
const CHAIN_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ["UNABLE_TO_GET_ISSUER_CERT", "unable to get local issuer certificate"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "unable to get local issuer certificate"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "unable to get local issuer certificate"],
  ["CERT_UNTRUSTED", "unable to get local issuer certificate"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "self signed certificate"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "self signed certificate in certificate chain"],
  ["CERT_HAS_EXPIRED", "certificate has expired"],
  ["CERT_NOT_YET_VALID", "certificate is not yet valid"],
  ["CERT_REVOKED", "certificate revoked"],
  ["CERT_SIGNATURE_FAILURE", "certificate signature failure"],
  ["UNABLE_TO_GET_CRL", "unable to get certificate CRL"],
  ["CRL_HAS_EXPIRED", "CRL has expired"],
  ["INVALID_CA", "invalid CA certificate"],
  ["INVALID_PURPOSE", "unsupported certificate purpose"],
  ["CERT_CHAIN_TOO_LONG", "certificate chain too long"],
]);

/** The text for a peer that was not who it must be. `chainProblem` is the TLS library's code for the chain. */
export function peerProblemText(
  problem: PeerProblem,
  peer: { readonly chainProblem?: string | undefined; readonly sans: readonly string[] },
): string {
  if (problem === "no_certificate") return sslError("PEER_DID_NOT_RETURN_A_CERTIFICATE", NO_CERTIFICATE);
  return sslError("CERTIFICATE_VERIFY_FAILED", `verify cert failed: ${verifyDetail(problem, peer)}`);
}

function verifyDetail(
  problem: PeerProblem,
  { chainProblem = "", sans }: { chainProblem?: string | undefined; sans: readonly string[] },
): string {
  if (problem === "san") return `SAN matcher, certificate SANs are [${sans.join(", ")}]`;
  if (problem === "pin") return "cert hash and spki";
  const code = problem === "expired" ? "CERT_HAS_EXPIRED" : chainProblem;
  const depth = code === "SELF_SIGNED_CERT_IN_CHAIN" ? 1 : 0;
  return `X509_verify_cert: certificate verification error at depth ${depth}: ${CHAIN_PROBLEMS.get(code) ?? code}`;
}

export const NO_SECRET = "TLS_error:Secret_is_not_supplied_by_SDS";
