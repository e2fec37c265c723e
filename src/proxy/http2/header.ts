// One header field as HTTP/2 carries it. Entries are shared and their text never changes: a field that the peer names by index is the same object
// every time, so it costs no string work on either side (RFC 7541), and what was found out about it once is kept with it.

let made = 0;

export class Http2Header {
  /** Lower case; latin1, one character per byte. Pseudo headers keep their colon. */
  readonly name: string;
  /** latin1, one character per byte. */
  readonly value: string;
  /** Never indexed, here or by whoever forwards it (RFC 7541 section 7.1.3). */
  readonly sensitive: boolean;
  /** What block rules know of it (`header-kind.ts`); 0 = not looked at. */
  kind = 0;
  /** What the router's rules know of it in a request and in a response (`http/header-kinds.ts`); -1 = not looked at. */
  requestKind = -1;
  responseKind = -1;
  /** Full match in the static table, 0 = none, -1 = not looked up. */
  staticIndex = -1;
  /** Index of the name in the static table, 0 = none. */
  staticName = 0;
  /** May go into a dynamic table. */
  indexed = false;
  /** Spreads fields over tables. */
  readonly serial: number;

  constructor(name: string, value: string, sensitive = false) {
    made = (made + 1) | 0;
    this.serial = made;
    this.name = name;
    this.value = value;
    this.sensitive = sensitive;
  }

  /** Bytes it counts for in tables and limits (RFC 7541 section 4.1). */
  get size(): number {
    return this.name.length + this.value.length + 32;
  }
}
