// Zone aware routing: of the requests of a zone's proxies, as many as its endpoints can bear stay in the zone, and the rest goes where there is
// capacity to spare. Both are reckoned by heads: the proxies' own cluster says how many callers each zone has.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/zone_aware
import type { ZoneRouting } from "../../config/index.ts";
import type { Counter } from "../../observe/stats.ts";
import type { Host } from "../host.ts";
import { isHealthy, type LocalityGroup, type PriorityGroup } from "./host-groups.ts";
import type { Picker } from "./picker.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats#load-balancer-statistics */
export interface ZoneStats {
  readonly recalculated: Counter;
  readonly localClusterNotOk: Counter;
  readonly clusterTooSmall: Counter;
  readonly allDirectly: Counter;
  readonly sampled: Counter;
  readonly crossZone: Counter;
  readonly noCapacityLeft: Counter;
}

export function createZoneStats(counter: (suffix: string) => Counter): ZoneStats {
  return {
    recalculated: counter("lb_recalculate_zone_structures"),
    localClusterNotOk: counter("lb_local_cluster_not_ok"),
    clusterTooSmall: counter("lb_zone_cluster_too_small"),
    allDirectly: counter("lb_zone_routing_all_directly"),
    sampled: counter("lb_zone_routing_sampled"),
    crossZone: counter("lb_zone_routing_cross_zone"),
    noCapacityLeft: counter("lb_zone_no_capacity_left"),
  };
}

/** The cluster that this proxy is itself an endpoint of. */
export interface LocalCluster {
  readonly hosts: readonly Host[];
  readonly stats: ZoneStats;
}

export interface ZoneInput {
  readonly group: PriorityGroup;
  readonly fit: "healthy" | "degraded";
  readonly rules: ZoneRouting;
  readonly local: LocalCluster;
  readonly ownLocality: string;
  /** In whole per cent, of the local cluster too. */
  readonly panicThreshold: number;
  readonly random: () => number;
  balance(hosts: readonly Host[]): Picker;
}

/** Shares of all callers and all endpoints are counted in these. */
const WHOLE = 10_000;

function part(count: number, total: number): number {
  return total === 0 ? 0 : Math.floor((WHOLE * count) / total);
}

interface Zone {
  /** The part of all healthy endpoints, and of all callers, that are in it. */
  readonly endpoints: number;
  readonly callers: number;
}

function zonesOf({ localities, healthy }: PriorityGroup, local: readonly Host[]): readonly Zone[] {
  const callers = local.filter(isHealthy);
  const count = (locality: string): number => callers.filter((host) => host.config.locality === locality).length;
  return localities.map((zone) =>
    // Envoy cannot tell the locality of endpoints that are not there.
    zone.healthy.length === 0
      ? { endpoints: 0, callers: 0 }
      : { endpoints: part(zone.healthy.length, healthy.length), callers: part(count(zone.locality), callers.length) },
  );
}

/** What zones can take from elsewhere, each with those before it. */
function residuals(zones: readonly Zone[], hasOwn: boolean): readonly number[] {
  let sum = 0;
  return zones.map(({ endpoints, callers }, i) => {
    if (!(i === 0 && hasOwn) && endpoints > callers) sum += endpoints - callers;
    return sum;
  });
}

function inPanic(hosts: readonly Host[], threshold: number): boolean {
  const fit = hosts.filter((host) => host.config.healthy && !host.leftOut);
  return hosts.length === 0 ? threshold > 0 : (100 * fit.length) / hosts.length < threshold;
}

/** undefined: zones do not count here and now. */
export function createZonePicker(input: ZoneInput): Picker | undefined {
  const { group, rules, local, ownLocality: own, random } = input;
  const { localities } = group;
  const { stats } = local;
  stats.recalculated.value++;
  const localZones = new Set(local.hosts.map((host) => host.config.locality));
  if (localities.length < 2 || localZones.size < 2) return undefined;
  if (own === "" || !localZones.has(own)) {
    stats.localClusterNotOk.value++;
    return undefined;
  }
  if (group.healthy.length < rules.minClusterSize) {
    stats.clusterTooSmall.value++;
    return undefined;
  }
  const whole = input.balance(group[input.fit]);
  const panic = inPanic(local.hosts, input.panicThreshold);
  const choose = createChoice(input, localities);
  const pickers = localities.map((zone) => input.balance(zone[input.fit]));
  return {
    pick(context) {
      if (rules.routingEnabled < 100 && random() * 100 >= rules.routingEnabled) return whole.pick(context);
      if (panic) {
        stats.localClusterNotOk.value++;
        return rules.failOnPanic ? undefined : whole.pick(context);
      }
      return pickers[choose()]?.pick(context);
    },
  };
}

/** Number of the zone that the next request goes to; the proxy's own comes first where there is one. */
function createChoice({ group, local, ownLocality, random }: ZoneInput, localities: readonly LocalityGroup[]): () => number {
  const { stats } = local;
  const zones = zonesOf(group, local.hosts);
  const [first] = zones as readonly [Zone, ...Zone[]];
  const hasOwn = localities[0]?.locality === ownLocality;
  if (hasOwn && first.endpoints > 0 && first.endpoints >= first.callers) {
    return () => {
      stats.allDirectly.value++;
      return 0;
    };
  }
  const stays = hasOwn && first.callers > 0 ? Math.floor((first.endpoints * WHOLE) / first.callers) : 0;
  const capacity = residuals(zones, hasOwn);
  const total = capacity.at(-1) ?? 0;
  return () => {
    if (Math.floor(random() * WHOLE) < stays) {
      stats.sampled.value++;
      return 0;
    }
    stats.crossZone.value++;
    if (total === 0) {
      stats.noCapacityLeft.value++;
      return Math.floor(random() * zones.length);
    }
    const draw = Math.floor(random() * total);
    let zone = 0;
    while (draw > (capacity[zone] as number)) zone++;
    return zone;
  };
}
