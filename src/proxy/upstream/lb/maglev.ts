// Maglev: every host fills its share of one table in an order of its own; a key belongs to the entry at its hash modulo the table's size.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancers#maglev
import { moduloHash, xorHash, xxh64 } from "../../hash/index.ts";
import type { NormalizedHost } from "./normalized-weights.ts";
import { EMPTY_TABLE, type HashKeyOf, type HashTable } from "./ring-hash.ts";

const SKIP_SEED = { hi: 0, lo: 1 };
const FREE = 0xffffffff;

interface Filler {
  readonly skip: number;
  readonly weight: number;
  /** The entry it takes next, if that is free. */
  at: number;
  target: number;
}

/** Index of the host by entry. Hosts take turns, light ones not in every round. */
function fillTable(fillers: readonly Filler[], size: number): Uint32Array {
  const table = new Uint32Array(size).fill(FREE);
  const heaviest = fillers.reduce((max, { weight }) => Math.max(max, weight), 0);
  let filled = 0;
  for (let round = 1; filled < size; round++) {
    for (const [i, filler] of fillers.entries()) {
      if (filled === size) break;
      if (round * filler.weight < filler.target) continue;
      filler.target += heaviest;
      while (table[filler.at] !== FREE) filler.at = (filler.at + filler.skip) % size;
      table[filler.at] = i;
      filler.at = (filler.at + filler.skip) % size;
      filled++;
    }
  }
  return table;
}

function before(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `size` is a prime number. */
export function createMaglev(weights: readonly NormalizedHost[], size: number, keyOf: HashKeyOf): HashTable {
  if (weights.length === 0) return EMPTY_TABLE;
  // The order must not depend on the order the hosts came in.
  const sorted = weights.map(({ host, weight }) => ({ host, weight, key: keyOf(host) })).sort((a, b) => before(a.key, b.key));
  const fillers = sorted.map(({ key, weight }): Filler => ({
    at: moduloHash(xxh64(key), size),
    skip: moduloHash(xxh64(key, SKIP_SEED), Math.max(1, size - 1)) + 1,
    weight,
    target: 0,
  }));
  const table = fillTable(fillers, size);
  return {
    choose(hash, attempt) {
      // Another attempt turns most bits over.
      const tried = attempt === 0 ? hash : xorHash(hash, { hi: 0xffffffff, lo: 4294967296 - attempt });
      return sorted[table[moduloHash(tried, size)] as number]?.host;
    },
  };
}
