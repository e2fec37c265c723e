// Header names as they stand in bytes, in any case: what may be in one, and which kind of line it begins.

/** By byte: 0 = may not stand in a name (RFC 9110 token), else the byte in lower case; UNDERSCORE is added to that of "_". */
export const NAME_BYTE: Uint16Array = new Uint16Array(256);
export const UNDERSCORE = 256;
for (const c of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  NAME_BYTE[c.charCodeAt(0)] = c.toLowerCase().charCodeAt(0) + (c === "_" ? UNDERSCORE : 0);

/** May it stand in a value or a reason phrase (RFC 9110 section 5.5)? */
export function isValueByte(byte: number): boolean {
  return (byte > 31 && byte !== 127) || byte === 9;
}

interface Known {
  /** In lower case. */
  readonly name: Buffer;
  readonly kind: number;
  readonly next: Known | undefined;
}

const SLOTS = 256;

/** A slot by what costs nothing to know: length, first and last byte. */
function slotOf(length: number, first: number, last: number): number {
  return (length * 41 + (first | 32) * 7 + (last | 32) * 3) & (SLOTS - 1);
}

export class NameTable {
  private readonly slots: (Known | undefined)[] = Array.from({ length: SLOTS });
  private readonly other: number;

  /** `other`: the kind of names that are not known. */
  constructor(kinds: ReadonlyMap<string, number>, other: number) {
    this.other = other;
    for (const [text, kind] of kinds) {
      const name = Buffer.from(text, "latin1");
      const slot = slotOf(name.length, name[0] as number, name[name.length - 1] as number);
      this.slots[slot] = { name, kind, next: this.slots[slot] };
    }
  }

  /** Kind of the name in bytes[from, to), which is not empty. */
  kindOf(bytes: Uint8Array, from: number, to: number): number {
    const length = to - from;
    let known = this.slots[slotOf(length, bytes[from] as number, bytes[to - 1] as number)];
    while (known !== undefined) {
      if (known.name.length === length && begins(bytes, from, known.name)) return known.kind;
      known = known.next;
    }
    return this.other;
  }
}

/** The bytes at `from` are `name`, in any case. */
export function begins(bytes: Uint8Array, from: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (((NAME_BYTE[bytes[from + i] as number] as number) & 255) !== name[i]) return false;
  return true;
}
