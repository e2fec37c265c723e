// The names among the endpoints of all DNS clusters. A cluster is warm as soon as one of its names has been answered for the first time, with
// addresses, without, or by a failure; a lookup that fails keeps what was known.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/service_discovery#logical-dns
import { isIP } from "node:net";
import type { Clock, Rng } from "../../../kit/index.ts";
import type { ClusterConfig, DnsConfig } from "../../config/index.ts";
import type { Stats } from "../../observe/stats.ts";
import { isSocketPath } from "../../transport/socket-path.ts";
import type { ResolverFor } from "./dns-resolver.ts";
import { CLUSTER_TAG } from "../cluster-stats.ts";
import { createDnsStats, type DnsStats, statNameOf } from "./dns-stats.ts";
import { followName, type NameFollower } from "./name-follower.ts";
import type { DnsAnswer } from "./resolver.ts";

export interface ClusterNames {
  /** Follows the names of this config of a cluster from now on; what is known of names that stay is kept. */
  prepare(config: ClusterConfig): void;
  warm(config: ClusterConfig): boolean;
  /** As last found, in the order of the answer. */
  addresses(cluster: string, name: string): readonly string[];
  forget(cluster: string): void;
  /** `warmed`: its first answer. */
  subscribe(onAnswer: (cluster: string, warmed: boolean) => void): () => void;
  stop(): void;
}

export interface ClusterNamesOptions {
  readonly resolverFor: ResolverFor;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly stats: Stats;
}

interface Followed {
  config: ClusterConfig;
  warm: boolean;
  stats: DnsStats;
  readonly followers: Map<string, NameFollower>;
  readonly known: Map<string, readonly string[]>;
}

export const DEFAULT_DNS: DnsConfig = Object.freeze<DnsConfig>({
  family: "AUTO",
  refreshMs: 5000,
  minRefreshMs: 0,
  jitterMs: 0,
  respectTtl: false,
  failure: undefined,
  resolver: { kind: "dns", servers: [] },
  waitForFirst: true,
});

const NONE: readonly string[] = [];

export function usesDns({ type }: ClusterConfig): boolean {
  return type === "STRICT_DNS" || type === "LOGICAL_DNS";
}

export function isName(address: string): boolean {
  return isIP(address) === 0 && !isSocketPath(address);
}

function namesOf(config: ClusterConfig): ReadonlySet<string> {
  return new Set((config.endpoints?.endpoints ?? []).map(({ address }) => address).filter(isName));
}

export function createClusterNames({ resolverFor, clock, rng, stats }: ClusterNamesOptions): ClusterNames {
  const clusters = new Map<string, Followed>();
  const subscribers = new Set<(cluster: string, warmed: boolean) => void>();

  /** False = it counts as a failure. */
  function answer(cluster: Followed, name: string, found: DnsAnswer): boolean {
    const warmed = !cluster.warm;
    cluster.warm = true;
    // No address is an answer, except where there can be only one host.
    const good = !found.failed && (found.addresses.length > 0 || cluster.config.type === "STRICT_DNS");
    if (good) cluster.stats.success.value++;
    else cluster.stats.failure.value++;
    const changed = good && found.addresses.join() !== cluster.known.get(name)?.join();
    if (changed) cluster.known.set(name, found.addresses);
    else if (good) cluster.stats.noRebuild.value++;
    if (changed || warmed) for (const subscriber of subscribers) subscriber(cluster.config.name, warmed);
    return good;
  }

  function start(cluster: Followed, name: string): NameFollower {
    const config = cluster.config.dns ?? DEFAULT_DNS;
    return followName(name, {
      config,
      resolver: resolverFor(config.resolver),
      clock,
      rng,
      onAttempt: () => void cluster.stats.attempt.value++,
      onAnswer: (found) => answer(cluster, name, found),
    });
  }

  function stopAll({ followers }: Followed): void {
    for (const follower of followers.values()) follower.stop();
    followers.clear();
  }

  return {
    prepare(config) {
      if (!usesDns(config)) return;
      const names = namesOf(config);
      const before = clusters.get(config.name);
      if (before?.config === config) return;
      const cluster = before ?? {
        config,
        warm: false,
        stats: createDnsStats(stats, config),
        followers: new Map<string, NameFollower>(),
        known: new Map<string, readonly string[]>(),
      };
      const same = JSON.stringify(cluster.config.dns) === JSON.stringify(config.dns) && cluster.config.type === config.type;
      // What still runs with the config before may need them.
      const old = namesOf(cluster.config);
      cluster.config = config;
      if (before === undefined) clusters.set(config.name, cluster);
      else cluster.stats = createDnsStats(stats, config);
      for (const [name, follower] of cluster.followers) {
        if (same && names.has(name)) continue;
        follower.stop();
        cluster.followers.delete(name);
      }
      for (const name of cluster.known.keys()) if (!names.has(name) && !old.has(name)) cluster.known.delete(name);
      cluster.warm = names.size === 0 || !(config.dns ?? DEFAULT_DNS).waitForFirst || [...names].some((name) => cluster.known.has(name));
      for (const name of names) if (!cluster.followers.has(name)) cluster.followers.set(name, start(cluster, name));
    },
    warm: (config) => !usesDns(config) || clusters.get(config.name)?.warm === true,
    addresses: (cluster, name) => clusters.get(cluster)?.known.get(name) ?? NONE,
    forget(name) {
      const cluster = clusters.get(name);
      if (cluster === undefined) return;
      stopAll(cluster);
      clusters.delete(name);
      stats.drop(CLUSTER_TAG, statNameOf(cluster.config));
    },
    subscribe(onAnswer) {
      subscribers.add(onAnswer);
      return () => subscribers.delete(onAnswer);
    },
    stop() {
      for (const cluster of clusters.values()) stopAll(cluster);
      clusters.clear();
      subscribers.clear();
    },
  };
}
