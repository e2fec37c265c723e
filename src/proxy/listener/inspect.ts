// Looks at a connection's first bytes as Envoy's TLS and HTTP inspectors do, to tell what it speaks.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/listener_filters/http_inspector
export interface Inspection {
  readonly transport: "raw_buffer" | "tls";
  readonly applicationProtocols: readonly string[];
}

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const RAW: Inspection = { transport: "raw_buffer", applicationProtocols: [] };
const TLS: Inspection = { transport: "tls", applicationProtocols: [] };
const HTTP11: Inspection = { transport: "raw_buffer", applicationProtocols: ["http/1.1"] };
const HTTP10: Inspection = { transport: "raw_buffer", applicationProtocols: ["http/1.0"] };
const H2C: Inspection = { transport: "raw_buffer", applicationProtocols: ["h2c"] };
const MAX_LINE = 8192;

/** undefined = more bytes are needed. */
export function inspect(bytes: Buffer, wants: { readonly tls: boolean; readonly http: boolean }): Inspection | undefined {
  if (bytes.length === 0) return undefined;
  if (wants.tls && bytes[0] === 0x16) {
    if (bytes.length < 3) return undefined;
    if (bytes[1] === 0x03) return TLS;
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
