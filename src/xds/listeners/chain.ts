// Filter chains before they are messages: what a connection must look like, how it is decrypted, what happens to it
// (Istio networking/core/listener.go filterChainOpts).
import {
  create,
  type DownstreamTlsContext,
  type Filter,
  type FilterChain,
  type FilterChainMatch,
  FilterChainMatchSchema,
  FilterChainSchema,
  toDuration,
} from "../../envoy-api/index.ts";
import { cidrKey } from "../cidr.ts";
import { downstreamSocket } from "../tls/sockets.ts";

export interface ChainPlan {
  readonly name?: string;
  /** Names a client may ask for; empty or with `*`: any, also none. */
  readonly sniHosts: readonly string[];
  /** CIDRs the connection must go to; empty = any. */
  readonly subnets: readonly string[];
  readonly applicationProtocols?: readonly string[];
  readonly transportProtocol?: "tls" | "raw_buffer";
  readonly tls?: DownstreamTlsContext | undefined;
  readonly filters: readonly Filter[];
  /** Clusters that its TCP filters name. */
  readonly clusters: readonly string[];
}

/** A client that does not finish its handshake is cut after this. */
export const HANDSHAKE_MS = 15_000;

const ANY_ADDRESSES: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

function isAnySni(plan: ChainPlan): boolean {
  return plan.sniHosts.length === 0 || plan.sniHosts.includes("*");
}

export function matchesAll(plan: ChainPlan): boolean {
  const open = plan.applicationProtocols === undefined && plan.transportProtocol === undefined;
  return open && isAnySni(plan) && plan.subnets.length === 0;
}

function rangeOf(cidr: string): { addressPrefix: string; prefixLen: number } {
  const [addressPrefix = "", length] = cidr.split("/");
  return { addressPrefix, prefixLen: length === undefined ? (addressPrefix.includes(":") ? 128 : 32) : Number(length) };
}

function matchOf(plan: ChainPlan): FilterChainMatch | undefined {
  if (matchesAll(plan)) return undefined;
  const ranges = [...plan.subnets].sort().map(rangeOf);
  return create(FilterChainMatchSchema, {
    ...(isAnySni(plan) ? {} : { serverNames: [...plan.sniHosts].sort() }),
    prefixRanges: ranges.filter((range) => !ANY_ADDRESSES.has(range.addressPrefix)),
    applicationProtocols: [...(plan.applicationProtocols ?? [])],
    transportProtocol: plan.transportProtocol ?? "",
  } as never);
}

export function buildChain(plan: ChainPlan): FilterChain {
  const match = matchOf(plan);
  return create(FilterChainSchema, {
    ...(plan.name === undefined ? {} : { name: plan.name }),
    ...(match === undefined ? {} : { filterChainMatch: match }),
    ...(plan.tls === undefined
      ? {}
      : { transportSocket: downstreamSocket(plan.tls), transportSocketConnectTimeout: toDuration(HANDSHAKE_MS) }),
    filters: [...plan.filters],
  });
}

/** Some chain asks for a name or a protocol inside TLS, so TLS must be looked into before a chain is chosen. */
export function readsTls(plans: readonly ChainPlan[]): boolean {
  return plans.some((plan) => plan.sniHosts.length > 0 || (plan.tls?.commonTlsContext?.alpnProtocols.length ?? 0) > 0);
}

/** Equal for chains that Envoy would not tell apart: it refuses a listener with two of them. */
function matchKey(plan: ChainPlan): string {
  const subnets = plan.subnets.flatMap((text) => (ANY_ADDRESSES.has(rangeOf(text).addressPrefix) ? [] : (cidrKey(text) ?? [])));
  const names = plan.sniHosts.filter((name) => name !== "*");
  return JSON.stringify([
    plan.transportProtocol ?? "",
    plan.applicationProtocols ?? [],
    [...new Set(names)].sort(),
    [...new Set(subnets)].sort(),
  ]);
}

/** The older chains, and those of the others that match something else. */
export function mergeChains(older: readonly ChainPlan[], younger: readonly ChainPlan[]): readonly ChainPlan[] {
  const taken = new Set(older.map(matchKey));
  const merged = [...older];
  for (const plan of younger) {
    const key = matchKey(plan);
    if (taken.has(key)) continue;
    taken.add(key);
    merged.push(plan);
  }
  return merged;
}

/** A name leads to the first chain that has it; Envoy refuses a listener where it could lead to two. */
export function distinctNames(plans: readonly ChainPlan[]): readonly ChainPlan[] {
  const taken = new Set<string>();
  return plans.flatMap((plan) => {
    const rest = matchKey({ ...plan, sniHosts: [] });
    const names = isAnySni(plan) ? ["*"] : [...new Set(plan.sniHosts)];
    const free = names.filter((name) => !taken.has(`${rest} ${name}`));
    for (const name of free) taken.add(`${rest} ${name}`);
    if (free.length === 0) return [];
    return [free.length === names.length ? plan : { ...plan, sniHosts: free }];
  });
}

/** Plain HTTP is told from other bytes by looking at them. */
export function readsHttp(plans: readonly ChainPlan[]): boolean {
  return plans.some((plan) => (plan.applicationProtocols?.length ?? 0) > 0);
}
