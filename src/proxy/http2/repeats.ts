// Literals that a peer sends again and again without putting them into its table: `date`, `content-length`. The last one of each name is kept with the
// bytes it came in, and the same bytes are the same field: neither read nor looked at a second time.
import type { Http2Header } from "./header.ts";
import { STATIC_LENGTH } from "./static-table.ts";

/** Longer values are not compared. */
const MOST_BYTES = 32;

interface Repeat {
  header: Http2Header;
  huffman: boolean;
  readonly bytes: Uint8Array;
  length: number;
}

export class Repeats {
  /** By the name's index in the static table. */
  private readonly last: (Repeat | undefined)[] = [];

  /** The field of that name, its value in buf[from, to). */
  find(index: number, buf: Uint8Array, from: number, to: number, huffman: boolean): Http2Header | undefined {
    const last = this.last[index];
    if (last === undefined || last.length !== to - from || last.huffman !== huffman) return undefined;
    const { bytes } = last;
    for (let i = last.length - 1; i >= 0; i--) if (bytes[i] !== buf[from + i]) return undefined;
    return last.header;
  }

  keep(index: number, buf: Uint8Array, from: number, to: number, huffman: boolean, header: Http2Header): void {
    const length = to - from;
    if (index > STATIC_LENGTH || length > MOST_BYTES) return;
    let last = this.last[index];
    if (last === undefined) last = this.last[index] = { header, huffman, bytes: new Uint8Array(MOST_BYTES), length };
    last.header = header;
    last.huffman = huffman;
    last.length = length;
    for (let i = 0; i < length; i++) last.bytes[i] = buf[from + i] as number;
  }
}
