// The part of its weight that a host has while it warms up.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/slow_start
import type { SlowStart } from "../../config/index.ts";
import type { Host } from "../host.ts";
import { isHealthy } from "./host-groups.ts";

export interface WarmUp {
  /** Some host may still be in its window. */
  isActive(): boolean;
  factor(host: Host): number;
}

/** Starts the clock of hosts that are seen healthy for the first time. `now` is monotonic, in milliseconds. */
export function createWarmUp(config: SlowStart, hosts: readonly Host[], now: () => number): WarmUp {
  const start = now();
  let latest = Number.NEGATIVE_INFINITY;
  for (const host of hosts) {
    if (isHealthy(host)) host.healthySince ??= start;
    if (host.healthySince !== undefined) latest = Math.max(latest, host.healthySince);
  }
  return {
    isActive: () => now() - latest <= config.windowMs,
    factor(host) {
      if (host.healthySince === undefined || !isHealthy(host)) return 1;
      const age = now() - host.healthySince;
      if (age >= config.windowMs) return 1;
      const time = Math.max(1, age) / config.windowMs;
      return Math.max(config.aggression === 1 ? time : time ** (1 / config.aggression), config.minWeight);
    },
  };
}
