// Which localities a proxy's requests go to: shares by locality, or priorities by nearness
// (Istio networking/core/loadbalancer/loadbalancer.go ApplyLocalityLoadBalancer).
import {
  type Endpoint,
  failoverLabel,
  type Locality,
  type LocalityLb,
  localitySetting,
  localityText,
  type MeshSettings,
  type Service,
  splitLocality,
  type TrafficPolicy,
} from "../../model/index.ts";

/** What applies to one cluster, wherever its callers are. */
export interface LocalityRule {
  readonly setting: LocalityLb;
  /** Endpoints have priorities: some must be seen to be sick, or nothing would ever fail over. */
  readonly failsOver: boolean;
  /** Priorities by region only: zones of the caller's own region are left to the proxy. */
  readonly byRegion: boolean;
}

/** Where a caller is. */
export interface CallerPlace {
  readonly locality: Locality;
  readonly labels: Readonly<Record<string, string>>;
}

export interface EndpointGroup {
  readonly locality: Locality;
  readonly endpoints: readonly Endpoint[];
  readonly weight: number;
  readonly priority: number;
}

/** undefined: endpoints are the same to callers everywhere. */
export function localityRule(policy: TrafficPolicy | undefined, service: Service, mesh: MeshSettings): LocalityRule | undefined {
  const { setting, forced, zoneAware } = localitySetting(policy?.loadBalancer, service, mesh);
  if (zoneAware !== undefined) {
    return zoneAware.enabled ? { setting: { ...zoneAware, distribute: [] }, failsOver: true, byRegion: true } : undefined;
  }
  const failsOver = forced || policy?.outlierDetection !== undefined;
  if (setting === undefined || (setting.distribute.length === 0 && !failsOver)) return undefined;
  return { setting, failsOver, byRegion: false };
}

/** Callers with equal keys get equal endpoints. */
export function placeKey(rule: LocalityRule, place: CallerPlace): string {
  const labels = rule.setting.distribute.length > 0 ? [] : rule.setting.failoverPriority.map(failoverLabel);
  return JSON.stringify([localityText(place.locality), labels.map((label) => place.labels[label] ?? "")]);
}

const weightOf = (endpoints: readonly Endpoint[]): number => endpoints.reduce((sum, { weight }) => sum + weight, 0);

/** Without a rule: one group per locality, in order of their names. */
export function groupByLocality(endpoints: readonly Endpoint[]): EndpointGroup[] {
  const groups = [...Map.groupBy(endpoints, ({ locality }) => localityText(locality))];
  return groups
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([text, members]) => ({ locality: splitLocality(text), endpoints: members, weight: weightOf(members), priority: 0 }));
}

export interface LocalityOptions {
  readonly rule: LocalityRule | undefined;
  readonly place: CallerPlace;
  /** Endpoints inside a cluster (DNS): their labels are not compared. */
  readonly ignoreLabels?: boolean;
}

export function groupsFor(endpoints: readonly Endpoint[], { rule, place, ignoreLabels = false }: LocalityOptions): EndpointGroup[] {
  const groups = groupByLocality(endpoints);
  if (rule === undefined) return groups;
  const { distribute, failover, failoverPriority } = rule.setting;
  if (distribute.length > 0) return withShares(groups, place.locality, distribute);
  if (!rule.failsOver) return groups;
  const sorted = failoverPriority.length > 0 && !ignoreLabels;
  const byLabels = sorted ? withFailoverLabels(groups, place.labels, failoverPriority) : groups;
  if (rule.byRegion) return withRegions(byLabels, place.locality, failover);
  if (failoverPriority.length === 0) return withFailover(groups, place.locality, failover);
  return failover.length === 0 ? byLabels : withFailover(byLabels, place.locality, failover);
}

/** A part that is `*`, or missing at the end, fits anything. */
function covers(pattern: string, { region, zone, subZone }: Locality): boolean {
  const wanted = splitLocality(pattern);
  const fits = (part: string, value: string): boolean => part === "*" || part === value;
  return (
    fits(wanted.region, region) &&
    (wanted.zone === "" || fits(wanted.zone, zone)) &&
    (wanted.subZone === "" || fits(wanted.subZone, subZone))
  );
}

