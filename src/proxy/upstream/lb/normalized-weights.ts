// Each host's part of the whole, as hashing balancers place it: its weight among its locality's, times its locality's among all.
import type { Host } from "../host.ts";
import type { PriorityGroup } from "./host-groups.ts";

export interface NormalizedHost {
  readonly host: Host;
  readonly weight: number;
}

function normalize(hosts: readonly Host[], part: number): NormalizedHost[] {
  const sum = hosts.reduce((total, host) => total + host.config.weight, 0);
  return hosts.map((host) => ({ host, weight: (host.config.weight * part) / sum }));
}

/** In Envoy's order and with its arithmetic: a ring that differs in one point would send some key elsewhere. */
export function normalizedWeights(group: PriorityGroup, options: { panic: boolean; localityWeighted: boolean }): readonly NormalizedHost[] {
  const used = (some: { hosts: readonly Host[]; healthy: readonly Host[] }): readonly Host[] => (options.panic ? some.hosts : some.healthy);
  if (!options.localityWeighted) return normalize(used(group), 1);
  const sum = group.localities.reduce((total, { weight }) => total + weight, 0);
  return group.localities.flatMap((locality) => (locality.weight === 0 ? [] : normalize(used(locality), locality.weight / sum)));
}
