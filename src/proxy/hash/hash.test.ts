import { describe, expect, test } from "vitest";
import { seededRng } from "../../kit/index.ts";
import { compareHash, type Hash64, hexHash, moduloHash, randomHash, rotateHash, xorHash, xxh64 } from "./index.ts";

const MASK = (1n << 64n) - 1n;
const big = ({ hi, lo }: Hash64): bigint => (BigInt(hi) << 32n) | BigInt(lo);
const rotl = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (64n - n))) & MASK;

const P = [0n, 0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n] as const;

/** The specification read literally, on BigInt. */
function reference(bytes: Buffer, seed: bigint): bigint {
  const mul = (a: bigint, b: bigint): bigint => (a * b) & MASK;
  const sum = (...parts: bigint[]): bigint => parts.reduce((a, b) => (a + b) & MASK, 0n);
  const round = (acc: bigint, lane: bigint): bigint => mul(rotl(sum(acc, mul(lane, P[2])), 31n), P[1]);
  let at = 0;
  let acc = sum(seed, P[5]);
  if (bytes.length >= 32) {
    const lanes = [sum(seed, P[1], P[2]), sum(seed, P[2]), seed, sum(seed, (1n << 64n) - P[1])];
    for (; at + 32 <= bytes.length; at += 32) {
      for (const [i, lane] of lanes.entries()) lanes[i] = round(lane, bytes.readBigUInt64LE(at + 8 * i));
    }
    const turns = [1n, 7n, 12n, 18n];
    acc = sum(...lanes.map((lane, i) => rotl(lane, turns[i] ?? 0n)));
    for (const lane of lanes) acc = sum(mul(acc ^ round(0n, lane), P[1]), P[4]);
  }
  acc = sum(acc, BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) acc = sum(mul(rotl(acc ^ round(0n, bytes.readBigUInt64LE(at)), 27n), P[1]), P[4]);
  if (at + 4 <= bytes.length) {
    acc = sum(mul(rotl(acc ^ mul(BigInt(bytes.readUInt32LE(at)), P[1]), 23n), P[2]), P[3]);
    at += 4;
  }
  for (; at < bytes.length; at++) acc = mul(rotl(acc ^ mul(BigInt(bytes[at] ?? 0), P[5]), 11n), P[1]);
  acc = mul(acc ^ (acc >> 33n), P[2]);
  acc = mul(acc ^ (acc >> 29n), P[3]);
  return acc ^ (acc >> 32n);
}

describe("xxh64", () => {
  test.each([
    ["", "ef46db3751d8e999"],
    ["a", "d24ec4f1a98c6e5b"],
    ["abc", "44bc2cf5ad770999"],
  ])("published value of %j", (text, hex) => {
    expect(hexHash(xxh64(text))).toBe(hex);
  });

  test("every length up to 200 bytes, any bytes, any seed: as the specification says", () => {
    const rng = seededRng(11);
    for (let length = 0; length <= 200; length++) {
      const bytes = Buffer.from(Array.from({ length }, () => Math.floor(rng.random() * 256)));
      const seed = length % 3 === 0 ? { hi: 0, lo: 0 } : randomHash(() => rng.random());
      expect(big(xxh64(bytes.toString("latin1"), seed))).toBe(reference(bytes, big(seed)));
    }
  });
});

test("modulo, xor, rotation and order agree with 64-bit integers", () => {
  const rng = seededRng(5);
  const draw = (): Hash64 => randomHash(() => rng.random());
  for (const divisor of [1, 2, 3, 100, 65537, 5_000_011, 1_000_000_007, 4294967295]) {
    for (let i = 0; i < 200; i++) {
      const hash = draw();
      expect(moduloHash(hash, divisor)).toBe(Number(big(hash) % BigInt(divisor)));
    }
  }
  for (let i = 0; i < 200; i++) {
    const [a, b] = [draw(), draw()];
    expect(big(xorHash(a, b))).toBe(big(a) ^ big(b));
    expect(big(rotateHash(a))).toBe(rotl(big(a), 1n));
    expect(Math.sign(compareHash(a, b))).toBe(big(a) < big(b) ? -1 : big(a) > big(b) ? 1 : 0);
  }
});
