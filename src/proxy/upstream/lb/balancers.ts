// Round robin, least request and random as Envoy does them; each returns an immutable picker for one set of hosts.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancers
import type { Host } from "../host.ts";
import { createEdf } from "./edf.ts";
import { EMPTY_PICKER, equalWeights, type BalancerInput, type Picker } from "./picker.ts";

export function createRoundRobin(input: BalancerInput): Picker {
  const { hosts, random } = input;
  if (hosts.length === 0) return EMPTY_PICKER;
  if (!equalWeights(hosts)) {
    const schedule = createEdf(hosts, (host) => host.config.weight, random);
    return { pick: () => schedule.next() };
  }
  let at = Math.floor(random() * hosts.length);
  return {
    pick() {
      const host = hosts[at];
      at = at + 1 === hosts.length ? 0 : at + 1;
      return host;
    },
  };
}

export function createRandom(input: BalancerInput): Picker {
  const { hosts, random } = input;
  if (hosts.length === 0) return EMPTY_PICKER;
  return { pick: () => hosts[Math.floor(random() * hosts.length)] };
}

/** Equal weights: the least busy of `choices` random ones. Unequal: weighted round robin, weights divided by the load. */
export function createLeastRequest(input: BalancerInput, choices: number): Picker {
  const { hosts, random } = input;
  if (hosts.length === 0) return EMPTY_PICKER;
  if (hosts.length === 1) return { pick: () => hosts[0] };
  if (!equalWeights(hosts)) {
    const schedule = createEdf(hosts, (host) => host.config.weight / (host.stats.rqActive + 1), random);
    return { pick: () => schedule.next() };
  }
  return {
    pick() {
      let best = hosts[Math.floor(random() * hosts.length)] as Host;
      for (let i = 1; i < choices; i++) {
        const other = hosts[Math.floor(random() * hosts.length)] as Host;
        if (other.stats.rqActive < best.stats.rqActive) best = other;
      }
      return best;
    },
  };
}
