// Literals that a peer sends again and again without putting them into its table: `date`, `content-length`. The last one of each name is kept with the
// bytes it came in, and the same bytes are the same field: neither read nor looked at a second time.
import type { Http2Header } from "./header.ts";

/** Longer values are not compared. */
const MOST_BYTES = 32;

interface Repeat {
  header: Http2Header;
  readonly bytes: Uint8Array;
  length: number;
}

export class Repeats {
  private readonly last: (Repeat | undefined)[] = [];

  /** The field whose value came in the bytes buf[from, to). `key`: a small number for its name and the coding of its value. */
  find(key: number, buf: Uint8Array, from: number, to: number): Http2Header | undefined {
    const last = this.last[key];
    if (last === undefined || last.length !== to - from) return undefined;
    const { bytes } = last;
    for (let i = last.length - 1; i >= 0; i--) if (bytes[i] !== buf[from + i]) return undefined;
    return last.header;
  }

  keep(key: number, buf: Uint8Array, from: number, to: number, header: Http2Header): void {
    const length = to - from;
    if (length > MOST_BYTES) return;
    let last = this.last[key];
    if (last === undefined) last = this.last[key] = { header, bytes: new Uint8Array(MOST_BYTES), length };
    last.header = header;
    last.length = length;
    for (let i = 0; i < length; i++) last.bytes[i] = buf[from + i] as number;
  }
}
