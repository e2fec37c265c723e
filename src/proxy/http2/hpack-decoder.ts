// HPACK decoding (RFC 7541), strict and bounded: a block that is larger than the limits is read to its end, because the tables of both sides must stay
// the same, but nothing of it is kept.
import { Http2Header } from "./header.ts";
import { decodeHuffman } from "./huffman.ts";
import { readLatin1 } from "./latin1.ts";
import { Repeats } from "./repeats.ts";
import { STATIC, STATIC_LENGTH } from "./static-table.ts";

const DEFAULT_TABLE = 4096;
/** More bits than any length in a block of ours can have. */
const MAX_SHIFT = 21;

export interface DecoderLimits {
  readonly headerTableSize: number;
  readonly headerListBytes: number;
  readonly headerCount: number;
}

export class HpackDecoder {
  /** What the last block held: all of it, or its pseudo headers when it was `oversized`. */
  headers: Http2Header[] = [];
  oversized: "" | "count" | "bytes" = "";
  private readonly limits: DecoderLimits;
  /** Entries by how-many-eth, modulo the length; grows by doubling. */
  private table: (Http2Header | undefined)[] = [];
  private inserted = 0;
  private evicted = 0;
  private size = 0;
  private maxSize = DEFAULT_TABLE;
  /** What the peer may set `maxSize` to. */
  private allowed: number;
  /** Our smaller table was acknowledged: the next block must begin with its size. */
  private mustShrink = false;
  private readonly repeats = new Repeats();
  private at = 0;
  private end = 0;
  private broken = false;
  /** The text that was found last: buf[textFrom, at). */
  private textFrom = 0;
  private huffman = false;

  constructor(limits: DecoderLimits) {
    this.limits = limits;
    this.allowed = Math.max(DEFAULT_TABLE, limits.headerTableSize);
  }

  /** The peer knows our SETTINGS_HEADER_TABLE_SIZE now. */
  acknowledged(): void {
    this.allowed = this.limits.headerTableSize;
    this.mustShrink = this.maxSize > this.allowed;
  }

  /** Reads a whole block into `headers`. False = COMPRESSION_ERROR: the tables differ from now on. */
  decode(buf: Buffer, from: number, to: number): boolean {
    const headers: Http2Header[] = [];
    this.headers = headers;
    this.oversized = "";
    this.at = from;
    this.end = to;
    this.broken = false;
    const { headerListBytes, headerCount } = this.limits;
    let bytes = 0;
    let count = 0;
    while (this.at < to) {
      const byte = buf[this.at] as number;
      let entry: Http2Header | undefined;
      if (byte >= 128) entry = this.lookUp(this.readInt(buf, 127));
      else if (byte >= 64) {
        entry = this.readLiteral(buf, this.readInt(buf, 63), "insert");
        if (entry !== undefined) this.insert(entry);
      } else if (byte >= 32) {
        // Only before the first field (section 4.2).
        if (count > 0 || !this.resize(this.readInt(buf, 31))) return false;
        continue;
      } else entry = this.readLiteral(buf, this.readInt(buf, 15), byte >= 16 ? "never index" : "pass");
      if (entry === undefined || this.broken || this.mustShrink) return false;
      count++;
      bytes += entry.name.length + entry.value.length + 32;
      if (bytes <= headerListBytes && count <= headerCount) headers.push(entry);
      else if (this.oversized === "") {
        this.oversized = bytes > headerListBytes ? "bytes" : "count";
        const pseudo = headers.findIndex((header) => header.name.charCodeAt(0) !== 58);
        if (pseudo >= 0) headers.length = pseudo;
      }
    }
    return !this.broken;
  }

  private lookUp(index: number): Http2Header | undefined {
    if (index <= STATIC_LENGTH) return index === 0 ? undefined : STATIC[index];
    const nth = this.inserted - (index - STATIC_LENGTH);
    return nth < this.evicted ? undefined : this.table[nth & (this.table.length - 1)];
  }

  private readLiteral(buf: Buffer, index: number, what: "insert" | "pass" | "never index"): Http2Header | undefined {
    let name: string | undefined;
    if (index !== 0) name = this.lookUp(index)?.name;
    else if (this.findText(buf)) name = this.text(buf);
    if (name === undefined || this.broken || !this.findText(buf)) return undefined;
    const { repeats, textFrom, at, huffman } = this;
    const mayRepeat = what === "pass" && index !== 0 && index <= STATIC_LENGTH;
    const key = huffman ? 2 * index + 1 : 2 * index;
    const repeated = mayRepeat ? repeats.find(key, buf, textFrom, at) : undefined;
    if (repeated !== undefined) return repeated;
    const value = this.text(buf);
    if (value === undefined) return undefined;
    const made = new Http2Header(name, value, what === "never index");
    if (mayRepeat) repeats.keep(key, buf, textFrom, at, made);
    return made;
  }

  /** False: it is not all there. */
  private findText(buf: Buffer): boolean {
    if (this.at >= this.end) return false;
    this.huffman = (buf[this.at] as number) >= 128;
    const length = this.readInt(buf, 127);
    this.textFrom = this.at;
    const to = this.at + length;
    if (this.broken || to > this.end) return false;
    this.at = to;
    return true;
  }

  private text(buf: Buffer): string | undefined {
    const { textFrom, at } = this;
    if (this.huffman) return decodeHuffman(buf, textFrom, at);
    return textFrom === at ? "" : readLatin1(buf, textFrom, at);
  }

  /** An integer with a prefix of the mask's bits (section 5.1). */
  private readInt(buf: Buffer, mask: number): number {
    let value = (buf[this.at++] as number) & mask;
    if (value < mask) return value;
    for (let shift = 0; ; shift += 7) {
      if (this.at >= this.end || shift > MAX_SHIFT) {
        this.broken = true;
        return 0;
      }
      const byte = buf[this.at++] as number;
      value += (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  private resize(size: number): boolean {
    if (this.broken || size > this.allowed) return false;
    this.maxSize = size;
    this.mustShrink = false;
    this.evict(size);
    return true;
  }

  private insert(entry: Http2Header): void {
    const size = entry.size;
    // One that is too large empties the table and stays out of it (section 4.4).
    this.evict(this.maxSize - size);
    if (size > this.maxSize) return;
    if (this.inserted - this.evicted === this.table.length) this.grow();
    this.table[this.inserted++ & (this.table.length - 1)] = entry;
    this.size += size;
  }

  private grow(): void {
    const before = this.table;
    const table = Array.from<Http2Header | undefined>({ length: Math.max(16, before.length * 2) });
    for (let nth = this.evicted; nth < this.inserted; nth++) table[nth & (table.length - 1)] = before[nth & (before.length - 1)];
    this.table = table;
  }

  private evict(target: number): void {
    while (this.size > target && this.evicted < this.inserted) {
      const slot = this.evicted++ & (this.table.length - 1);
      this.size -= (this.table[slot] as Http2Header).size;
      this.table[slot] = undefined;
    }
  }
}
