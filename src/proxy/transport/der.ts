// Reads DER (ITU-T X.690) as far as certificates need it. Lengths are checked against what is there: the bytes come from the peer.
export interface Der {
  readonly tag: number;
  /** The whole element, tag and length with it. */
  readonly raw: Buffer;
  readonly content: Buffer;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

export class DerError extends Error {}

/** The element at `at`. Throws a DerError. */
export function readDer(bytes: Buffer, at = 0): Der {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw new DerError("broken element");
  let length = first;
  let start = at + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4 || start + count > bytes.length) throw new DerError("broken length");
    length = bytes.readUIntBE(start, count);
    start += count;
  }
  if (start + length > bytes.length) throw new DerError("element is cut off");
  return { tag, raw: bytes.subarray(at, start + length), content: bytes.subarray(start, start + length) };
}

/** The elements inside a constructed one. */
export function childrenOf({ content }: Der): Der[] {
  const found: Der[] = [];
  let at = 0;
  while (at < content.length) {
    const child = readDer(content, at);
    found.push(child);
    at += child.raw.length;
  }
  return found;
}

/** Dotted. */
export function readOid({ content }: Der): string {
  const arcs: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 127);
    if (value > Number.MAX_SAFE_INTEGER) throw new DerError("broken object identifier");
    if (byte >= 128) continue;
    if (arcs.length === 0) {
      const top = Math.min(2, Math.floor(value / 40));
      arcs.push(top, value - top * 40);
    } else arcs.push(value);
    value = 0;
  }
  return arcs.join(".");
}

/** A text element's characters; undefined = it is no text. */
export function readText({ tag, content }: Der): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      return content.toString("utf8");
    case TAG.printableString:
    case TAG.ia5String:
    case TAG.teletexString:
      return content.toString("latin1");
    case TAG.bmpString:
      return content.length % 2 === 0 ? Buffer.from(content).swap16().toString("utf16le") : undefined;
    default:
      return undefined;
  }
}

/** Milliseconds since 1970. */
export function readTime({ tag, content }: Der): number {
  const text = content.toString("latin1");
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null || (tag === TAG.utcTime) !== (match[1]?.length === 2)) throw new DerError("broken time");
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const full = tag === TAG.utcTime ? (year < 50 ? 2000 + year : 1900 + year) : year;
  return Date.UTC(full, month - 1, day, hour, minute, second);
}
