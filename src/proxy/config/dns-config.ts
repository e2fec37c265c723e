// How the names of a cluster's endpoints are looked up.

/** AUTO: IPv6 where there is one, else IPv4; V4_PREFERRED the other way round. */
export type DnsFamily = "AUTO" | "V4_ONLY" | "V6_ONLY" | "V4_PREFERRED" | "ALL";

export interface DnsConfig {
  readonly family: DnsFamily;
  readonly refreshMs: number;
  /** An answer counts for at least so long, whatever its TTL. */
  readonly minRefreshMs: number;
  /** Each wait is longer by a random time below this. */
  readonly jitterMs: number;
  /** The answer's own time counts instead of `refreshMs`, where it says one. */
  readonly respectTtl: boolean;
  /** After lookups that failed the delay grows from the first to the second, at random below. undefined: as after those that worked. */
  readonly failure: { readonly baseMs: number; readonly maxMs: number } | undefined;
  readonly resolver: DnsResolverConfig;
  /** The cluster is used only when one of its names has been looked up for the first time. */
  readonly waitForFirst: boolean;
}

/** Names that requests bring: how they are looked up, and how many are kept. */
export interface DnsCacheConfig {
  readonly name: string;
  readonly family: DnsFamily;
  /** For names that could not be looked up. */
  readonly refreshMs: number;
  readonly minRefreshMs: number;
  /** Names that nobody has asked for so long are forgotten. */
  readonly hostTtlMs: number;
  readonly maxHosts: number;
  /** Requests that wait for a name at a time. */
  readonly maxPending: number;
  /** 0 = no limit of the cache's own. */
  readonly queryTimeoutMs: number;
  /** Looked up before anybody asks. */
  readonly early: readonly { readonly host: string; readonly port: number }[];
  readonly failure: DnsConfig["failure"];
  readonly resolver: DnsResolverConfig;
}

/** `dns`: hosts file, then DNS; `system`: whatever the system's own lookups do. */
export interface DnsResolverConfig {
  readonly kind: "dns" | "system";
  /** `address:port`; empty = those of the system. */
  readonly servers: readonly string[];
}
