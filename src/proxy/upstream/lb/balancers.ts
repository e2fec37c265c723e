// Round robin, least request and random as Envoy does them; each returns an immutable picker for one set of hosts.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancers
import type { Host } from "../host.ts";
import { createEdf } from "./edf.ts";
import { EMPTY_PICKER, equalWeights, type BalancerInput, type Picker } from "./picker.ts";
import type { WarmUp } from "./slow-start.ts";

export interface WeightedInput extends BalancerInput {
  /** undefined: hosts have their whole weight from the start. */
  readonly warmUp?: WarmUp | undefined;
}

/** Equal hosts need no schedule. */
function needsSchedule({ hosts, warmUp }: WeightedInput): boolean {
  return hosts.length > 1 && (!equalWeights(hosts) || warmUp?.isActive() === true);
}

function createScheduled({ hosts, random, warmUp }: WeightedInput, weightOf: (host: Host) => number): Picker {
  const schedule = createEdf(
    hosts,
    warmUp === undefined ? weightOf : (host) => (warmUp.isActive() ? weightOf(host) * warmUp.factor(host) : weightOf(host)),
    random,
  );
  return { pick: () => schedule.next() };
}

export function createRoundRobin(input: WeightedInput): Picker {
  const { hosts, random } = input;
  if (hosts.length === 0) return EMPTY_PICKER;
  if (needsSchedule(input)) return createScheduled(input, (host) => host.config.weight);
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

export interface LeastRequestInput extends WeightedInput {
  readonly choices: number;
  /** The weight is divided by (active requests + 1) to this power. */
  readonly bias: number;
}

/** Equal weights: the least busy of `choices` random ones. Unequal: weighted round robin, weights divided by the load. */
export function createLeastRequest(input: LeastRequestInput): Picker {
  const { hosts, random, choices, bias } = input;
  if (hosts.length === 0) return EMPTY_PICKER;
  if (hosts.length === 1) return { pick: () => hosts[0] };
  if (needsSchedule(input)) {
    if (bias === 1) return createScheduled(input, (host) => host.config.weight / (host.stats.rqActive + 1));
    return createScheduled(input, (host) => host.config.weight / (host.stats.rqActive + 1) ** bias);
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
