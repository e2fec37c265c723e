// Envoy's TlsParameters with its defaults: versions, cipher suites in BoringSSL's notation, curves, signature algorithms.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/common.proto (TlsParameters)
import tls from "node:tls";
import type { TlsParams, TlsVersion } from "../../config/index.ts";
import type { Reader } from "../../wire/reader.ts";

const VERSIONS: Readonly<Record<string, TlsVersion>> = { TLSv1_0: "TLSv1", TLSv1_1: "TLSv1.1", TLSv1_2: "TLSv1.2", TLSv1_3: "TLSv1.3" };

const DEFAULT_SUITES = [
  "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]",
  "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
];
const DEFAULT_CURVES = ["X25519MLKEM768", "X25519", "P-256"];

let supported: ReadonlySet<string> | undefined;

/** Envoy still speaks at most TLS 1.2 to upstreams unless it is told otherwise. */
export function decodeTlsParams(reader: Reader | undefined, side: "server" | "client"): TlsParams {
  const minVersion = VERSIONS[reader?.choice<string>("tls_minimum_protocol_version", "TLS_AUTO") ?? ""] ?? "TLSv1.2";
  const maxVersion =
    VERSIONS[reader?.choice<string>("tls_maximum_protocol_version", "TLS_AUTO") ?? ""] ??
    (side === "server" || minVersion === "TLSv1.3" ? "TLSv1.3" : "TLSv1.2");
  if (minVersion > maxVersion) reader?.refuse("tls_maximum_protocol_version", "is below the minimum");
  const configured = reader?.texts("cipher_suites") ?? [];
  const suites = configured.length === 0 ? DEFAULT_SUITES : configured.flatMap((entry) => entry.split(":"));
  supported ??= new Set(tls.getCiphers());
  const unknown = suites.flatMap(members).filter((name) => supported?.has(name.toLowerCase()) !== true || name.startsWith("TLS_"));
  if (unknown.length > 0) reader?.refuse("cipher_suites", `Failed to initialize cipher suites ${suites.join(":")}: ${unknown.join(", ")}`);
  const curves = reader?.texts("ecdh_curves") ?? [];
  const params: TlsParams = {
    minVersion,
    maxVersion,
    ciphers: suites.flatMap(members),
    equalPreference: suites.some((entry) => entry.startsWith("[")),
    curves: curves.length === 0 ? DEFAULT_CURVES : curves.flatMap((entry) => entry.split(":")),
    signatureAlgorithms: (reader?.texts("signature_algorithms") ?? []).flatMap((entry) => entry.split(":")),
  };
  if (reader !== undefined) tryLists(reader, params);
  return params;
}

/** `[A|B]` is a group of equal preference. */
function members(entry: string): string[] {
  return entry.startsWith("[") && entry.endsWith("]") ? entry.slice(1, -1).split("|") : [entry];
}

function tryLists(reader: Reader, { curves, signatureAlgorithms }: TlsParams): void {
  try {
    tls.createSecureContext({ ca: [], ecdhCurve: curves.join(":") });
  } catch {
    reader.refuse("ecdh_curves", `Failed to initialize ECDH curves ${curves.join(":")}`);
  }
  if (signatureAlgorithms.length === 0) return;
  try {
    tls.createSecureContext({ ca: [], sigalgs: signatureAlgorithms.join(":") });
  } catch {
    reader.refuse("signature_algorithms", `Failed to initialize TLS signature algorithms ${signatureAlgorithms.join(":")}`);
  }
}
