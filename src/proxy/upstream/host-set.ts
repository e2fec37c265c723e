// From a cluster's hosts to its picker: priority first, then locality where localities have weights, then the balancer.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/overview
import { type Hash64, moduloHash, randomHash } from "../hash/index.ts";
import type { ClusterConfig, EndpointSet } from "../config/index.ts";
import type { Host } from "./host.ts";
import { createLeastRequest, createRandom, createRoundRobin } from "./lb/balancers.ts";
import { groupHosts, type PriorityGroup } from "./lb/host-groups.ts";
import { createLocalityPicker } from "./lb/localities.ts";
import { createMaglev } from "./lb/maglev.ts";
import { normalizedWeights } from "./lb/normalized-weights.ts";
import { EMPTY_PICKER, type PickContext, type Picker, pickOther } from "./lb/picker.ts";
import { choosePriority, type PriorityLoads, type PriorityState, priorityState } from "./lb/priority-loads.ts";
import { createRing, type HashTable } from "./lb/ring-hash.ts";
import { createWarmUp, type WarmUp } from "./lb/slow-start.ts";
import { createZonePicker, type LocalCluster } from "./lb/zones.ts";

export interface PickerInput {
  readonly config: ClusterConfig;
  readonly hosts: readonly Host[];
  readonly endpoints: Pick<EndpointSet, "overprovisioningFactor" | "weightedPriorityHealth">;
  /** `region/zone/sub_zone` of the proxy itself. */
  readonly ownLocality: string;
  /** Where the proxy is an endpoint of one itself. */
  readonly localCluster?: LocalCluster | undefined;
  readonly random: () => number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** A request was balanced over the sick hosts of a priority too. */
  readonly onPanic: () => void;
}

/** A picker, and what a retry that leaves priorities behind has to know. */
export interface HostSet extends Picker {
  readonly state: PriorityState;
}

const NO_LOADS: PriorityLoads = { healthy: [], degraded: [] };
export const NO_HOSTS: HostSet = {
  ...EMPTY_PICKER,
  state: { priorities: [], loads: NO_LOADS, panic: [], availability: NO_LOADS },
};

/** Does the balancer place requests by their key? */
export function hashes({ lbPolicy }: ClusterConfig): boolean {
  return lbPolicy === "RING_HASH" || lbPolicy === "MAGLEV";
}

export function createPicker(input: PickerInput): HostSet {
  const groups = groupHosts(input.hosts, input.ownLocality);
  if (groups.length === 0) return NO_HOSTS;
  const state = priorityState(groups, {
    overprovisioning: input.endpoints.overprovisioningFactor,
    panicThreshold: Math.round(input.config.panicThreshold),
    weightedHealth: input.endpoints.weightedPriorityHealth === true,
  });
  const picker = hashes(input.config) ? createHashPicker(input, groups, state) : createWeightedPicker(input, groups, state);
  return { pick: picker.pick, state };
}

function createTable(input: PickerInput, group: PriorityGroup, panic: boolean): HashTable {
  const { balancing, lbPolicy } = input.config;
  const weights = normalizedWeights(group, { panic, localityWeighted: balancing.localityWeighted });
  const keyOf = (host: Host): string => (balancing.hashHostname && host.config.hostname !== "" ? host.config.hostname : host.name);
  return lbPolicy === "MAGLEV" ? createMaglev(weights, balancing.maglevTableSize, keyOf) : createRing(weights, balancing.ring, keyOf);
}

function createHashPicker(input: PickerInput, groups: readonly PriorityGroup[], state: PriorityState): Picker {
  const tables = groups.map((group, i) => createTable(input, group, state.panic[i] === true));
  const place = (hash: Hash64, attempt: number): Host | undefined => {
    const { priority } = choosePriority(moduloHash(hash, 100) + 1, state.loads);
    if (state.panic[priority] === true) input.onPanic();
    return tables[priority]?.choose(hash, attempt);
  };
  return {
    pick(context) {
      const hash = context?.hash ?? randomHash(input.random);
      return context === undefined ? place(hash, 0) : pickOther(context, (attempt) => place(hash, attempt));
    },
  };
}

