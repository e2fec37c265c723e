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
export class ConnectionTls implements TlsInfo {
  readonly version: string;
  readonly cipher: string;
  readonly sessionId = "";
  readonly peer: Certificate | undefined;
  private readonly sock: TLSSocket;

  constructor(sock: TLSSocket, peer: Certificate | undefined) {
    this.sock = sock;
    this.version = sock.getProtocol() ?? "";
    this.cipher = sock.getCipher()?.name ?? "";
    this.peer = peer;
  }

  get peerChain(): readonly Certificate[] {
    return this.peer === undefined ? [] : [this.peer, ...issuersOf(this.sock)];
  }

  get local(): Certificate | undefined {
    const raw = this.sock.getX509Certificate()?.raw;
    return raw === undefined ? undefined : tryRead(raw);
  }
}

/** undefined = none was presented, or none that can be read: then it is no certificate. */
export function peerCertificate(sock: TLSSocket): Certificate | undefined {
  const raw = sock.getPeerX509Certificate()?.raw;
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

/** Most connections show one of few certificates: read once, kept once. By their bytes, the one that was used last at the end. */
const known = new Map<string, Certificate>();
const MAX_KNOWN = 512;

function tryRead(raw: Buffer): Certificate | undefined {
  const key = raw.toString("latin1");
  let certificate = known.get(key);
  if (certificate === undefined) {
    try {
      certificate = readCertificate(Buffer.from(raw));
    } catch (error) {
      if (error instanceof DerError) return undefined;
      throw error;
    }
  }
  known.delete(key);
  known.set(key, certificate);
  if (known.size > MAX_KNOWN) known.delete(known.keys().next().value ?? key);
  return certificate;
}
