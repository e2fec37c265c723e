// Remembers built virtual hosts by the objects they were made from, per kind of proxy: the reason why a weight change re-encodes one.
import type { ProxyScope } from "../../model/index.ts";

export interface CacheRequest<T> {
  readonly scope: ProxyScope;
  /** The object whose change matters most: the VirtualService, or the service. */
  readonly owner: object;
  readonly key: string;
  /** Everything else it is made from, compared by identity. */
  readonly needs: readonly unknown[];
  make(): T;
}

interface Entry<T> {
  readonly needs: readonly unknown[];
  readonly value: T;
}

export function createHostCache<T>(): { get(request: CacheRequest<T>): T } {
  const scopes = new Map<string, WeakMap<object, Map<string, Entry<T>>>>();
  const texts = new WeakMap<ProxyScope, string>();
  const textOf = (scope: ProxyScope): string => {
    let text = texts.get(scope);
    if (text === undefined) texts.set(scope, (text = JSON.stringify(scope)));
    return text;
  };
  return {
    get({ scope, owner, key, needs, make }) {
      const scopeText = textOf(scope);
      let owners = scopes.get(scopeText);
      if (owners === undefined) scopes.set(scopeText, (owners = new WeakMap()));
      let entries = owners.get(owner);
      if (entries === undefined) owners.set(owner, (entries = new Map()));
      const hit = entries.get(key);
      if (hit !== undefined && hit.needs.length === needs.length && hit.needs.every((n, i) => n === needs[i])) return hit.value;
      const value = make();
      entries.set(key, { needs, value });
      return value;
    },
  };
}
