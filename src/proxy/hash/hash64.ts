// What is done with 64-bit hashes: combined, compared and taken modulo, all in exact arithmetic on halves.
import type { Hash64 } from "./xxh64.ts";

/** 0 when equal, else negative or positive, as unsigned numbers. */
export function compareHash(a: Hash64, b: Hash64): number {
  return a.hi - b.hi || a.lo - b.lo;
}

export function xorHash(a: Hash64, b: Hash64): Hash64 {
  return { hi: (a.hi ^ b.hi) >>> 0, lo: (a.lo ^ b.lo) >>> 0 };
}

/** Rotated to the left by one bit. */
export function rotateHash({ hi, lo }: Hash64): Hash64 {
  return { hi: ((hi << 1) | (lo >>> 31)) >>> 0, lo: ((lo << 1) | (hi >>> 31)) >>> 0 };
}

/** `divisor` is at most 2^32. */
export function moduloHash({ hi, lo }: Hash64, divisor: number): number {
  // Sixteen bits at a time, so that no step leaves the integers a double holds exactly.
  const high = hi % divisor;
  const middle = (high * 65536 + (lo >>> 16)) % divisor;
  return (middle * 65536 + (lo & 0xffff)) % divisor;
}

/** Sixteen hexadecimal digits. */
export function hexHash({ hi, lo }: Hash64): string {
  return hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0");
}

/** A uniform one, where a request brings no key. */
export function randomHash(random: () => number): Hash64 {
  return { hi: Math.floor(random() * 4294967296), lo: Math.floor(random() * 4294967296) };
}
