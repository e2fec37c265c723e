// How much of the load each priority gets, in whole per cent as Envoy reckons it: its healthy part times the over-provisioning, what is left
// goes on to the next; when all are too sick, panic shares it by heads.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority and panic_threshold
import type { HostGroup, PriorityGroup } from "./host-groups.ts";

export interface PriorityLoads {
  /** Per cent by priority, for its healthy hosts and then for its degraded ones: 100 together. */
  readonly healthy: readonly number[];
  readonly degraded: readonly number[];
}

/** How fit each priority is, 0 to 100. */
export interface Availability {
  readonly healthy: readonly number[];
  readonly degraded: readonly number[];
}

export interface PriorityState {
  /** The priorities' own numbers; all other lists are in their order. */
  readonly priorities: readonly number[];
  readonly loads: PriorityLoads;
  /** Priorities whose hosts are all used, the sick ones too. */
  readonly panic: readonly boolean[];
  readonly availability: Availability;
}

export interface PriorityRules {
  /** In per cent, 140 by default. */
  readonly overprovisioning: number;
  /** In whole per cent; 0 = never. */
  readonly panicThreshold: number;
  readonly weightedHealth: boolean;
}

function availabilityOf(group: HostGroup, fit: HostGroup["healthy"], rules: PriorityRules): number {
  const count = (hosts: HostGroup["hosts"]): number =>
    rules.weightedHealth ? hosts.reduce((sum, host) => sum + host.config.weight, 0) : hosts.length;
  return Math.min(100, Math.floor((rules.overprovisioning * count(fit)) / count(group.hosts)));
}

function totalOf({ healthy, degraded }: Availability): number {
  return Math.min(
    100,
    [...healthy, ...degraded].reduce((sum, part) => sum + part, 0),
  );
}

/** Shares 100 per cent out by availability, healthy hosts of all priorities first. Rounding goes to the first that is fit at all. */
export function shareOut(availability: Availability): PriorityLoads {
  const total = totalOf(availability);
  let left = 100;
  const take = (part: number): number => {
    const share = total === 0 ? 0 : Math.min(left, Math.floor((part * 100) / total));
    left -= share;
    return share;
  };
  const healthy = availability.healthy.map(take);
  const degraded = availability.degraded.map(take);
  const isFit = (part: number): boolean => part > 0;
  const firstDegraded = availability.healthy.some(isFit) ? -1 : availability.degraded.findIndex(isFit);
  const list = firstDegraded >= 0 ? degraded : healthy;
  const at = firstDegraded >= 0 ? firstDegraded : Math.max(0, availability.healthy.findIndex(isFit));
  list[at] = (list[at] ?? 0) + left;
  return { healthy, degraded };
}

function shareByHeads(groups: readonly PriorityGroup[]): PriorityLoads {
  const total = groups.reduce((sum, group) => sum + group.hosts.length, 0);
  const healthy = groups.map((group) => (total === 0 ? 0 : Math.floor((100 * group.hosts.length) / total)));
  healthy[0] = (healthy[0] ?? 0) + 100 - healthy.reduce((sum, share) => sum + share, 0);
  return { healthy, degraded: groups.map(() => 0) };
}

function isInPanic(group: HostGroup, threshold: number): boolean {
  const { hosts, healthy, degraded } = group;
  return (100 * healthy.length) / hosts.length + (100 * degraded.length) / hosts.length < threshold;
}

export function priorityState(groups: readonly PriorityGroup[], rules: PriorityRules): PriorityState {
  const availability = {
    healthy: groups.map((group) => availabilityOf(group, group.healthy, rules)),
    degraded: groups.map((group) => availabilityOf(group, group.degraded, rules)),
  };
  const total = totalOf(availability);
  // All the load can be borne: nobody panics, however sick a single priority is.
  const panic = groups.map((group) => total < 100 && isInPanic(group, rules.panicThreshold));
  const loads = panic.length > 0 && panic.every(Boolean) ? shareByHeads(groups) : shareOut(availability);
  return { priorities: groups.map(({ priority }) => priority), loads, panic, availability };
}

export interface ChosenPriority {
  readonly priority: number;
  readonly degraded: boolean;
}

/** `draw` is from 1 to 100. */
export function choosePriority(draw: number, { healthy, degraded }: PriorityLoads): ChosenPriority {
  let sum = 0;
  for (let priority = 0; priority < healthy.length; priority++) {
    sum += healthy[priority] as number;
    if (draw <= sum) return { priority, degraded: false };
  }
  for (let priority = 0; priority < degraded.length; priority++) {
    sum += degraded[priority] as number;
    if (draw <= sum) return { priority, degraded: true };
  }
  return { priority: 0, degraded: false };
}
