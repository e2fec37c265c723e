// The names a client asked for. Their text is shared between streams: a thousand proxies ask for the same thousand names.
import type { ResourceSet } from "../../kit/index.ts";

const MAX_SHARED = 1_000_000;
const shared = new Map<string, string>();

function internName(name: string): string {
  const known = shared.get(name);
  if (known !== undefined) return known;
  if (shared.size >= MAX_SHARED) shared.clear();
  shared.set(name, name);
  return name;
}

export interface Subscription {
  /** True when the name was not there yet. */
  add(name: string): boolean;
  remove(name: string): void;
  addWildcard(): void;
  wildcard(): boolean;
  covers(name: string): boolean;
  intern(name: string): string;
  names(): ReadonlySet<string>;
  /** How many of a set's names are asked for. */
  count(set: ResourceSet): number;
}

export function createSubscription(): Subscription {
  const explicit = new Set<string>();
  let all = false;
  return {
    add(name) {
      if (explicit.has(name)) return false;
      explicit.add(internName(name));
      return true;
    },
    remove(name) {
      if (name === "*") all = false;
      explicit.delete(name);
    },
    addWildcard() {
      all = true;
    },
    wildcard: () => all,
    covers: (name) => all || explicit.has(name),
    intern: internName,
    names: () => explicit,
    count(set) {
      let n = 0;
      for (const name of explicit) if (set.has(name)) n++;
      return n;
    },
  };
}
