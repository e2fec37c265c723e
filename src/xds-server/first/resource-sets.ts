// Pure operations on resource sets, remembered by identity: many streams share the same sets and ask the same questions.
import { createHash } from "node:crypto";
import { memoByIdentity, memoByIdentity2, type ResourceSet, type XdsResource } from "../../kit/index.ts";

export const EMPTY_SET: ResourceSet = new Map();

export interface SetDiff {
  readonly changed: readonly XdsResource[];
  readonly removed: readonly string[];
}

/** What turns `before` into `after`: resources with another version, and names that are gone. */
export const diffSets: (before: ResourceSet, after: ResourceSet) => SetDiff = memoByIdentity2((before, after) => {
  const changed: XdsResource[] = [];
  for (const [name, resource] of after) {
    const old = before.get(name);
    if (old !== resource && old?.version !== resource.version) changed.push(resource);
  }
  const removed = [...before.keys()].filter((name) => !after.has(name));
  return { changed, removed };
});

/** `after` together with what only `before` has. The same object as `after` when nothing would be added. */
export const unionSets: (before: ResourceSet, after: ResourceSet) => ResourceSet = memoByIdentity2((before, after) => {
  const held = [...before].filter(([name]) => !after.has(name));
  return held.length === 0 ? after : new Map([...after, ...held]);
});

/** Hash over names and versions. */
export const hashSet: (set: ResourceSet) => string = memoByIdentity((set) => {
  const hash = createHash("sha256");
  for (const name of [...set.keys()].sort()) hash.update(`${name}\0${set.get(name)?.version}\0`);
  return hash.digest("base64url").slice(0, 12);
});

/** Virtual hosts by the route configuration they belong to (`ROUTE_CONFIG/HOST`). */
export const groupByParent: (set: ResourceSet) => ReadonlyMap<string, readonly string[]> = memoByIdentity((set) =>
  Map.groupBy(set.keys(), parentOf),
);

export function parentOf(name: string): string {
  return name.slice(0, name.indexOf("/"));
}
