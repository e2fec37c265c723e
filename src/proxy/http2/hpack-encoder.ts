// HPACK encoding (RFC 7541). What repeats goes into the dynamic table; what is secret, large or different every time does not. Literals are sent plain.
import { EntryCache } from "./entry-cache.ts";
import type { Http2Header } from "./header.ts";
import { writeLatin1 } from "./latin1.ts";
import { isSecret, noteStatic, STATIC_LENGTH } from "./static-table.ts";

/** Never more than this, whatever the peer offers. */
const MAX_TABLE = 4096;
/** A name whose values were stored this often without one being used again is not stored any more… */
const TRIALS = 8;
/** …until so many of it went by. */
const RETRY = 64;
/** Names that are counted; more are forgotten. */
const MAX_NAMES = 256;
/** Shorter texts are written byte by byte. */
const SHORT = 24;
const RING = 128;

/** What an entry may take besides name and value: three integers. */
export const ENTRY_OVERHEAD = 18;

interface NameRecord {
  /** Values in the table and as which entry each was inserted. */
  readonly values: Map<string, number>;
  stored: number;
  hits: number;
  skipped: number;
}

export class HpackEncoder {
  private readonly cache = new EntryCache();
  private readonly names = new Map<string, NameRecord>();
  /** Entries by how-many-eth: 4096 bytes hold 128 at most. */
  private readonly ring: Http2Header[] = [];
  private readonly ringNames: NameRecord[] = [];
  private readonly most: number;
  private inserted = 0;
  private evicted = 0;
  private size = 0;
  private maxSize = MAX_TABLE;
  /** The table's size has to be said at the start of the next block; the smallest that it had since the last one comes first. */
  private changed = false;
  private smallest = MAX_TABLE;

  /** `most` is our own limit for the table, 0 = none is used. */
  constructor(most: number = MAX_TABLE) {
    this.most = Math.min(most, MAX_TABLE);
    this.resize(this.most);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  resize(size: number): void {
    const next = Math.min(size, this.most);
    if (next === this.maxSize) return;
    this.maxSize = next;
    this.smallest = Math.min(this.changed ? this.smallest : next, next);
    this.changed = true;
    this.evict(next);
  }

  /** Writes the block to out[at…], which has room for names, values and `ENTRY_OVERHEAD` each, and as much once. Returns where it ends. */
  encode(block: readonly Http2Header[], out: Buffer, at: number): number {
    let p = at;
    if (this.changed) {
      this.changed = false;
      if (this.smallest < this.maxSize) p = writeInt(out, p, this.smallest, 31, 32);
      p = writeInt(out, p, this.maxSize, 31, 32);
    }
    for (let i = 0; i < block.length; i++) p = this.encodeOne(block[i] as Http2Header, out, p);
    return p;
  }

  private encodeOne(entry: Http2Header, out: Buffer, at: number): number {
    if (entry.staticIndex < 0) noteStatic(entry);
    if (entry.staticIndex > 0) {
      out[at] = 128 | entry.staticIndex;
      return at + 1;
    }
    if (!entry.indexed) return writeLiteral(entry, out, writeInt(out, at, entry.staticName, 15, isSecret(entry) ? 16 : 0));
    const cached = this.cache.find(entry);
    if (cached >= this.evicted) {
      (this.ringNames[cached & (RING - 1)] as NameRecord).hits++;
      return writeInt(out, at, STATIC_LENGTH + this.inserted - cached, 127, 128);
    }
    const record = this.names.get(entry.name) ?? this.addName(entry.name);
    const known = record.values.get(entry.value);
    if (known !== undefined) {
      record.hits++;
      this.cache.note(entry, known);
      return writeInt(out, at, STATIC_LENGTH + this.inserted - known, 127, 128);
    }
    if (!this.isWorthIt(record) || entry.size > this.maxSize >> 1)
      return writeLiteral(entry, out, writeInt(out, at, entry.staticName, 15, 0));
    const end = writeLiteral(entry, out, writeInt(out, at, entry.staticName, 63, 64));
    this.insert(entry, record);
    return end;
  }

  private isWorthIt(record: NameRecord): boolean {
    if (record.stored < TRIALS || record.hits >= record.stored) return true;
    if (++record.skipped < RETRY) return false;
    record.stored = 0;
    record.hits = 0;
    record.skipped = 0;
    return true;
  }

  private addName(name: string): NameRecord {
    if (this.names.size >= MAX_NAMES) for (const [old, record] of this.names) if (record.values.size === 0) this.names.delete(old);
    const record: NameRecord = { values: new Map(), stored: 0, hits: 0, skipped: 0 };
    this.names.set(name, record);
    return record;
  }

  private insert(entry: Http2Header, record: NameRecord): void {
    this.evict(this.maxSize - entry.size);
    record.stored++;
    // Both counts fade, so that the past does not weigh for ever.
    if (record.stored > 4 * TRIALS) {
      record.stored >>= 1;
      record.hits >>= 1;
    }
    this.cache.note(entry, this.inserted);
    record.values.set(entry.value, this.inserted);
    const slot = this.inserted++ & (RING - 1);
    this.ring[slot] = entry;
    this.ringNames[slot] = record;
    this.size += entry.size;
  }

  private evict(target: number): void {
    while (this.size > target && this.evicted < this.inserted) {
      const slot = this.evicted & (RING - 1);
      const entry = this.ring[slot] as Http2Header;
      const { values } = this.ringNames[slot] as NameRecord;
      this.size -= entry.size;
      if (values.get(entry.value) === this.evicted) values.delete(entry.value);
      this.evicted++;
    }
  }
}

function writeLiteral(entry: Http2Header, out: Buffer, at: number): number {
  return writeText(out, entry.staticName === 0 ? writeText(out, at, entry.name) : at, entry.value);
}

function writeText(out: Buffer, at: number, text: string): number {
  const { length } = text;
  const p = writeInt(out, at, length, 127, 0);
  if (length > SHORT) return p + writeLatin1(out, text, p);
  for (let i = 0; i < length; i++) out[p + i] = text.charCodeAt(i);
  return p + length;
}

/** An integer with a prefix of the mask's bits, under the given high bits (section 5.1). */
function writeInt(out: Buffer, at: number, value: number, mask: number, high: number): number {
  if (value < mask) {
    out[at] = high | value;
    return at + 1;
  }
  out[at] = high | mask;
  let rest = value - mask;
  let p = at + 1;
  while (rest >= 128) {
    out[p++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  out[p++] = rest;
  return p;
}
