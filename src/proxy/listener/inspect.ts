// Looks at a connection's first bytes as Envoy's TLS and HTTP inspectors do, to tell what it speaks.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/listener_filters/http_inspector
import { type ClientHello, readClientHello } from "./client-hello.ts";

export interface Inspection {
  readonly transport: "raw_buffer" | "tls";
  readonly serverName: string;
  readonly applicationProtocols: readonly string[];
  readonly hello: ClientHello | undefined;
}

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const MAX_LINE = 8192;

function raw(...applicationProtocols: readonly string[]): Inspection {
  return { transport: "raw_buffer", serverName: "", applicationProtocols, hello: undefined };
}

const RAW = raw();
const HTTP11 = raw("http/1.1");
const HTTP10 = raw("http/1.0");
const H2C = raw("h2c");

/** undefined = more bytes are needed; "refused" = the connection is of no use. */
export function inspect(bytes: Buffer, wants: { readonly tls: boolean; readonly http: boolean }): Inspection | "refused" | undefined {
  if (bytes.length === 0) return undefined;
  if (wants.tls) {
    const hello = readClientHello(bytes);
    if (hello === "more") return undefined;
    if (hello === "too-large") return "refused";
    if (hello !== "none") return { transport: "tls", ...hello, hello };
  }
  return wants.http ? inspectHttp(bytes) : RAW;
}

function inspectHttp(bytes: Buffer): Inspection | undefined {
  const text = bytes.toString("latin1", 0, MAX_LINE);
  if (PREFACE.startsWith(text.slice(0, PREFACE.length))) return text.length >= PREFACE.length ? H2C : undefined;
  const start = text.replace(/^[\r\n]+/, "");
  const eol = start.indexOf("\n");
  if (!/^[A-Z-]{0,20}(?: |$)/.test(start)) return RAW;
  if (eol < 0) return text.length >= MAX_LINE ? RAW : undefined;
  const line = start.slice(0, eol).replace(/\r$/, "");
  const version = / HTTP\/1\.([01])$/.exec(line);
  if (version === null) return RAW;
  return version[1] === "0" ? HTTP10 : HTTP11;
}
