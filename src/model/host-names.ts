// Matching of host names with wildcards, as Istio does it (pkg/config/host/name.go): `*` stands only at the front and covers any suffix.
export function isWildcardHost(host: string): boolean {
  return host.startsWith("*");
}

/** Every name that `host` stands for is also one of `pattern` (Istio's SubsetOf). */
export function hostCovers(pattern: string, host: string): boolean {
  if (!isWildcardHost(pattern)) return pattern === host;
  const suffix = pattern.slice(1);
  return isWildcardHost(host) ? host.slice(1).endsWith(suffix) : host.endsWith(suffix);
}

/** The two have a name in common (Istio's Matches). */
export function hostsOverlap(a: string, b: string): boolean {
  return hostCovers(a, b) || hostCovers(b, a);
}

/** Values by host name; the most specific entry that covers a host is found without a scan. */
export interface HostIndex<T> {
  get(host: string): T | undefined;
  /** Exact, else the longest wildcard that covers `host`. */
  mostSpecific(host: string): T | undefined;
  readonly size: number;
}

export function createHostIndex<T>(entries: ReadonlyMap<string, T>): HostIndex<T> {
  const lengths = [...new Set([...entries.keys()].filter(isWildcardHost).map((host) => host.length - 1))].sort((a, b) => b - a);
  return {
    size: entries.size,
    get: (host) => entries.get(host),
    mostSpecific(host) {
      const exact = entries.get(host);
      if (exact !== undefined) return exact;
      const name = isWildcardHost(host) ? host.slice(1) : host;
      for (const length of lengths) {
        if (length > name.length) continue;
        const found = entries.get(`*${name.slice(name.length - length)}`);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}
