// Values of x-request-id: UUIDs of version 4 (RFC 9562), from the system's generator. Made many at a time, because each request needs one.
import { randomFillSync } from "node:crypto";

const BATCH = 128;
const BYTES = 16;
const CHARS = 36;
const HEX = Buffer.from("0123456789abcdef", "latin1");
const HYPHEN = 45;
/** 1 = a hyphen stands before this byte. */
const GROUP = Uint8Array.of(0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0);

const random = Buffer.alloc(BATCH * BYTES);
const written = Buffer.alloc(BATCH * CHARS);
let text = "";
let at = 0;

export function newRequestId(): string {
  if (at === text.length) makeMore();
  const from = at;
  at += CHARS;
  return text.slice(from, at);
}

function makeMore(): void {
  randomFillSync(random);
  let to = 0;
  for (let i = 0; i < random.length; i++) {
    const place = i % BYTES;
    let byte = random[i] as number;
    // Version and variant (section 4).
    if (place === 6) byte = (byte & 0x0f) | 0x40;
    else if (place === 8) byte = (byte & 0x3f) | 0x80;
    if (GROUP[place] === 1) written[to++] = HYPHEN;
    written[to++] = HEX[byte >> 4] as number;
    written[to++] = HEX[byte & 15] as number;
  }
  text = written.toString("latin1");
  at = 0;
}
