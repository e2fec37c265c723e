// How this process is: how busy its event loop was, and how much of the memory it may have is taken.
import { performance } from "node:perf_hooks";
import v8 from "node:v8";
import { collectGarbage } from "../collect-garbage.ts";

export interface LoopTotals {
  readonly busyMs: number;
  readonly idleMs: number;
  /** Turns of the event loop. */
  readonly turns: number;
}

export interface MemoryUse {
  /** On V8's heap and in buffers. */
  readonly usedBytes: number;
  /** Of what V8, or the container, lets the process have: 1 is the end of it. */
  readonly ofLimit: number;
}

export interface Vitals {
  /** Since the process began. */
  loop(): LoopTotals;
  memory(): MemoryUse;
  collectGarbage(): void;
}

export function processVitals(): Vitals {
  return {
    loop() {
      const { active, idle } = performance.eventLoopUtilization();
      return { busyMs: active, idleMs: idle, turns: performance.nodeTiming.uvMetricsInfo.loopCount };
    },
    memory() {
      const heap = v8.getHeapStatistics();
      const ofHeap = heap.used_heap_size / heap.heap_size_limit;
      return { usedBytes: heap.used_heap_size + heap.external_memory, ofLimit: Math.max(ofHeap, ofContainer()) };
    },
    collectGarbage: () => collectGarbage("regular"),
  };
}

/** 0 = the process is in no container with a limit. */
function ofContainer(): number {
  const limit = process.constrainedMemory();
  // Without a limit it is 0, or a number that no machine has.
  return limit > 0 && limit < 2 ** 50 ? process.memoryUsage.rss() / limit : 0;
}
