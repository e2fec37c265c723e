// How a call connects: where to, from which address, and the options of `tls`. With TLS no certificate is checked: the proxy is under test.
import type { NetConnectOpts } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { Call } from "./case.ts";
import type { KeyPair } from "./certs.ts";
import type { CallResult, Pair } from "./result.ts";

export interface Target {
  /** Through the explicit HTTP proxy port: absolute-form request lines. */
  readonly explicit: boolean;
  readonly port: number;
  readonly clients: Readonly<Record<string, KeyPair>>;
}

/** `path`: a Unix socket instead of host and port. */
export type ConnectOptions = { host: string; port: number; path?: string; localAddress?: string } & ConnectionOptions &
  Partial<NetConnectOpts>;

export function connection(call: Call, target: Target, alpn?: string[]): ConnectOptions {
  const options: ConnectOptions = { host: call.to ?? "127.0.0.1", port: target.port };
  if (call.to?.startsWith("@") === true) options.path = `\0${call.to.slice(1)}`;
  if (call.from !== undefined) options.localAddress = call.from;
  const tls = call.tls;
  if (tls === undefined) return options;
  Object.assign(options, { servername: tls.sni ?? "", rejectUnauthorized: false });
  const protocols = tls.alpn ?? alpn;
  if (protocols !== undefined) Object.assign(options, { ALPNProtocols: protocols });
  if (tls.client !== undefined) Object.assign(options, target.clients[tls.client === true ? "client" : tls.client]);
  if (tls.min !== undefined) options.minVersion = tls.min;
  if (tls.max !== undefined) options.maxVersion = tls.max;
  if (tls.ciphers !== undefined) options.ciphers = tls.ciphers;
  return options;
}

/** tls.show: what the proxy presented. */
export function presented(call: Call, socket: TLSSocket): CallResult {
  if (call.tls?.show !== true) return {};
  const cert = socket.getPeerCertificate();
  const name = cert.subject?.CN ?? cert.subjectaltname ?? null;
  return { tls: { cert: name, alpn: socket.alpnProtocol || null, version: socket.getProtocol() } };
}

export function headerList(call: Call): Pair[] {
  return Object.entries(call.headers ?? {}).flatMap(([name, value]) => [value].flat().map((v): Pair => [name, String(v)]));
}

export function pairsOf(raw: readonly string[]): Pair[] {
  const pairs: Pair[] = [];
  for (let i = 0; i < raw.length; i += 2) pairs.push([(raw[i] ?? "").toLowerCase(), raw[i + 1] ?? ""]);
  return pairs;
}

/** The path exactly as the case wrote it (URL would normalise it). */
export function rawPath(url: string): string {
  const at = url.indexOf("/", url.indexOf("//") + 2);
  return at < 0 ? "/" : url.slice(at);
}

export function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? "error";
}
