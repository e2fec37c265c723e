// What a fault costs a process in memory.
import { residentBytes } from "../../bench/process-usage.ts";
import { atMost, type Figure } from "./row.ts";

export const MIB = 1_048_576;

/** How much larger a process was at most while `work` ran than before, in bytes. */
export async function peakDuring(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = residentBytes(pid);
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, residentBytes(pid))), 50);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return peak - before;
}

export function grownMiB(bytes: number, limit: number): Figure {
  return atMost("memory grown", bytes / MIB, limit, " MiB");
}
