// Reads the PROXY protocol header, versions 1 and 2, that a load balancer in front puts before everything else.
// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt and
// https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/listener_filters/proxy_protocol
import { isIP } from "node:net";
import type { ProxyProtocolConfig } from "../config/index.ts";
import { ipText } from "../network/ip-text.ts";

export interface Announced {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

export interface ProxyHeader {
  /** Bytes to drop. */
  readonly length: number;
  /** undefined = the connection speaks for itself. */
  readonly announced: Announced | undefined;
}

/** "more": not all here yet; "none": it does not begin with a header; "broken": it does, but with one that cannot be. */
export type ProxyVerdict = ProxyHeader | "more" | "none" | "broken";

const SIGNATURE_1 = Buffer.from("PROXY ", "latin1");
const SIGNATURE_2 = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const MAX_LENGTH_1 = 107;
const HEADER_2 = 16;
/** TLVs beyond this are no description of a caller any more. */
const MAX_LENGTH_2 = 16_384;

export function readProxyHeader(bytes: Buffer, config: ProxyProtocolConfig): ProxyVerdict {
  if (startsAlike(bytes, SIGNATURE_2)) {
    if (bytes.length < SIGNATURE_2.length) return "more";
    return config.versions.includes(2) ? readVersion2(bytes) : config.optional ? "none" : "broken";
  }
  if (startsAlike(bytes, SIGNATURE_1)) {
    if (bytes.length < SIGNATURE_1.length) return "more";
    return config.versions.includes(1) ? readVersion1(bytes) : config.optional ? "none" : "broken";
  }
  return config.optional ? "none" : "broken";
}

/** As far as both go. */
function startsAlike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.subarray(0, length).equals(signature.subarray(0, length));
}

function readVersion1(bytes: Buffer): ProxyVerdict {
  const end = bytes.indexOf("\r\n");
  if (end < 0) return bytes.length >= MAX_LENGTH_1 ? "broken" : "more";
  if (end + 2 > MAX_LENGTH_1) return "broken";
  const length = end + 2;
  const [, family, source = "", destination = "", sourcePort = "", destinationPort = "", ...rest] = bytes
    .toString("latin1", 0, end)
    .split(" ");
  if (family === "UNKNOWN") return { length, announced: undefined };
  const version = family === "TCP4" ? 4 : family === "TCP6" ? 6 : -1;
  const fits = isIP(source) === version && isIP(destination) === version && isPort(sourcePort) && isPort(destinationPort);
  if (!fits || rest.length > 0) return "broken";
  return announce(length, source, destination, Number(sourcePort), Number(destinationPort));
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function announce(length: number, source: string, destination: string, sourcePort: number, destinationPort: number): ProxyHeader {
  return { length, announced: { remoteAddress: source, localAddress: destination, remotePort: sourcePort, localPort: destinationPort } };
}

function readVersion2(bytes: Buffer): ProxyVerdict {
  if (bytes.length < HEADER_2) return "more";
  const versionAndCommand = bytes[12] as number;
  const family = bytes[13] as number;
  const size = bytes.readUInt16BE(14);
  const command = versionAndCommand & 15;
  if (versionAndCommand >> 4 !== 2 || command > 1 || size > MAX_LENGTH_2) return "broken";
  const length = HEADER_2 + size;
  if (bytes.length < length) return "more";
  // LOCAL: the load balancer's own health check.
  if (command === 0) return { length, announced: undefined };
  const body = bytes.subarray(HEADER_2, length);
  const address = family === 0x11 ? 4 : family === 0x21 ? 16 : undefined;
  if (address === undefined) return "broken";
  const taken = address * 2 + 4;
  if (body.length < taken || !hasWholeTlvs(body.subarray(taken))) return "broken";
  const at = address * 2;
  const source = ipText(body.subarray(0, address)) ?? "";
  const destination = ipText(body.subarray(address, at)) ?? "";
  return announce(length, source, destination, body.readUInt16BE(at), body.readUInt16BE(at + 2));
}

/** Nobody reads them, but one that points past the end is a lie about where the caller's bytes begin. */
function hasWholeTlvs(bytes: Buffer): boolean {
  let at = 0;
  while (at < bytes.length) {
    if (at + 3 > bytes.length) return false;
    at += 3 + bytes.readUInt16BE(at + 1);
  }
  return at === bytes.length;
}
