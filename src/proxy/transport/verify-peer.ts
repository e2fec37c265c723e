// Is the peer who it must be? The chain is the TLS library's verdict; names and pins are checked here, on the certificate's own bytes, at every
// handshake, a resumed one too.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/common.proto (CertificateValidationContext)
import type { SanMatcher, ValidationConfig } from "../config/index.ts";
import { type Certificate, fingerprint, publicKeyPin, type SubjectAltName } from "./certificate.ts";

export type PeerProblem = "no_certificate" | "untrusted" | "expired" | "san" | "pin";

export interface Presented {
  readonly certificate: Certificate | undefined;
  /** The TLS library's verdict on the chain; undefined = trusted. */
  readonly chainProblem: string | undefined;
  readonly now: number;
  /** Names of which the certificate must have one, beside what the config asks for; empty = none are asked for. */
  readonly names: readonly string[];
}

/** undefined = it is. `validation` undefined: nothing is asked of the peer. */
export function verifyPeer(validation: ValidationConfig | undefined, presented: Presented): PeerProblem | undefined {
  if (validation === undefined || validation.acceptUntrusted) return undefined;
  const { certificate, names } = presented;
  if (certificate === undefined) return "no_certificate";
  if (validation.trustedCa !== "" || validation.systemRoots) {
    if (presented.chainProblem !== undefined) return "untrusted";
    // A resumed session brings the verdict of its first handshake.
    if (presented.now > certificate.notAfter || presented.now < certificate.notBefore) return "expired";
  }
  if (names.length > 0 && !names.some((name) => certificate.sans.some((san) => isNamed(san, name)))) return "san";
  const { sans } = validation;
  if (sans.length > 0 && !sans.some((matcher) => certificate.sans.some((san) => matchesSan(matcher, san)))) return "san";
  return hasPin(validation, certificate) ? undefined : "pin";
}

function hasPin({ hashes, spki }: ValidationConfig, certificate: Certificate): boolean {
  if (hashes.length === 0 && spki.length === 0) return true;
  return hashes.includes(fingerprint(certificate)) || spki.includes(publicKeyPin(certificate));
}

function isNamed(san: SubjectAltName, name: string): boolean {
  if (san.type === "DNS") return matchesDnsName(name, san.value);
  return (san.type === "URI" || san.type === "IP_ADDRESS") && san.value === name;
}

function matchesSan(matcher: SanMatcher, san: SubjectAltName): boolean {
  if (matcher.type !== san.type || (matcher.type === "OTHER_NAME" && matcher.oid !== san.oid)) return false;
  return matcher.dnsName === undefined ? matcher.test(san.value) : matchesDnsName(matcher.dnsName, san.value);
}

/** Does `name` fit the certificate's `pattern`? A `*` stands in the first label only, once, and never for a dot; case does not matter. */
export function matchesDnsName(name: string, pattern: string): boolean {
  const wanted = name.toLowerCase();
  const given = pattern.toLowerCase();
  if (wanted === given) return true;
  const wantedDot = wanted.indexOf(".");
  const givenDot = given.indexOf(".");
  if (wantedDot < 0 || givenDot < 0) return false;
  const rest = given.slice(givenDot + 1);
  const first = given.slice(0, givenDot);
  if (!first.includes("*") || rest.includes("*") || first.startsWith("xn--") || rest !== wanted.slice(wantedDot + 1)) return false;
  return matchesLabel(wanted.slice(0, wantedDot), first);
}

function matchesLabel(label: string, pattern: string): boolean {
  if (pattern === "*") return true;
  const parts = pattern.split("*");
  const [start = "", end = ""] = parts;
  return parts.length === 2 && pattern.length <= label.length + 1 && label.startsWith(start) && label.endsWith(end);
}

/** For config: a fingerprint with or without colons, in any case. */
export function normalizeHash(hash: string): string | undefined {
  const plain = hash.replaceAll(":", "").toLowerCase();
  return /^[0-9a-f]{64}$/.test(plain) ? plain : undefined;
}
