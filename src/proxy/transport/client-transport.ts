// The client's side: how a connection to an upstream is opened where plain TCP is not all: PROXY protocol header, TLS handshake, checks of the peer.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/tls.proto (UpstreamTlsContext)
import net from "node:net";
import tls from "node:tls";
import { chainProblemOf } from "./accept-tls.ts";
import { type ProxyAddresses, proxyHeader } from "./proxy-header.ts";
import type { ClientTls } from "./tls-contexts.ts";
import type { SslStats } from "./ssl-stats.ts";
import { NO_SECRET, peerProblemText, tlsErrorText } from "./tls-error.ts";
import { ConnectionTls, peerCertificate, type TlsInfo } from "./tls-info.ts";
import { verifyPeer } from "./verify-peer.ts";

/** What one connection adds to its cluster's config. */
export interface ConnectionNames {
  /** Sent as server name; "" = none. */
  readonly sni: string;
  /** The peer's certificate must have one of them; empty = not asked. */
  readonly sans: readonly string[];
  /** Protocols to offer where the config has none. */
  readonly alpn: readonly string[];
  /** For the PROXY protocol; undefined = the connection speaks for itself. */
  readonly addresses: ProxyAddresses | undefined;
}

export interface ClientTransport {
  /** undefined = plain text behind the PROXY header; "missing" = its secret has not come. */
  readonly tls: ClientTls | "missing" | undefined;
  readonly proxyProtocol: 1 | 2 | undefined;
  readonly names: ConnectionNames;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly stats: SslStats;
}

export interface Opening {
  readonly connect: net.NetConnectOpts;
  /** False = the data is still in use. */
  readonly onRead: (length: number, data: Uint8Array) => boolean;
  newBuffer(): Buffer;
  /** The connection can be used; once, unless it fails before. */
  onReady(info: TlsInfo | undefined): void;
  /** Replaces the socket that was given out: that one lives on inside of it. */
  onSocket(sock: net.Socket): void;
}

/** Errors reach the socket's `error` event, those of the handshake with Envoy's text as `reason`. */
export function openTransport(transport: ClientTransport, opening: Opening): net.Socket {
  if (transport.tls === "missing") return failing(NO_SECRET);
  if (transport.proxyProtocol === undefined && transport.tls !== undefined) return openTls(transport, transport.tls, opening);
  return openWithHeader(transport, opening);
}

export class TransportError extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

function failing(reason: string): net.Socket {
  const sock = new net.Socket();
  process.nextTick(() => sock.destroy(new TransportError(reason)));
  return sock;
}

/** Several TLS records can come from one read, and they come on after the reading was stopped: what is still in use must not be written over. */
function onReadOptions({ onRead, newBuffer }: Opening): net.OnReadOpts {
  let buffer = newBuffer();
  let free = true;
  return {
    buffer: () => (free ? buffer : (buffer = newBuffer())),
    callback: (length, data) => (free = onRead(length, data)),
  };
}

function openTls(transport: ClientTransport, client: ClientTls, opening: Opening): net.Socket {
  // The types do not know that `onread` works here too.
  const options: object = { ...opening.connect, ...tlsOptions(transport, client), onread: onReadOptions(opening) };
  const sock = tls.connect(options);
  whenSecure(sock, { transport, client, opening });
  return sock;
}

function tlsOptions({ names }: ClientTransport, { config, context }: ClientTls): tls.ConnectionOptions {
  const protocols = config.alpn.length > 0 ? config.alpn : names.alpn;
  return {
    secureContext: context,
    // Every verdict is taken below, with Envoy's rules.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    // The library refuses addresses as names, and so does RFC 6066.
    ...(names.sni === "" || net.isIP(names.sni) !== 0 ? {} : { servername: names.sni }),
    ...(protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] }),
  };
}

function whenSecure(
  sock: tls.TLSSocket,
  { transport, client, opening }: { transport: ClientTransport; client: ClientTls; opening: Opening },
): void {
  const onEarlyError = (error: NodeJS.ErrnoException): void => {
    if (tlsErrorText(error) !== undefined) transport.stats.failed(undefined);
  };
  sock.on("error", onEarlyError);
  sock.once("secureConnect", () => {
    sock.removeListener("error", onEarlyError);
    const peer = peerCertificate(sock);
    const chainProblem = chainProblemOf(sock);
    const problem = verifyPeer(client.validation, { certificate: peer, chainProblem, now: transport.now(), names: transport.names.sans });
    if (problem !== undefined) {
      transport.stats.failed(problem);
      const sans = peer?.sans.map(({ value }) => value) ?? [];
      sock.destroy(new TransportError(peerProblemText(problem, { chainProblem, sans })));
      return;
    }
    const info = new ConnectionTls(sock, peer);
    transport.stats.secured({ version: info.version, cipher: info.cipher, reused: sock.isSessionReused(), hasPeer: peer !== undefined });
    opening.onReady(info);
  });
}

/** The header leaves before anything else, TLS comes behind it. */
function openWithHeader(transport: ClientTransport, opening: Opening): net.Socket {
  const client = transport.tls === "missing" ? undefined : transport.tls;
  const raw = net.connect({ ...opening.connect, ...(client === undefined ? { onread: onReadOptions(opening) } : {}) });
  raw.once("connect", () => {
    raw.write(proxyHeader(transport.proxyProtocol ?? 1, transport.names.addresses, raw));
    if (client === undefined) {
      opening.onReady(undefined);
      return;
    }
    const sock = tls.connect({ socket: raw, ...tlsOptions(transport, client) });
    sock.on("data", (chunk: Buffer) => {
      if (!opening.onRead(chunk.length, chunk)) sock.pause();
    });
    opening.onSocket(sock);
    whenSecure(sock, { transport, client, opening });
  });
  return raw;
}
