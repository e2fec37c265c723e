// Reads the name and the protocols that a TLS client asks for from its first bytes, which may come in any pieces, over several records.
// What BoringSSL would not take for a hello is none. https://www.rfc-editor.org/rfc/rfc8446#section-4.1.2
// and https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/listener_filters/tls_inspector

export interface ClientHello {
  /** Lower case; "" = none. */
  readonly serverName: string;
  readonly applicationProtocols: readonly string[];
}

/** "more": not all here yet; "none": this is no TLS; "too-large": it is, but beyond all reason. */
export type HelloVerdict = ClientHello | "more" | "none" | "too-large";

const RECORD_HEADER = 5;
const MAX_RECORD = 16_384;
const MAX_HELLO = 16_384;
/** A hello in more pieces than this is an attack on our patience. */
const MAX_RECORDS = 256;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;

export function readClientHello(bytes: Buffer): HelloVerdict {
  const message = joinRecords(bytes);
  if (typeof message === "string") return message;
  try {
    return readHello(new Cursor(message));
  } catch (error) {
    if (error instanceof Broken) return "none";
    throw error;
  }
}

/** The handshake message, without its header. */
function joinRecords(bytes: Buffer): Buffer | "more" | "none" | "too-large" {
  const parts: Buffer[] = [];
  let have = 0;
  let wanted = -1;
  let at = 0;
  for (let records = 0; records < MAX_RECORDS; records++) {
    // BoringSSL looks at nothing before five bytes are here.
    if (bytes.length < at + RECORD_HEADER) return "more";
    if (bytes[at] !== HANDSHAKE || bytes[at + 1] !== 3) return "none";
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > MAX_RECORD) return "none";
    const part = bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length);
    parts.push(part);
    have += part.length;
    if (wanted < 0 && have >= 4) {
      const head = parts.length === 1 ? part : Buffer.concat(parts);
      if (head[0] !== CLIENT_HELLO) return "none";
      wanted = 4 + head.readUIntBE(1, 3);
      if (wanted > MAX_HELLO) return "too-large";
    }
    if (wanted >= 0 && have >= wanted) return (parts.length === 1 ? part : Buffer.concat(parts)).subarray(4, wanted);
    if (part.length < length) return "more";
    at += RECORD_HEADER + length;
  }
  return "too-large";
}

class Broken extends Error {}

class Cursor {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at === this.bytes.length;
  }

  number(size: 1 | 2): number {
    const at = this.at;
    if (at + size > this.bytes.length) throw new Broken();
    this.at += size;
    return this.bytes.readUIntBE(at, size);
  }

  take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.bytes.length) throw new Broken();
    const part = this.bytes.subarray(this.at, end);
    this.at = end;
    return part;
  }

  /** A part with its length in front. */
  inner(size: 1 | 2): Cursor {
    return new Cursor(this.take(this.number(size)));
  }

  text(size: 1 | 2): string {
    return this.take(this.number(size)).toString("latin1");
  }
}

function readHello(hello: Cursor): ClientHello {
  // Version, random, session, cipher suites, compression methods.
  hello.take(34);
  hello.inner(1);
  hello.inner(2);
  hello.inner(1);
  const found = { serverName: "", applicationProtocols: [] as readonly string[] };
  if (hello.done) return found;
  const extensions = hello.inner(2);
  if (!hello.done) throw new Broken();
  const seen = new Set<number>();
  while (!extensions.done) {
    const type = extensions.number(2);
    const content = extensions.inner(2);
    if (seen.has(type)) throw new Broken();
    seen.add(type);
    if (type === SERVER_NAME) found.serverName = readServerName(content);
    else if (type === ALPN) found.applicationProtocols = readProtocols(content);
  }
  return found;
}

/** One host name, as BoringSSL wants it. */
function readServerName(extension: Cursor): string {
  const list = extension.inner(2);
  const type = list.number(1);
  const name = list.text(2);
  if (type !== 0 || !list.done || !extension.done || name === "" || name.length > 255 || name.includes("\0")) throw new Broken();
  return name.toLowerCase();
}

function readProtocols(extension: Cursor): string[] {
  const list = extension.inner(2);
  const found: string[] = [];
  if (!extension.done || list.done) throw new Broken();
  while (!list.done) {
    const name = list.text(1);
    if (name === "") throw new Broken();
    found.push(name);
  }
  return found;
}
