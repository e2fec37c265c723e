// What one client wants of one type: everything, or names. Equal subscriptions are one object, so that what follows from them
// (the visible part of a set, the bytes of a response) is computed once for all clients that want the same.
import { hash } from "node:crypto";
import { memoByIdentity2, type ResourceSet, type XdsResource } from "../kit/index.ts";

export interface Subscription {
  readonly wildcard: boolean;
  readonly names: ReadonlySet<string>;
}

export const EMPTY_SET: ResourceSet = new Map();

const NO_NAMES: ReadonlySet<string> = new Set();
export const NOTHING: Subscription = { wildcard: false, names: NO_NAMES };
export const EVERYTHING: Subscription = { wildcard: true, names: NO_NAMES };

export function wants(subscription: Subscription, name: string): boolean {
  return subscription.wildcard || subscription.names.has(name);
}

/** The wanted part of a set; the set itself when that is all of it. */
export const visiblePart: (set: ResourceSet, subscription: Subscription) => ResourceSet = memoByIdentity2((set, subscription) => {
  if (subscription.wildcard || set.size === 0) return set;
  if (subscription.names.size >= set.size) {
    let all = true;
    for (const name of set.keys()) {
      if (subscription.names.has(name)) continue;
      all = false;
      break;
    }
    if (all) return set;
  }
  const part = new Map<string, XdsResource>();
  // In the set's order, so that equal parts encode equally.
  if (subscription.names.size * 8 < set.size) {
    for (const name of subscription.names) {
      const resource = set.get(name);
      if (resource !== undefined) part.set(name, resource);
    }
  } else {
    for (const [name, resource] of set) if (subscription.names.has(name)) part.set(name, resource);
  }
  return part.size === 0 ? EMPTY_SET : part;
});

export interface Subscriptions {
  of(wildcard: boolean, names: ReadonlySet<string>): Subscription;
  change(from: Subscription, change: { readonly add: readonly string[]; readonly remove: readonly string[] }): Subscription;
}

export function createSubscriptions(): Subscriptions {
  const known = new Map<string, WeakRef<Subscription>>();
  const forgotten = new FinalizationRegistry<string>((key) => {
    if (known.get(key)?.deref() === undefined) known.delete(key);
  });

  function of(wildcard: boolean, names: ReadonlySet<string>): Subscription {
    if (names.size === 0) return wildcard ? EVERYTHING : NOTHING;
    const sorted = [...names].sort();
    const key = (wildcard ? "*" : "-") + hash("sha256", JSON.stringify(sorted), "base64");
    const found = known.get(key)?.deref();
    if (found !== undefined) return found;
    const made: Subscription = { wildcard, names: new Set(sorted) };
    known.set(key, new WeakRef(made));
    forgotten.register(made, key);
    return made;
  }

  return {
    of,
    change(from, { add, remove }) {
      if (add.length === 0 && remove.length === 0) return from;
      const names = new Set(from.names);
      let { wildcard } = from;
      for (const name of remove) {
        if (name === "*") wildcard = false;
        else names.delete(name);
      }
      for (const name of add) {
        if (name === "*") wildcard = true;
        else names.add(name);
      }
      return of(wildcard, names);
    },
  };
}
