// What names lead somewhere: hosts of services, subsets of any DestinationRule, gateways. Made once per set of resources.
import type { DestinationRule, HostIndex, Service } from "../../model/index.ts";
import { createHostIndex, hostCovers, isWildcardHost } from "../../model/index.ts";
import { memoByIdentity, memoByIdentity2 } from "../../kit/index.ts";

export interface KnownNames {
  /** The service that a destination host means: exact, else the wildcard ServiceEntry that covers it. */
  service(host: string): Service | undefined;
  hasSubset(host: string, subset: string): boolean;
  subsetsOf(host: string): readonly string[];
  /** Names that look like this one, nearest first. */
  similarHosts(host: string): readonly string[];
}

const serviceIndex = memoByIdentity((services: readonly Service[]): HostIndex<Service> => {
  const byHost = new Map<string, Service>();
  for (const service of services) if (!byHost.has(service.hostname)) byHost.set(service.hostname, service);
  return createHostIndex(byHost);
});

function firstLabel(host: string): string {
  const dot = host.indexOf(".");
  return dot === -1 ? host : host.slice(0, dot);
}

const byFirstLabel = memoByIdentity((services: readonly Service[]): ReadonlyMap<string, readonly string[]> => {
  const hosts = [...new Set(services.map((service) => service.hostname))];
  return Map.groupBy(hosts, firstLabel);
});

interface Subsets {
  readonly exact: ReadonlyMap<string, ReadonlySet<string>>;
  readonly wildcard: readonly (readonly [string, ReadonlySet<string>])[];
}

const subsetIndex = memoByIdentity((rules: readonly DestinationRule[]): Subsets => {
  const byHost = new Map<string, Set<string>>();
  for (const rule of rules) {
    let names = byHost.get(rule.host);
    if (names === undefined) byHost.set(rule.host, (names = new Set()));
    for (const subset of rule.subsets) names.add(subset.name);
  }
  const wildcard = [...byHost].filter(([host]) => isWildcardHost(host));
  return { exact: byHost, wildcard };
});

export const knownNames: (services: readonly Service[], rules: readonly DestinationRule[]) => KnownNames = memoByIdentity2(
  (services, rules) => {
    const index = serviceIndex(services);
    const subsets = subsetIndex(rules);
    const setsFor = (host: string): readonly ReadonlySet<string>[] => {
      const exact = subsets.exact.get(host);
      const covering = subsets.wildcard.filter(([pattern]) => pattern !== host && hostCovers(pattern, host)).map(([, names]) => names);
      return exact === undefined ? covering : [exact, ...covering];
    };
    return {
      service: (host) => index.mostSpecific(host),
      hasSubset: (host, subset) => setsFor(host).some((names) => names.has(subset)),
      subsetsOf: (host) => [...new Set(setsFor(host).flatMap((names) => [...names]))],
      similarHosts(host) {
        const named = byFirstLabel(services).get(firstLabel(host)) ?? [];
        return named.filter((other) => other !== host).slice(0, 3);
      },
    };
  },
);
