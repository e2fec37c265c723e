// What the proxy reads from a certificate, from its DER bytes alone: names of every kind, subject, issuer, serial number, time, fingerprints.
// Node's own text forms are never used: their escaping changed more than once, and identities hang on it.
import { createHash } from "node:crypto";
import type { SanType } from "../config/index.ts";
import { ipText } from "../network/ip-text.ts";
import { childrenOf, type Der, DerError, readDer, readOid, readText, readTime, TAG } from "./der.ts";
import { printName } from "./distinguished-name.ts";

export interface SubjectAltName {
  readonly type: SanType;
  /** OTHER_NAME: dotted; else "". */
  readonly oid: string;
  readonly value: string;
}

export interface Certificate {
  readonly der: Buffer;
  readonly sans: readonly SubjectAltName[];
  readonly subject: string;
  readonly issuer: string;
  /** Lower-case hex. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** The SubjectPublicKeyInfo's bytes. */
  readonly publicKey: Buffer;
}

const SUBJECT_ALT_NAME = "2.5.29.17";
/** [0] in front of the version, [3] in front of the extensions. */
const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;

/** Throws a DerError on bytes that are no certificate. */
export function readCertificate(der: Buffer): Certificate {
  const [tbs] = childrenOf(readDer(der));
  if (tbs === undefined) throw new DerError("no certificate");
  const fields = childrenOf(tbs);
  const at = fields[0]?.tag === VERSION_TAG ? 1 : 0;
  const [serial, , issuer, validity, subject, publicKey] = fields.slice(at);
  if (serial === undefined || issuer === undefined || validity === undefined || subject === undefined || publicKey === undefined)
    throw new DerError("no certificate");
  const [notBefore, notAfter] = childrenOf(validity);
  if (notBefore === undefined || notAfter === undefined) throw new DerError("no validity");
  return {
    der,
    sans: subjectAltNames(fields.find(({ tag }) => tag === EXTENSIONS_TAG)),
    subject: printName(subject),
    issuer: printName(issuer),
    serial: serial.content.toString("hex").replace(/^00(?=.)/, ""),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    publicKey: publicKey.raw,
  };
}

function subjectAltNames(extensions: Der | undefined): SubjectAltName[] {
  const list = extensions === undefined ? undefined : childrenOf(extensions)[0];
  for (const extension of list === undefined ? [] : childrenOf(list)) {
    const parts = childrenOf(extension);
    const value = parts.at(-1);
    if (parts[0] === undefined || value?.tag !== TAG.octetString || readOid(parts[0]) !== SUBJECT_ALT_NAME) continue;
    return childrenOf(readDer(value.content)).flatMap(readGeneralName);
  }
  return [];
}

/** A name with a NUL in it is no name: it would be cut short elsewhere (CVE-2026-47778). */
function readGeneralName(name: Der): SubjectAltName[] {
  const { tag, content } = name;
  const named = (type: SanType, value: string, oid = ""): SubjectAltName[] => (value.includes("\0") ? [] : [{ type, oid, value }]);
  switch (tag & 0x1f) {
    case 0:
      return readOtherName(name);
    case 1:
      return named("EMAIL", content.toString("latin1"));
    case 2:
      return named("DNS", content.toString("latin1"));
    case 6:
      return named("URI", content.toString("latin1"));
    case 7:
      return named("IP_ADDRESS", ipText(content) ?? "\0");
    default:
      return [];
  }
}

function readOtherName(name: Der): SubjectAltName[] {
  const [type, wrapper] = childrenOf(name);
  if (type === undefined || wrapper === undefined) return [];
  const [value] = childrenOf(wrapper);
  const text = value === undefined ? undefined : readText(value);
  return text === undefined || text.includes("\0") ? [] : [{ type: "OTHER_NAME", oid: readOid(type), value: text }];
}

export function sansOf(certificate: Certificate, type: SanType): string[] {
  return certificate.sans.filter((san) => san.type === type).map(({ value }) => value);
}

/** SHA-256 in lower-case hex. */
export function fingerprint(certificate: Certificate, algorithm: "sha256" | "sha1" = "sha256"): string {
  return createHash(algorithm).update(certificate.der).digest("hex");
}

/** SHA-256 of the public key in base64. */
export function publicKeyPin(certificate: Certificate): string {
  return createHash("sha256").update(certificate.publicKey).digest("base64");
}

/** PEM with the characters escaped that would end a header's value: what Envoy writes into x-forwarded-client-cert. */
export function urlEncodedPem(certificates: readonly Certificate[]): string {
  return certificates
    .map(({ der }) => `-----BEGIN CERTIFICATE-----\n${der.toString("base64").replace(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`)
    .join("")
    .replace(/[\n +/=]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}
