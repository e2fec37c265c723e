// TLS configs for tests, with Envoy's defaults filled in, and callers that speak TLS.
import tls from "node:tls";
import type { DownstreamTls, TlsParams, UpstreamTls, UpstreamTransport, ValidationConfig } from "../config/index.ts";
import type { TestPair } from "./certs.ts";

const PARAMS: TlsParams = {
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  ciphers: ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
  equalPreference: true,
  curves: ["X25519", "P-256"],
  signatureAlgorithms: [],
};

export function validationConfig(trustedCa: string, over: Partial<ValidationConfig> = {}): ValidationConfig {
  return { trustedCa, systemRoots: false, crl: "", spki: [], hashes: [], sans: [], acceptUntrusted: false, ...over };
}

export function downstreamTls(pairs: readonly TestPair[], over: Partial<DownstreamTls> = {}): DownstreamTls {
  return {
    params: PARAMS,
    alpn: [],
    certificates: pairs.map(({ cert, key }) => ({ chain: cert, key, password: undefined })),
    certificateSecrets: [],
    validation: undefined,
    validationSecret: undefined,
    requireClientCertificate: false,
    sessionTickets: true,
    sessionTimeoutMs: undefined,
    fullScan: false,
    ...over,
  };
}

export function upstreamTransport(over: Partial<UpstreamTls> = {}, proxyProtocol?: 1 | 2): UpstreamTransport {
  const config: UpstreamTls = {
    params: PARAMS,
    alpn: [],
    certificates: [],
    certificateSecrets: [],
    validation: undefined,
    validationSecret: undefined,
    sni: "",
    allowRenegotiation: false,
    ...over,
  };
  return { key: JSON.stringify(config), tls: config, proxyProtocol };
}

export interface TlsAnswer {
  /** "" = none. */
  readonly error: string;
  readonly got: string;
  readonly alpn: string | false | null;
  readonly version: string | null;
  /** What the server showed. */
  readonly subject: string | undefined;
  readonly session: Buffer | undefined;
  readonly reused: boolean;
}

/** Sends one text over TLS and reads until the end. */
export function callTls(
  port: number,
  options: tls.ConnectionOptions,
  text = "GET / HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n\r\n",
): Promise<TlsAnswer> {
  return new Promise((done) => {
    let got = "";
    let error = "";
    let session: Buffer | undefined;
    let seen = {
      alpn: null as string | false | null,
      version: null as string | null,
      subject: undefined as string | undefined,
      reused: false,
    };
    const sock = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
    sock.on("secureConnect", () => {
      const subject = sock.getPeerX509Certificate()?.subject;
      seen = { alpn: sock.alpnProtocol, version: sock.getProtocol(), subject, reused: sock.isSessionReused() };
      sock.write(text);
    });
    sock.on("session", (bytes: Buffer) => (session = bytes));
    sock.on("data", (bytes: Buffer) => (got += bytes.toString("latin1")));
    sock.on("error", (problem: NodeJS.ErrnoException) => (error = problem.code ?? problem.message));
    sock.on("close", () => done({ error, got, session, ...seen }));
  });
}
