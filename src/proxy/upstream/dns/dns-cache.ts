// Names that requests bring, looked up when they come and followed while they are used: a bounded cache, shared by all that are configured
// alike. https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/dynamic_forward_proxy_filter
import { isIP } from "node:net";
import type { Clock, Rng } from "../../../kit/index.ts";
import type { DnsCacheConfig, DnsConfig } from "../../config/index.ts";
import type { Stats } from "../../observe/stats.ts";
import { createDnsCacheStats, type DnsCacheStats } from "./dns-cache-stats.ts";
import type { ResolverFor } from "./dns-resolver.ts";
import { nameAndPort } from "./name-and-port.ts";
import { followName, type NameFollower } from "./name-follower.ts";
import type { DnsAnswer, Resolver } from "./resolver.ts";

export interface CachedName {
  readonly name: string;
  readonly port: number;
  /** Empty = it could not be looked up so far. */
  readonly addresses: readonly string[];
  /** Why, in Envoy's words. */
  readonly problem: string;
}

/** `waits`: `onLoaded` comes later; the others are answers of their own. */
export type Load = { readonly kind: "known"; readonly name: CachedName } | { readonly kind: "waits" | "full" | "too many wait" };

interface Entry {
  found: CachedName;
  loaded: boolean;
  usedAt: number;
  waiting: ((name: CachedName) => void)[];
  readonly follower: { current: NameFollower | undefined };
}

const NONE: readonly string[] = [];
const TIMEOUT: DnsAnswer = { addresses: [], ttlMs: undefined, failed: true, problem: "resolve_timeout" };

export class DnsCache {
  private readonly entries = new Map<string, Entry>();
  private readonly config: DnsCacheConfig;
  private readonly followed: DnsConfig;
  private readonly resolver: Resolver;
  private readonly clock: Clock;
  private readonly rng: Rng;
  private readonly stats: DnsCacheStats;
  private pending = 0;

  constructor(config: DnsCacheConfig, { resolverFor, clock, rng, stats }: DnsCacheParts) {
    this.config = config;
    this.clock = clock;
    this.rng = rng;
    this.stats = createDnsCacheStats(stats, config.name);
    this.resolver = withinTime(resolverFor(config.resolver), {
      ms: config.queryTimeoutMs,
      clock,
      onTimeout: () => this.stats.timeout.value++,
    });
    // An answer counts as long as it says, and as long as answers count at least.
    this.followed = {
      family: config.family,
      refreshMs: config.minRefreshMs,
      minRefreshMs: config.minRefreshMs,
      jitterMs: 0,
      respectTtl: true,
      failure: config.failure,
      resolver: config.resolver,
      waitForFirst: true,
    };
    for (const { host, port } of config.early) {
      const { key, name } = nameAndPort(host, port);
      if (!this.entries.has(key)) this.add(key, { name, port, addresses: NONE, problem: "" });
    }
  }

  /** What is known now; undefined = it has not been looked up. */
  find(authority: string, defaultPort: number): CachedName | undefined {
    const entry = this.entries.get(nameAndPort(authority, defaultPort).key);
    if (entry?.loaded !== true) return undefined;
    entry.usedAt = this.clock.now();
    return entry.found;
  }

  /** A host made for this name is still what the name means. Does not count as use. */
  means(name: string, { address, port }: { readonly address: string; readonly port: number }): boolean {
    const key = `${isIP(name) === 6 ? `[${name}]` : name}:${port}`;
    return this.entries.get(key)?.found.addresses[0] === address;
  }

  load(authority: string, defaultPort: number, onLoaded: (name: CachedName) => void): Load {
    const { key, name, port } = nameAndPort(authority, defaultPort);
    const known = this.entries.get(key);
    if (known?.loaded === true) {
      known.usedAt = this.clock.now();
      return { kind: "known", name: known.found };
    }
    if (this.pending >= this.config.maxPending) {
      this.stats.pendingOverflow.value++;
      return { kind: "too many wait" };
    }
    if (known === undefined && this.entries.size >= this.config.maxHosts) {
      this.stats.hostOverflow.value++;
      return { kind: "full" };
    }
    this.pending++;
    (known ?? this.add(key, { name, port, addresses: NONE, problem: "" })).waiting.push(onLoaded);
    return { kind: "waits" };
  }

  private add(key: string, found: CachedName): Entry {
    const entry: Entry = { found, loaded: false, usedAt: this.clock.now(), waiting: [], follower: { current: undefined } };
    this.entries.set(key, entry);
    this.stats.added.value++;
    this.stats.hosts.value = this.entries.size;
    entry.follower.current = followName(found.name, {
      config: this.followed,
      failureMs: this.config.refreshMs,
      resolver: this.resolver,
      clock: this.clock,
      rng: this.rng,
      onAttempt: () => void this.stats.attempt.value++,
      onAnswer: (answer) => this.onAnswer(entry, answer),
      goesOn: () => this.staysUsed(key, entry),
    });
    return entry;
  }

  private onAnswer(entry: Entry, answer: DnsAnswer): boolean {
    if (answer.failed) this.stats.failure.value++;
    else this.stats.success.value++;
    // Once there was an address it stays until there is another.
    if (answer.addresses.length === 0) entry.found = { ...entry.found, problem: answer.problem };
    else if (answer.addresses.join() !== entry.found.addresses.join()) {
      entry.found = { ...entry.found, addresses: answer.addresses };
      this.stats.changed.value++;
    }
    entry.loaded = true;
    const { waiting } = entry;
    entry.waiting = [];
    this.pending -= waiting.length;
    for (const onLoaded of waiting) onLoaded(entry.found);
    return answer.addresses.length > 0;
  }

  private staysUsed(key: string, entry: Entry): boolean {
    if (this.clock.now() - entry.usedAt <= this.config.hostTtlMs) return true;
    this.entries.delete(key);
    this.stats.removed.value++;
    this.stats.hosts.value = this.entries.size;
    return false;
  }

  stop(): void {
    for (const { follower } of this.entries.values()) follower.current?.stop();
    this.entries.clear();
  }
}

export interface DnsCacheParts {
  readonly resolverFor: ResolverFor;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly stats: Stats;
}

function withinTime(
  resolver: Resolver,
  { ms, clock, onTimeout }: { readonly ms: number; readonly clock: Clock; readonly onTimeout: () => void },
): Resolver {
  if (ms <= 0) return resolver;
  return {
    resolve: (name, family) =>
      new Promise((done) => {
        const cancel = clock.after(ms, () => {
          onTimeout();
          done(TIMEOUT);
        });
        void resolver.resolve(name, family).then((answer) => {
          cancel();
          done(answer);
        });
      }),
  };
}

/** The caches of a data plane: clusters and filters that say the same share one. */
export interface DnsCaches {
  get(config: DnsCacheConfig): DnsCache;
  stop(): void;
}

export function createDnsCaches(parts: DnsCacheParts): DnsCaches {
  const caches = new Map<string, DnsCache>();
  return {
    get(config) {
      const key = JSON.stringify(config);
      let cache = caches.get(key);
      if (cache === undefined) caches.set(key, (cache = new DnsCache(config, parts)));
      return cache;
    },
    stop() {
      for (const cache of caches.values()) cache.stop();
      caches.clear();
    },
  };
}
