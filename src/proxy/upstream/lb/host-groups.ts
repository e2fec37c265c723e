// The hosts of a cluster by priority, health and locality: what all balancers choose from. A group is made anew when a host comes, goes or
// changes its health.
import type { Host } from "../host.ts";

/** Some hosts, and which of them are fit. */
export interface HostGroup {
  readonly hosts: readonly Host[];
  readonly healthy: readonly Host[];
  readonly degraded: readonly Host[];
}

export interface LocalityGroup extends HostGroup {
  /** `region/zone/sub_zone` */
  readonly locality: string;
  readonly weight: number;
}

export interface PriorityGroup extends HostGroup {
  /** 0 is the highest. */
  readonly priority: number;
  readonly localities: readonly LocalityGroup[];
}

export function isHealthy(host: Host): boolean {
  return host.config.healthy && !host.leftOut && !host.config.degraded;
}

function toGroup(hosts: readonly Host[]): HostGroup {
  const allHealthy = hosts.every(isHealthy);
  return {
    hosts,
    healthy: allHealthy ? hosts : hosts.filter(isHealthy),
    degraded: allHealthy ? [] : hosts.filter((host) => host.config.healthy && !host.leftOut && host.config.degraded),
  };
}

/** The proxy's own locality comes first, the others in order of their names. */
function toLocalities(hosts: readonly Host[], own: string): LocalityGroup[] {
  const groups = Map.groupBy(hosts, (host) => host.config.locality);
  const names = [...groups.keys()].sort();
  const ordered = own !== "" && groups.has(own) ? [own, ...names.filter((name) => name !== own)] : names;
  return ordered.map((locality) => {
    const members = groups.get(locality) ?? [];
    return { locality, weight: members[0]?.config.localityWeight ?? 0, ...toGroup(members) };
  });
}

/** From the highest priority down. A host of weight 0 is in no group: Envoy's weights start at 1. */
export function groupHosts(hosts: readonly Host[], ownLocality: string): readonly PriorityGroup[] {
  const byPriority = Map.groupBy(
    hosts.filter((host) => host.config.weight > 0),
    (host) => host.config.priority,
  );
  return [...byPriority.entries()]
    .toSorted(([a], [b]) => a - b)
    .map(([priority, members]) => ({ priority, ...toGroup(members), localities: toLocalities(members, ownLocality) }));
}
