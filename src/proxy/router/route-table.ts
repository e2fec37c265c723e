// Finds the virtual host of an authority: exact domain, then the longest `*.suffix`, then the longest `prefix.*`, then `*`; in any case.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto (VirtualHost.domains)
import type { RouteTable, VirtualHost } from "../config/index.ts";

/** Authorities are the callers' choice: what was found is remembered for so many. */
const REMEMBERED = 512;

export type RouteTableParts = Omit<RouteTable, "lookup">;

export function compileRouteTable(parts: RouteTableParts): RouteTable {
  return Object.freeze({ ...parts, lookup: compileLookup(parts.virtualHosts, parts.ignorePortInHostMatching) });
}

/** A domain that stands twice; Envoy refuses such a table. */
export function duplicateDomain(virtualHosts: readonly VirtualHost[]): string | undefined {
  const seen = new Set<string>();
  for (const { domains } of virtualHosts) {
    for (const domain of domains) {
      const key = domain.toLowerCase();
      if (seen.has(key)) return domain;
      seen.add(key);
    }
  }
  return undefined;
}

interface Wildcard {
  readonly text: string;
  readonly host: VirtualHost;
}

export function compileLookup(virtualHosts: readonly VirtualHost[], ignorePort: boolean): RouteTable["lookup"] {
  const exact = new Map<string, VirtualHost>();
  const suffixes: Wildcard[] = [];
  const prefixes: Wildcard[] = [];
  let any: VirtualHost | undefined;
  for (const host of virtualHosts) {
    for (const domain of host.domains.map((one) => one.toLowerCase())) {
      if (domain === "*") any ??= host;
      else if (domain.startsWith("*")) suffixes.push({ text: domain.slice(1), host });
      else if (domain.endsWith("*")) prefixes.push({ text: domain.slice(0, -1), host });
      else if (!exact.has(domain)) exact.set(domain, host);
    }
  }
  const longestFirst = (a: Wildcard, b: Wildcard): number => b.text.length - a.text.length;
  suffixes.sort(longestFirst);
  prefixes.sort(longestFirst);
  if (exact.size === 0 && suffixes.length === 0 && prefixes.length === 0) return () => any;

  function find(authority: string): VirtualHost | undefined {
    const name = (ignorePort ? withoutPort(authority) : authority).toLowerCase();
    const found = exact.get(name);
    if (found !== undefined) return found;
    // The star stands for at least one char.
    for (const { text, host } of suffixes) if (name.length > text.length && name.endsWith(text)) return host;
    for (const { text, host } of prefixes) if (name.length > text.length && name.startsWith(text)) return host;
    return any;
  }

  const remembered = new Map<string, VirtualHost | undefined>();
  return (authority) => {
    const known = remembered.get(authority);
    if (known !== undefined) return known;
    const found = find(authority);
    if (found !== undefined) {
      if (remembered.size >= REMEMBERED) remembered.clear();
      remembered.set(authority, found);
    }
    return found;
  };
}

/** Whatever follows the last colon, port or not; the colons of an IPv6 address stand in brackets. */
function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(":");
  return colon < 0 || authority.lastIndexOf("]") > colon ? authority : authority.slice(0, colon);
}
