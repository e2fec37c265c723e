// XXH64 over text that holds one byte per char, in 32-bit halves: BigInt would cost more than the request it is for.
// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md

/** An unsigned 64-bit number as two unsigned halves. */
export interface Hash64 {
  readonly hi: number;
  readonly lo: number;
}

const P1H = 0x9e3779b1;
const P1L = 0x85ebca87;
const P2H = 0xc2b2ae3d;
const P2L = 0x27d4eb4f;
const P3H = 0x165667b1;
const P3L = 0x9e3779f9;
const P4H = 0x85ebca77;
const P4L = 0xc2b2ae63;
const P5H = 0x27d4eb2f;
const P5L = 0x165667c5;

const NO_SEED: Hash64 = { hi: 0, lo: 0 };

// The result of the last operation: functions of JavaScript return one number, and an object for each step would be garbage. Halves are signed, since
// an unsigned one may be too large for V8 to keep without a box.
let h = 0;
let l = 0;

function set(hi: number, lo: number): void {
  h = hi | 0;
  l = lo | 0;
}

function add(hi: number, lo: number): void {
  const sum = (l >>> 0) + (lo >>> 0);
  h = (h + hi + (sum > 0xffffffff ? 1 : 0)) | 0;
  l = sum | 0;
}

function xor(hi: number, lo: number): void {
  h ^= hi;
  l ^= lo;
}

function multiply(hi: number, lo: number): void {
  const a0 = l & 0xffff;
  const a1 = l >>> 16;
  const b0 = lo & 0xffff;
  const b1 = lo >>> 16;
  const low = a0 * b0;
  const left = a0 * b1;
  const right = a1 * b0;
  const middle = (low >>> 16) + (left & 0xffff) + (right & 0xffff);
  const carried = a1 * b1 + (left >>> 16) + (right >>> 16) + (middle >>> 16);
  h = (carried + Math.imul(h, lo) + Math.imul(l, hi)) | 0;
  l = ((middle & 0xffff) << 16) | (low & 0xffff);
}

/** By 1 to 31 bits. */
function rotate(bits: number): void {
  const hi = h;
  h = (hi << bits) | (l >>> (32 - bits));
  l = (l << bits) | (hi >>> (32 - bits));
}

/** By 1 to 63 bits, and mixed in. */
function xorShifted(bits: number): void {
  if (bits >= 32) l ^= h >>> (bits - 32);
  else {
    l ^= (l >>> bits) | (h << (32 - bits));
    h ^= h >>> bits;
  }
}

function word(text: string, at: number): number {
  return text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8) | (text.charCodeAt(at + 2) << 16) | (text.charCodeAt(at + 3) << 24);
}

/** One lane of eight bytes at `at` into the accumulator. */
function round(text: string, at: number, accH: number, accL: number): void {
  set(word(text, at + 4), word(text, at));
  multiply(P2H, P2L);
  add(accH, accL);
  rotate(31);
  multiply(P1H, P1L);
}

/** The four accumulators of long texts; filled and emptied within one call. */
const lanes = new Uint32Array(8);

/** Eats whole stripes of 32 bytes; leaves their digest in the result. Returns where the rest begins. */
function stripes(text: string, seed: Hash64): number {
  set(seed.hi, seed.lo);
  add(P1H, P1L);
  add(P2H, P2L);
  lanes.set([h, l], 0);
  set(seed.hi, seed.lo);
  add(P2H, P2L);
  lanes.set([h, l, seed.hi, seed.lo], 2);
  set(~P1H, ~P1L);
  add(0, 1);
  add(seed.hi, seed.lo);
  lanes.set([h, l], 6);
  let at = 0;
  for (const end = text.length - 32; at <= end; at += 32) {
    for (let lane = 0; lane < 8; lane += 2) {
      round(text, at + lane * 4, lanes[lane] as number, lanes[lane + 1] as number);
      lanes[lane] = h;
      lanes[lane + 1] = l;
    }
  }
  converge();
  return at;
}

const TURNS = [1, 7, 12, 18] as const;

function converge(): void {
  let sumH = 0;
  let sumL = 0;
  for (let lane = 0; lane < 4; lane++) {
    set(lanes[2 * lane] as number, lanes[2 * lane + 1] as number);
    rotate(TURNS[lane] as number);
    add(sumH, sumL);
    sumH = h;
    sumL = l;
  }
  for (let lane = 0; lane < 4; lane++) {
    set(lanes[2 * lane] as number, lanes[2 * lane + 1] as number);
    multiply(P2H, P2L);
    rotate(31);
    multiply(P1H, P1L);
    xor(sumH, sumL);
    multiply(P1H, P1L);
    add(P4H, P4L);
    sumH = h;
    sumL = l;
  }
}

function tail(text: string, from: number): void {
  let at = from;
  for (; at + 8 <= text.length; at += 8) {
    const accH = h;
    const accL = l;
    round(text, at, 0, 0);
    xor(accH, accL);
    rotate(27);
    multiply(P1H, P1L);
    add(P4H, P4L);
  }
  if (at + 4 <= text.length) {
    const accH = h;
    const accL = l;
    set(0, word(text, at));
    multiply(P1H, P1L);
    xor(accH, accL);
    rotate(23);
    multiply(P2H, P2L);
    add(P3H, P3L);
    at += 4;
  }
  for (; at < text.length; at++) {
    const accH = h;
    const accL = l;
    set(0, text.charCodeAt(at) & 0xff);
    multiply(P5H, P5L);
    xor(accH, accL);
    rotate(11);
    multiply(P1H, P1L);
  }
}

/** `text` holds one byte per char. */
export function xxh64(text: string, seed: Hash64 = NO_SEED): Hash64 {
  let at = 0;
  if (text.length >= 32) at = stripes(text, seed);
  else {
    set(seed.hi, seed.lo);
    add(P5H, P5L);
  }
  add(0, text.length);
  tail(text, at);
  xorShifted(33);
  multiply(P2H, P2L);
  xorShifted(29);
  multiply(P3H, P3L);
  xorShifted(32);
  return { hi: h >>> 0, lo: l >>> 0 };
}
