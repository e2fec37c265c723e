// What is known of a connection's TLS: for logs, header values and x-forwarded-client-cert. Certificates are read when somebody asks.
import type { TLSSocket } from "node:tls";
import { type Certificate, readCertificate } from "./certificate.ts";
import { DerError } from "./der.ts";

export interface TlsInfo {
  /** As Envoy names it: TLSv1.3. */
  readonly version: string;
  readonly cipher: string;
  /** Hex; "" = none. */
  readonly sessionId: string;
  readonly peer: Certificate | undefined;
  /** The peer's certificate first, as far as it sent them. */
  readonly peerChain: readonly Certificate[];
  readonly local: Certificate | undefined;
}

/** The handshake must be over. The peer's certificate outlives the connection, for its log. */
export function tlsInfoOf(sock: TLSSocket, peer: Certificate | undefined): TlsInfo {
  let chain: readonly Certificate[] | undefined;
  let local: Certificate | undefined;
  return {
    version: sock.getProtocol() ?? "",
    cipher: sock.getCipher()?.name ?? "",
    sessionId: "",
    peer,
    get peerChain() {
      return (chain ??= peer === undefined ? [] : [peer, ...issuersOf(sock)]);
    },
    get local() {
      return (local ??= localCertificate(sock));
    },
  };
}

/** undefined = none was presented, or none that can be read: then it is no certificate. */
export function peerCertificate(sock: TLSSocket): Certificate | undefined {
  const raw = sock.getPeerX509Certificate()?.raw;
  return raw === undefined ? undefined : tryRead(raw);
}

function localCertificate(sock: TLSSocket): Certificate | undefined {
  const raw = sock.getX509Certificate()?.raw;
  return raw === undefined ? undefined : tryRead(raw);
}

function issuersOf(sock: TLSSocket): Certificate[] {
  const found: Certificate[] = [];
  let next = sock.getPeerX509Certificate()?.issuerCertificate;
  while (next !== undefined && found.length < 10) {
    const certificate = tryRead(next.raw);
    if (certificate !== undefined) found.push(certificate);
    next = next.issuerCertificate;
  }
  return found;
}

function tryRead(raw: Uint8Array): Certificate | undefined {
  try {
    return readCertificate(Buffer.from(raw));
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
