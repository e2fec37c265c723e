// What changes between two resource sets, computed once per pair of sets and shared by every stream that goes the same way.
import { hash } from "node:crypto";
import { memoByIdentity, memoByIdentity2, type ResourceSet, type XdsResource } from "../kit/index.ts";

export interface SetDiff {
  readonly updates: readonly XdsResource[];
  readonly removed: readonly string[];
  readonly updatedNames: ReadonlySet<string>;
}

const SAME: SetDiff = { updates: [], removed: [], updatedNames: new Set() };

export function sameResource(a: XdsResource | undefined, b: XdsResource | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.version === b.version);
}

export function isEmptyDiff(diff: SetDiff): boolean {
  return diff.updates.length === 0 && diff.removed.length === 0;
}

const diffDifferent: (from: ResourceSet, to: ResourceSet) => SetDiff = memoByIdentity2((from, to) => {
  const updates: XdsResource[] = [];
  const removed: string[] = [];
  let kept = 0;
  for (const [name, resource] of to) {
    const before = from.get(name);
    if (before !== undefined) kept += 1;
    if (!sameResource(before, resource)) updates.push(resource);
  }
  if (kept < from.size) for (const name of from.keys()) if (!to.has(name)) removed.push(name);
  return updates.length === 0 && removed.length === 0
    ? SAME
    : { updates, removed, updatedNames: new Set(updates.map((resource) => resource.name)) };
});

export function diffSets(from: ResourceSet, to: ResourceSet): SetDiff {
  return from === to ? SAME : diffDifferent(from, to);
}

/** One of them where that is all there is: streams in step have the same names, and the same set of them. */
export function union(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined): ReadonlySet<string> | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return new Set([...a, ...b]);
}

/** Over names and versions, whatever their order: the same content has the same hash after a restart. */
export const hashSet: (set: ResourceSet) => string = memoByIdentity((set) => {
  const lines = [...set.values()].map((resource) => `${resource.name}\0${resource.version}`).sort();
  return hash("sha256", lines.join("\n"), "hex").slice(0, 16);
});

/** Sets made from others by the same rule are one object: streams that were in step stay in step. */
export interface SetDeriver {
  derive(base: ResourceSet, other: ResourceSet, signature: string, build: () => ResourceSet): ResourceSet;
}

const MAX_DERIVED = 64;

export function createSetDeriver(): SetDeriver {
  const made = new WeakMap<ResourceSet, WeakMap<ResourceSet, Map<string, ResourceSet>>>();
  return {
    derive(base, other, signature, build) {
      let byOther = made.get(base);
      if (byOther === undefined) made.set(base, (byOther = new WeakMap()));
      let bySignature = byOther.get(other);
      if (bySignature === undefined) byOther.set(other, (bySignature = new Map()));
      const found = bySignature.get(signature);
      if (found !== undefined) return found;
      const set = build();
      if (bySignature.size >= MAX_DERIVED) bySignature.clear();
      bySignature.set(signature, set);
      return set;
    },
  };
}
