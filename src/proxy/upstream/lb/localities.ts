// Locality weighted balancing: localities take turns by their weights, as far as their hosts are healthy.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/locality_weight
import type { Host } from "../host.ts";
import { createEdf } from "./edf.ts";
import type { LocalityGroup } from "./host-groups.ts";
import type { Picker } from "./picker.ts";

export interface LocalityInput {
  readonly localities: readonly LocalityGroup[];
  readonly fit: "healthy" | "degraded";
  readonly overprovisioning: number;
  readonly random: () => number;
  balance(hosts: readonly Host[]): Picker;
}

interface Entry {
  readonly weight: number;
  readonly picker: Picker;
}

/** undefined: no locality has any weight left, so they do not count. */
export function createLocalityPicker(input: LocalityInput): Picker | undefined {
  const entries: Entry[] = [];
  for (const locality of input.localities) {
    const fit = locality[input.fit];
    const available = Math.min(1, (input.overprovisioning / 100) * (fit.length / locality.hosts.length));
    const weight = locality.weight * available;
    if (weight > 0) entries.push({ weight, picker: input.balance(fit) });
  }
  const [first] = entries;
  if (first === undefined) return undefined;
  if (entries.length === 1) return first.picker;
  const schedule = createEdf(entries, (entry) => entry.weight, input.random);
  return { pick: (context) => schedule.next()?.picker.pick(context) };
}
