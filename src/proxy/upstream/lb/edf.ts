// Earliest deadline first: the weighted schedule under Envoy's round robin and least request when weights differ, and under weighted localities.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancers
interface Entry<T> {
  deadline: number;
  order: number;
  readonly item: T;
}

export interface EdfSchedule<T> {
  next(): T | undefined;
}

/** `weightOf` is asked again at every pick, so that it may fall with the item's load. The start is random, or all proxies would begin with the same one. */
export function createEdf<T>(items: readonly T[], weightOf: (item: T) => number, random: () => number): EdfSchedule<T> {
  const heap: Entry<T>[] = [];
  let clock = 0;
  let order = 0;
  for (const item of items) push({ deadline: random() / weightOf(item), order: order++, item });

  function before(a: Entry<T>, b: Entry<T>): boolean {
    return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
  }

  function push(entry: Entry<T>): void {
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(entry, heap[parent] as Entry<T>)) break;
      heap[i] = heap[parent] as Entry<T>;
      i = parent;
    }
    heap[i] = entry;
  }

  function sinkTop(): void {
    const entry = heap[0] as Entry<T>;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Entry<T>, heap[child] as Entry<T>)) child++;
      if (!before(heap[child] as Entry<T>, entry)) break;
      heap[i] = heap[child] as Entry<T>;
      i = child;
    }
    heap[i] = entry;
  }

  return {
    next() {
      const top = heap[0];
      if (top === undefined) return undefined;
      clock = top.deadline;
      top.deadline = clock + 1 / weightOf(top.item);
      top.order = order++;
      sinkTop();
      return top.item;
    },
  };
}
