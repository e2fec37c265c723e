// loadBalancer of a DestinationRule → model (Istio destination_rule.proto LoadBalancerSettings; ring size 1,024 where nothing is written).
import { parseDuration } from "../../kit/index.ts";
import { failoverLabel } from "../../model/index.ts";
import type { ConsistentHash, ConsistentHashKey, LoadBalancer, LocalityLb, SimpleBalancer, ZoneAwareLb } from "../../model/index.ts";

/** The wire shape; the published types are unions per field and say the same. */
export interface LoadBalancerSpec {
  readonly simple?: string;
  readonly consistentHash?: {
    readonly httpHeaderName?: string;
    readonly httpCookie?: {
      readonly name?: string;
      readonly path?: string;
      readonly ttl?: string;
      readonly attributes?: readonly { readonly name?: string; readonly value?: string }[];
    };
    readonly useSourceIp?: boolean;
    readonly httpQueryParameterName?: string;
    readonly minimumRingSize?: number | string;
    readonly ringHash?: { readonly minimumRingSize?: number | string } | null;
    readonly maglev?: { readonly tableSize?: number | string } | null;
  };
  readonly localityLbSetting?: LocalityLbSpec;
  readonly zoneAwareLbSetting?: ZoneAwareLbSpec;
  readonly warmup?: { readonly duration?: string; readonly minimumPercent?: number; readonly aggression?: number };
  readonly warmupDurationSecs?: string;
}

export interface LocalityLbSpec {
  readonly enabled?: boolean | null;
  readonly distribute?: readonly { readonly from?: string; readonly to?: Readonly<Record<string, number>> }[];
  readonly failover?: readonly { readonly from?: string; readonly to?: string }[];
  readonly failoverPriority?: readonly string[];
}

export interface ZoneAwareLbSpec extends Omit<LocalityLbSpec, "distribute"> {
  readonly minClusterSize?: number | null;
}

const DEFAULT_RING_SIZE = 1024;

const SIMPLE: Readonly<Record<string, SimpleBalancer>> = {
  ROUND_ROBIN: "ROUND_ROBIN",
  LEAST_REQUEST: "LEAST_REQUEST",
  LEAST_CONN: "LEAST_REQUEST",
  RANDOM: "RANDOM",
  PASSTHROUGH: "PASSTHROUGH",
};

export function toLocalityLb(spec: LocalityLbSpec): LocalityLb {
  return {
    enabled: spec.enabled ?? true,
    distribute: (spec.distribute ?? []).map((entry) => ({ from: entry.from ?? "", to: entry.to ?? {} })),
    failover: (spec.failover ?? []).map((entry) => ({ from: entry.from ?? "", to: entry.to ?? "" })),
    failoverPriority: spec.failoverPriority ?? [],
  };
}

export function toZoneAwareLb(spec: ZoneAwareLbSpec): ZoneAwareLb {
  const { enabled, failover, failoverPriority } = toLocalityLb(spec);
  return { enabled, failover, failoverPriority, minClusterSize: spec.minClusterSize ?? undefined };
}

type HashSpec = NonNullable<LoadBalancerSpec["consistentHash"]>;

function toHashKey(spec: HashSpec): ConsistentHashKey | undefined {
  if (spec.httpHeaderName !== undefined) return { kind: "header", name: spec.httpHeaderName };
  const cookie = spec.httpCookie;
  if (cookie !== undefined) {
    return {
      kind: "cookie",
      name: cookie.name ?? "",
      path: cookie.path ?? "",
      ttlMs: cookie.ttl === undefined ? undefined : parseDuration(cookie.ttl),
      attributes: (cookie.attributes ?? []).map((attribute) => [attribute.name ?? "", attribute.value ?? ""] as const),
    };
  }
  if (spec.useSourceIp === true) return { kind: "sourceIp" };
  if (spec.httpQueryParameterName !== undefined) return { kind: "queryParameter", name: spec.httpQueryParameterName };
  return undefined;
}

function toConsistentHash(spec: HashSpec): ConsistentHash | undefined {
  const key = toHashKey(spec);
  if (key === undefined) return undefined;
  if (spec.maglev !== undefined && spec.maglev !== null) {
    const size = spec.maglev.tableSize;
    return { key, algorithm: { kind: "maglev", tableSize: size === undefined ? undefined : Number(size) } };
  }
  const size = Number(spec.ringHash === undefined ? (spec.minimumRingSize ?? 0) : (spec.ringHash?.minimumRingSize ?? 0));
  return { key, algorithm: { kind: "ringHash", minimumRingSize: size === 0 ? DEFAULT_RING_SIZE : size } };
}

type Levels = { readonly base: Balanced; readonly ports: ReadonlyMap<number, Balanced> } | undefined;
interface Balanced {
  readonly loadBalancer: LoadBalancer | undefined;
}

/** Istio's precedence for the route's side of hashing (route.go HashForHTTPDestination): a level without consistentHash hides none below it. */
export function toHashKeyFor(host: Levels, subset: Levels, port: number | undefined): ConsistentHashKey | undefined {
  const keyOf = (policy: Balanced | undefined): ConsistentHashKey | undefined => policy?.loadBalancer?.consistentHash?.key;
  const atPort = (levels: Levels): ConsistentHashKey | undefined => (port === undefined ? undefined : keyOf(levels?.ports.get(port)));
  return atPort(subset) ?? keyOf(subset?.base) ?? atPort(host) ?? keyOf(host?.base);
}

export function failoverLabelsOf(policies: readonly Levels[]): readonly string[] {
  const settings = policies.flatMap((levels) => (levels === undefined ? [] : [levels.base, ...levels.ports.values()]));
  const entries = settings.flatMap(({ loadBalancer: { localityLb, zoneAwareLb } = {} }) => [
    ...(localityLb?.failoverPriority ?? []),
    ...(zoneAwareLb?.failoverPriority ?? []),
  ]);
  return [...new Set(entries.map(failoverLabel))];
}

export function toLoadBalancer(spec: LoadBalancerSpec): LoadBalancer {
  const warmupMs = parseDuration(spec.warmup?.duration ?? spec.warmupDurationSecs ?? "");
  return {
    simple: spec.simple === undefined ? undefined : SIMPLE[spec.simple],
    consistentHash: spec.consistentHash === undefined ? undefined : toConsistentHash(spec.consistentHash),
    localityLb: spec.localityLbSetting === undefined ? undefined : toLocalityLb(spec.localityLbSetting),
    zoneAwareLb: spec.zoneAwareLbSetting === undefined ? undefined : toZoneAwareLb(spec.zoneAwareLbSetting),
    warmup:
      warmupMs === undefined
        ? undefined
        : { durationMs: warmupMs, minimumPercent: spec.warmup?.minimumPercent ?? 10, aggression: spec.warmup?.aggression ?? 1 },
  };
}