function balancerFor(input: PickerInput, hosts: readonly Host[], warmUp: WarmUp | undefined): Picker {
  const { config, random } = input;
  switch (config.lbPolicy) {
    case "ROUND_ROBIN":
      return createRoundRobin({ hosts, random, warmUp });
    case "LEAST_REQUEST":
      return createLeastRequest({
        hosts,
        random,
        warmUp,
        choices: Math.max(2, config.leastRequestChoiceCount),
        bias: config.balancing.activeRequestBias,
      });
    case "RANDOM":
      return createRandom({ hosts, random });
    // Hashing clusters have tables instead, and original destination has no hosts of its own.
    case "RING_HASH":
    case "MAGLEV":
    case "CLUSTER_PROVIDED":
      return EMPTY_PICKER;
  }
}

/** Zones count at the highest priority alone. */
function zonesFor(
  input: PickerInput,
  group: PriorityGroup,
  of: { readonly fit: "healthy" | "degraded"; balance(hosts: readonly Host[]): Picker },
): Picker | undefined {
  const { localCluster: local, ownLocality, random } = input;
  const rules = input.config.balancing.zones;
  if (local === undefined || rules === undefined || group.priority !== 0 || group[of.fit].length === 0) return undefined;
  return createZonePicker({ group, ...of, rules, local, ownLocality, random, panicThreshold: Math.round(input.config.panicThreshold) });
}

/** What one priority offers: its healthy hosts, its degraded ones, or in panic all it has. */
interface Offer {
  readonly healthy: Picker;
  readonly degraded: Picker;
}

function createOffer(input: PickerInput, group: PriorityGroup, panic: boolean): Offer {
  const { slowStart, localityWeighted, failOnPanic = false } = input.config.balancing;
  const warmUp = slowStart === undefined ? undefined : createWarmUp(slowStart, group.hosts, input.now);
  const balance = (hosts: readonly Host[]): Picker => balancerFor(input, hosts, warmUp);
  if (panic) {
    const all = balance(group.hosts);
    const pick = (context?: PickContext): Host | undefined => {
      input.onPanic();
      return failOnPanic ? undefined : all.pick(context);
    };
    return { healthy: { pick }, degraded: { pick } };
  }
  if (!localityWeighted) {
    const near = (fit: "healthy" | "degraded"): Picker => zonesFor(input, group, { fit, balance }) ?? balance(group[fit]);
    return { healthy: near("healthy"), degraded: near("degraded") };
  }
  const weighted = (fit: "healthy" | "degraded"): Picker =>
    createLocalityPicker({
      localities: group.localities,
      fit,
      overprovisioning: input.endpoints.overprovisioningFactor,
      random: input.random,
      balance,
    }) ?? balance(group[fit]);
  return { healthy: weighted("healthy"), degraded: weighted("degraded") };
}

function createWeightedPicker(input: PickerInput, groups: readonly PriorityGroup[], state: PriorityState): Picker {
  const offers = groups.map((group, i) => createOffer(input, group, state.panic[i] === true));
  const once = (loads: PriorityLoads): Host | undefined => {
    const { priority, degraded } = choosePriority(Math.floor(input.random() * 100) + 1, loads);
    const offer = offers[priority] as Offer;
    return (degraded ? offer.degraded : offer.healthy).pick();
  };
  const only = state.loads.healthy.indexOf(100);
  const usual = only < 0 ? undefined : (offers[only] as Offer).healthy;
  return {
    pick(context) {
      if (context === undefined) return usual === undefined ? once(state.loads) : usual.pick();
      return pickOther(context, () => {
        const loads = context.shareAnew(state);
        return loads === state.loads && usual !== undefined ? usual.pick() : once(loads);
      });
    },
  };
}
