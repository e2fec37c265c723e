// The server's side of a TLS handshake on a connection that has been accepted, with the bytes that were read of it already.
// Whatever goes wrong ends as a reason in words; nothing throws and no event goes unheard, because either would end the process.
import type net from "node:net";
import { TLSSocket } from "node:tls";
import type { Certificate } from "./certificate.ts";
import type { ServerTls } from "./tls-contexts.ts";
import { peerProblemText, tlsErrorText } from "./tls-error.ts";
import { ConnectionTls, peerCertificate, type TlsInfo } from "./tls-info.ts";
import { type PeerProblem, verifyPeer } from "./verify-peer.ts";

export interface AcceptOptions {
  readonly tls: ServerTls;
  /** What the caller's hello asks for. */
  readonly serverName: string;
  readonly applicationProtocols: readonly string[];
  /** Read already. */
  readonly first: Buffer | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface AcceptHandlers {
  onSecure(sock: TLSSocket, secured: Secured): void;
  /** The connection is gone. `problem` says what was wrong with the caller's certificate. */
  onFailure(reason: string, problem: PeerProblem | undefined): void;
}

export interface Secured {
  readonly info: TlsInfo;
  readonly alpn: string;
  readonly reused: boolean;
}

interface VerifyHandle {
  verifyError?: () => { readonly code?: string } | null | undefined;
}

export function acceptTls(sock: net.Socket, options: AcceptOptions, handlers: AcceptHandlers): TLSSocket {
  const { tls, serverName } = options;
  const alpn = selectProtocol(tls.config.alpn, options.applicationProtocols);
  sock.pause();
  if (options.first !== undefined) sock.unshift(options.first);
  const secured = new TLSSocket(sock, {
    isServer: true,
    secureContext: tls.choose(serverName),
    requestCert: tls.asks,
    // A missing certificate is refused by the library, with the alert that says so; a bad one below.
    rejectUnauthorized: tls.requires,
    ...(alpn === "" ? {} : { ALPNProtocols: [alpn] }),
  });
  let over = false;
  const fail = (reason: string, problem?: PeerProblem): void => {
    if (over) return;
    over = true;
    handlers.onFailure(reason, problem);
    // The TLS socket takes the one below with it; to destroy that one here would pull it from under the library's feet.
    secured.destroy();
  };
  const onTlsError = (error: NodeJS.ErrnoException): void => {
    const missing = error.code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE";
    fail(tlsErrorText(error) ?? "", missing ? "no_certificate" : undefined);
  };
  secured.on("error", onTlsError);
  secured.on("_tlsError", onTlsError);
  sock.on("error", onTlsError);
  const onClosed = (): void => fail("");
  secured.once("close", onClosed);
  secured.once("secure", () => {
    if (over) return;
    const peer = tls.asks ? peerCertificate(secured) : undefined;
    const problem = checkPeer(secured, peer, options);
    if (problem !== undefined) {
      const sans = peer?.sans.map(({ value }) => value) ?? [];
      fail(peerProblemText(problem, { chainProblem: chainProblemOf(secured), sans }), problem);
      return;
    }
    over = true;
    // Everything of the handshake is let go: thousands of idle connections would keep it.
    for (const event of ["error", "_tlsError"]) secured.off(event, onTlsError);
    sock.off("error", onTlsError);
    secured.off("close", onClosed);
    secured.on("error", ignore);
    sock.on("error", ignore);
    // What breaks later ends the connection; the library itself only says so.
    secured.on("_tlsError", destroyThis);
    handlers.onSecure(secured, { info: new ConnectionTls(secured, peer), alpn, reused: secured.isSessionReused() });
  });
  return secured;
}

function ignore(): void {}

function destroyThis(this: TLSSocket): void {
  this.destroy();
}

/** The first of ours that the caller knows; none in common is no error. */
function selectProtocol(ours: readonly string[], theirs: readonly string[]): string {
  return ours.find((protocol) => theirs.includes(protocol)) ?? "";
}

function checkPeer(secured: TLSSocket, certificate: Certificate | undefined, { tls, now }: AcceptOptions): PeerProblem | undefined {
  if (certificate === undefined) return tls.requires ? "no_certificate" : undefined;
  return verifyPeer(tls.validation, { certificate, chainProblem: chainProblemOf(secured), now: now(), names: [] });
}

/** The library's code for what is wrong with the chain; undefined = it is trusted. Where it cannot be asked, nothing is trusted. */
export function chainProblemOf(secured: TLSSocket): string | undefined {
  const handle = (secured as unknown as { _handle?: VerifyHandle | null })._handle;
  if (typeof handle?.verifyError !== "function") return "UNSPECIFIED";
  const error = handle.verifyError();
  return error === null || error === undefined ? undefined : (error.code ?? "UNSPECIFIED");
}
