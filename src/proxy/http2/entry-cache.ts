// As which entry of an encoder's table a field stands, found by the field itself: nothing is hashed. It may forget; the table's own maps are asked then.
import type { Http2Header } from "./header.ts";

const SMALLEST = 16;
const LARGEST = 256;

export class EntryCache {
  private headers: (Http2Header | undefined)[] = [];
  private entries: number[] = [];
  private collisions = 0;

  /** How-many-eth entry it was; -1 = not known. */
  find(header: Http2Header): number {
    const slot = header.serial & (this.headers.length - 1);
    return this.headers[slot] === header ? (this.entries[slot] as number) : -1;
  }

  note(header: Http2Header, entry: number): void {
    const { length } = this.headers;
    if (length === 0) this.resize(SMALLEST);
    else if (this.headers[header.serial & (length - 1)] !== undefined && ++this.collisions > 2 * length && length < LARGEST)
      this.resize(2 * length);
    const slot = header.serial & (this.headers.length - 1);
    this.headers[slot] = header;
    this.entries[slot] = entry;
  }

  private resize(length: number): void {
    this.collisions = 0;
    this.headers = Array.from({ length });
    this.entries = Array.from({ length }, () => -1);
  }
}
