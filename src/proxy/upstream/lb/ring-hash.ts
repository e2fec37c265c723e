// Ketama: every host stands on a ring at many points, a key belongs to the next point after its hash.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancers#ring-hash
import { type Hash64, xxh64 } from "../../hash/index.ts";
import type { Host } from "../host.ts";
import type { NormalizedHost } from "./normalized-weights.ts";

/** Finds the host of a key; a later attempt finds another one where there is one. */
export interface HashTable {
  choose(hash: Hash64, attempt: number): Host | undefined;
}

export const EMPTY_TABLE: HashTable = { choose: () => undefined };

export interface RingSizes {
  readonly minimumSize: number;
  readonly maximumSize: number;
}

/** What a host is placed by. */
export type HashKeyOf = (host: Host) => string;

interface Points {
  readonly hi: Uint32Array;
  readonly lo: Uint32Array;
  readonly hosts: readonly Host[];
}

/** The lightest host gets a whole number of points, the others their multiple of it; sums are kept so that fractions do not get lost. */
function placePoints(weights: readonly NormalizedHost[], sizes: RingSizes, keyOf: HashKeyOf): Points {
  const least = weights.reduce((min, { weight }) => Math.min(min, weight), 1);
  const scale = Math.min(Math.ceil(least * sizes.minimumSize) / least, sizes.maximumSize);
  const hi: number[] = [];
  const lo: number[] = [];
  const hosts: Host[] = [];
  let target = 0;
  for (const { host, weight } of weights) {
    const key = `${keyOf(host)}_`;
    target += scale * weight;
    for (let i = 0; hosts.length < target; i++) {
      const hash = xxh64(key + i);
      hi.push(hash.hi);
      lo.push(hash.lo);
      hosts.push(host);
    }
  }
  const order = Uint32Array.from(hosts.keys()).sort(
    (a, b) => (hi[a] as number) - (hi[b] as number) || (lo[a] as number) - (lo[b] as number),
  );
  return {
    hi: Uint32Array.from(order, (i) => hi[i] as number),
    lo: Uint32Array.from(order, (i) => lo[i] as number),
    hosts: Array.from(order, (i) => hosts[i] as Host),
  };
}

export function createRing(weights: readonly NormalizedHost[], sizes: RingSizes, keyOf: HashKeyOf): HashTable {
  if (weights.length === 0) return EMPTY_TABLE;
  const { hi, lo, hosts } = placePoints(weights, sizes, keyOf);
  const size = hosts.length;
  return {
    choose(hash, attempt) {
      let low = 0;
      let high = size;
      while (low < high) {
        const middle = (low + high) >>> 1;
        const before = (hi[middle] as number) < hash.hi || (hi[middle] === hash.hi && (lo[middle] as number) < hash.lo);
        if (before) low = middle + 1;
        else high = middle;
      }
      return hosts[(low + attempt) % size];
    },
  };
}
