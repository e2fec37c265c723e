// `%…%` operators about TLS, of the caller's connection and of the upstream's.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
import { type Certificate, fingerprint, sansOf, urlEncodedPem } from "../transport/certificate.ts";
import type { TlsInfo } from "../transport/tls-info.ts";
import type { Operator } from "./format.ts";
import type { StreamInfo } from "./stream-info.ts";

type Read = (tls: TlsInfo) => string | undefined;

function text(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function listed(values: readonly string[]): string | undefined {
  return text(values.join(","));
}

const ofPeer =
  (read: (certificate: Certificate) => string | undefined): Read =>
  ({ peer }) =>
    peer === undefined ? undefined : read(peer);

const ofLocal =
  (read: (certificate: Certificate) => string | undefined): Read =>
  ({ local }) =>
    local === undefined ? undefined : read(local);

const SANS = { URI_SAN: "URI", DNS_SAN: "DNS", IP_SAN: "IP_ADDRESS", EMAIL_SAN: "EMAIL", OTHERNAME_SAN: "OTHER_NAME" } as const;

/** Names without the DOWNSTREAM_ or UPSTREAM_ in front. */
const READS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["TLS_VERSION", ({ version }) => text(version)],
  ["TLS_CIPHER", ({ cipher }) => text(cipher)],
  ["TLS_SESSION_ID", ({ sessionId }) => text(sessionId)],
  ["PEER_SUBJECT", ofPeer(({ subject }) => text(subject))],
  ["PEER_ISSUER", ofPeer(({ issuer }) => text(issuer))],
  ["PEER_SERIAL", ofPeer(({ serial }) => serial)],
  ["PEER_FINGERPRINT_256", ofPeer((certificate) => fingerprint(certificate))],
  ["PEER_FINGERPRINT_1", ofPeer((certificate) => fingerprint(certificate, "sha1"))],
  ["PEER_CERT", ofPeer((certificate) => urlEncodedPem([certificate]))],
  ["PEER_CERT_V_START", ofPeer(({ notBefore }) => new Date(notBefore).toISOString())],
  ["PEER_CERT_V_END", ofPeer(({ notAfter }) => new Date(notAfter).toISOString())],
  ["PEER_CHAIN_FINGERPRINTS_256", ({ peerChain }) => listed(peerChain.map((one) => fingerprint(one)))],
  ["PEER_CHAIN_FINGERPRINTS_1", ({ peerChain }) => listed(peerChain.map((one) => fingerprint(one, "sha1")))],
  ["PEER_CHAIN_SERIALS", ({ peerChain }) => listed(peerChain.map(({ serial }) => serial))],
  ["LOCAL_SUBJECT", ofLocal(({ subject }) => text(subject))],
  ...Object.entries(SANS).flatMap(([name, type]): [string, Read][] => [
    [`PEER_${name}`, ofPeer((certificate) => listed(sansOf(certificate, type)))],
    [`LOCAL_${name}`, ofLocal((certificate) => listed(sansOf(certificate, type)))],
  ]),
]);

/** Those that Envoy has for callers only. */
const CALLERS_ONLY = /^(?:PEER_(?:SERIAL|FINGERPRINT|CHAIN)|LOCAL_SUBJECT)/;

export const TLS_OPERATORS: Readonly<Record<string, Operator>> = Object.fromEntries<Operator>([
  ...[...READS].map(([name, read]): [string, Operator] => [`DOWNSTREAM_${name}`, operator((info) => info.downstreamTls, read)]),
  ...[...READS]
    .filter(([name]) => !CALLERS_ONLY.test(name))
    .map(([name, read]): [string, Operator] => [`UPSTREAM_${name}`, operator((info) => info.upstreamTls, read)]),
  ["DOWNSTREAM_TRANSPORT_FAILURE_REASON", (info) => text(info.downstreamTransportFailure)],
]);

function operator(side: (info: StreamInfo) => TlsInfo | undefined, read: Read): Operator {
  return (info) => {
    const tls = side(info);
    return tls === undefined ? undefined : read(tls);
  };
}

/** Start and end of a certificate's time, with strftime letters. */
export function certificateTime(name: string): ((info: StreamInfo) => number | undefined) | undefined {
  const match = /^(DOWNSTREAM|UPSTREAM)_PEER_CERT_V_(START|END)$/.exec(name);
  if (match === null) return undefined;
  const [, side, end] = match;
  return (info) => {
    const peer = (side === "DOWNSTREAM" ? info.downstreamTls : info.upstreamTls)?.peer;
    return end === "START" ? peer?.notBefore : peer?.notAfter;
  };
}