/** Where two name a locality, the narrower one has it. */
function narrowFirst(shares: Readonly<Record<string, number>>): readonly (readonly [pattern: string, share: number])[] {
  const width = (pattern: string): number => (pattern.endsWith("*") ? 4 : 3) - pattern.split("/").length;
  return Object.entries(shares).sort(([a], [b]) => width(a) - width(b));
}

/** The first entry for the caller's locality; localities that it does not name get nothing. */
function withShares(groups: readonly EndpointGroup[], own: Locality, distribute: LocalityLb["distribute"]): EndpointGroup[] {
  const entry = distribute.find(({ from }) => covers(from, own));
  if (entry === undefined) return [...groups];
  const shares = new Map<EndpointGroup, number>();
  for (const [pattern, share] of narrowFirst(entry.to)) {
    const named = groups.filter((group) => !shares.has(group) && covers(pattern, group.locality));
    const total = named.reduce((sum, { weight }) => sum + weight, 0);
    for (const group of named) shares.set(group, Math.ceil((group.weight * share) / total));
  }
  return groups.map((group) => {
    const weight = shares.get(group);
    return weight === undefined ? { ...group, endpoints: [] } : { ...group, weight };
  });
}

function nearness(own: Locality, { region, zone, subZone }: Locality): number {
  if (own.region !== region) return 3;
  if (own.zone !== zone) return 2;
  return own.subZone === subZone ? 0 : 1;
}

/** Priorities without gaps, in the same order. */
function compact(groups: readonly EndpointGroup[]): EndpointGroup[] {
  const used = [...new Set(groups.map(({ priority }) => priority))].sort((a, b) => a - b);
  return groups.map((group) => ({ ...group, priority: used.indexOf(group.priority) }));
}

const LEVELS = 5;

/** Same subzone, zone, region, then other regions: those that the caller's region fails over to before the rest. */
function withFailover(groups: readonly EndpointGroup[], own: Locality, failover: LocalityLb["failover"]): EndpointGroup[] {
  const target = failover.find(({ from }) => from === own.region)?.to;
  const leveled = groups.map((group) => {
    const near = nearness(own, group.locality);
    const level = near === 3 && target !== undefined && group.locality.region !== target ? 4 : near;
    return { ...group, priority: group.priority * LEVELS + level };
  });
  return compact(leveled);
}

const REGION_LEVELS = 3;

/** The caller's region, then the one that it fails over to, then the others. */
function withRegions(groups: readonly EndpointGroup[], own: Locality, failover: LocalityLb["failover"]): EndpointGroup[] {
  const target = failover.find(({ from }) => from === own.region)?.to;
  const leveled = groups.map((group) => {
    const { region } = group.locality;
    const level = region === own.region ? 0 : region === target ? 1 : 2;
    return { ...group, priority: group.priority * REGION_LEVELS + level };
  });
  return compact(leveled);
}

/** The more of the labels, from the first on, an endpoint shares with the caller, the higher its priority. */
function withFailoverLabels(groups: readonly EndpointGroup[], own: CallerPlace["labels"], entries: readonly string[]): EndpointGroup[] {
  const wanted = entries.map((entry) => {
    const [label = "", value, ...rest] = entry.split("=");
    return [label, value !== undefined && rest.length === 0 ? value : (own[label] ?? "")] as const;
  });
  const priorityOf = ({ labels }: Endpoint): number => {
    const differs = wanted.findIndex(([label, value]) => (labels[label] ?? "") !== value);
    return differs < 0 ? 0 : wanted.length - differs;
  };
  const split = groups.flatMap((group) =>
    [...Map.groupBy(group.endpoints, priorityOf)]
      .sort(([a], [b]) => a - b)
      .map(([priority, endpoints]) => ({ ...group, endpoints, priority, weight: weightOf(endpoints) })),
  );
  return compact(split);
}
