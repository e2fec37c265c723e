// Keeps what did not change: a list that is equal, element by element, to the one last made under the same key is that very list.
export interface Lineage {
  list<T>(key: string, next: readonly T[]): readonly T[];
  /** The value made last for this key, if it was made from the same parts. */
  value<T>(key: string, parts: readonly unknown[], make: () => T): T;
}

export function sameElements(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

/** Scopes come and go with the proxies; beyond this many keys those that were not asked for longest are forgotten (they are only rebuilt). */
const MAX_KEYS = 50_000;

export function createLineage(maxKeys = MAX_KEYS): Lineage {
  const lists = new Map<string, readonly unknown[]>();
  const values = new Map<string, { readonly parts: readonly unknown[]; readonly value: unknown }>();

  function put<V>(map: Map<string, V>, key: string, value: V): void {
    map.delete(key);
    map.set(key, value);
    if (map.size <= maxKeys) return;
    const oldest = map.keys().next();
    if (oldest.done !== true) map.delete(oldest.value);
  }

  /** Order matters only when it gets full. */
  function refresh<V>(map: Map<string, V>, key: string, value: V): void {
    if (map.size * 2 > maxKeys) put(map, key, value);
  }

  return {
    list<T>(key: string, next: readonly T[]): readonly T[] {
      const last = lists.get(key);
      if (last !== undefined && sameElements(last, next)) {
        refresh(lists, key, last);
        return last as readonly T[];
      }
      put(lists, key, Object.freeze(next));
      return next;
    },
    value<T>(key: string, parts: readonly unknown[], make: () => T): T {
      const last = values.get(key);
      if (last !== undefined && sameElements(last.parts, parts)) {
        refresh(values, key, last);
        return last.value as T;
      }
      const value = make();
      put(values, key, { parts, value });
      return value;
    },
  };
}
