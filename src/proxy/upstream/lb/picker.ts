// What every load balancer publishes: an immutable picker over the hosts that may be used now.
import type { Host } from "../host.ts";

export interface Picker {
  pick(): Host | undefined;
}

export const EMPTY_PICKER: Picker = { pick: () => undefined };

export interface BalancerInput {
  readonly hosts: readonly Host[];
  readonly random: () => number;
}

/** True when every host has the same weight. */
export function equalWeights(hosts: readonly Host[]): boolean {
  const first = hosts[0]?.config.weight;
  return hosts.every((host) => host.config.weight === first);
}
