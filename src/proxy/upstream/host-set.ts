// Which hosts a balancer may use: health, panic and priorities, as Envoy weighs them.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority
import type { ClusterConfig } from "../config/index.ts";
import type { Host } from "./host.ts";
import { createLeastRequest, createRandom, createRoundRobin } from "./lb/balancers.ts";
import { EMPTY_PICKER, type Picker } from "./lb/picker.ts";

export interface PickerInput {
  readonly config: ClusterConfig;
  readonly hosts: readonly Host[];
  readonly overprovisioning: number;
  readonly random: () => number;
}

export function createPicker(input: PickerInput): Picker {
  const priorities = new Map<number, Host[]>();
  for (const host of input.hosts) {
    // A weight of 0 takes an endpoint out, as Envoy's host weights start at 1.
    if (host.config.weight <= 0) continue;
    const list = priorities.get(host.config.priority);
    if (list === undefined) priorities.set(host.config.priority, [host]);
    else list.push(host);
  }
  const ordered = [...priorities.entries()].toSorted(([a], [b]) => a - b).map(([, hosts]) => hosts);
  if (ordered.length === 0) return EMPTY_PICKER;
  const shares = priorityShares(ordered, input.overprovisioning);
  const pickers = ordered.map((hosts) => balancerFor(input, usable(hosts, input.config.panicThreshold)));
  const only = shares.indexOf(1);
  if (only >= 0) return pickers[only] as Picker;
  return {
    pick() {
      let draw = input.random();
      for (let i = 0; i < pickers.length; i++) {
        draw -= shares[i] as number;
        if (draw < 0) return (pickers[i] as Picker).pick();
      }
      return (pickers[0] as Picker).pick();
    },
  };
}

/** The share of each priority: its healthy part times the over-provisioning, what is left goes on to the next. */
function priorityShares(priorities: readonly (readonly Host[])[], overprovisioning: number): number[] {
  const available = priorities.map((hosts) => Math.min(1, (healthy(hosts).length / hosts.length) * (overprovisioning / 100)));
  const sum = available.reduce((a, b) => a + b, 0);
  if (sum === 0) return priorities.map((_, i) => (i === 0 ? 1 : 0));
  const scale = Math.min(1, sum);
  let left = 1;
  return available.map((part) => {
    const share = Math.min(left, part / scale);
    left -= share;
    return share;
  });
}

function healthy(hosts: readonly Host[]): readonly Host[] {
  return hosts.every((host) => host.config.healthy) ? hosts : hosts.filter((host) => host.config.healthy);
}

/** Healthy hosts, or all of them when fewer than the panic threshold are healthy. */
function usable(hosts: readonly Host[], panicThreshold: number): readonly Host[] {
  const good = healthy(hosts);
  return (good.length / hosts.length) * 100 < panicThreshold ? hosts : good;
}

function balancerFor(input: PickerInput, hosts: readonly Host[]): Picker {
  switch (input.config.lbPolicy) {
    case "ROUND_ROBIN":
      return createRoundRobin({ hosts, random: input.random });
    case "LEAST_REQUEST":
      return createLeastRequest({ hosts, random: input.random }, Math.max(2, input.config.leastRequestChoiceCount));
    case "RANDOM":
      return createRandom({ hosts, random: input.random });
    // Only ORIGINAL_DST clusters have it, and those have no hosts of their own.
    case "CLUSTER_PROVIDED":
      return EMPTY_PICKER;
  }
}
