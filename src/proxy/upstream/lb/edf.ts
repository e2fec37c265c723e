// Earliest deadline first: the weighted schedule under Envoy's round robin and least request when weights differ.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancers
import type { Host } from "../host.ts";

interface Entry {
  deadline: number;
  order: number;
  readonly host: Host;
}

export interface EdfSchedule {
  next(): Host | undefined;
}

/** `weightOf` is asked again at every pick, so that it may fall with the host's load. The start is random, or all proxies would hit one host first. */
export function createEdf(hosts: readonly Host[], weightOf: (host: Host) => number, random: () => number): EdfSchedule {
  const heap: Entry[] = [];
  let clock = 0;
  let order = 0;
  for (const host of hosts) push({ deadline: random() / weightOf(host), order: order++, host });

  function before(a: Entry, b: Entry): boolean {
    return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
  }

  function push(entry: Entry): void {
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(entry, heap[parent] as Entry)) break;
      heap[i] = heap[parent] as Entry;
      i = parent;
    }
    heap[i] = entry;
  }

  function sinkTop(): void {
    const entry = heap[0] as Entry;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (!before(heap[child] as Entry, entry)) break;
      heap[i] = heap[child] as Entry;
      i = child;
    }
    heap[i] = entry;
  }

  return {
    next() {
      const top = heap[0];
      if (top === undefined) return undefined;
      clock = top.deadline;
      top.deadline = clock + 1 / weightOf(top.host);
      top.order = order++;
      sinkTop();
      return top.host;
    },
  };
}
