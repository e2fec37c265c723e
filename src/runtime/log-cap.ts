// Keeps log files small: one that is over the cap is copied aside (one old copy is kept) and emptied; writers append and go on.
import { copyFileSync, readdirSync, statSync, truncateSync } from "node:fs";
import path from "node:path";
import type { Clock } from "../kit/index.ts";

const EVERY_MS = 5000;

export function startLogCap(options: { readonly dir: string; readonly maxBytes: number; readonly clock: Clock }): { stop(): void } {
  let cancel = options.clock.after(EVERY_MS, check);
  function check(): void {
    capLogs(options.dir, options.maxBytes);
    cancel = options.clock.after(EVERY_MS, check);
  }
  return { stop: () => cancel() };
}

export function capLogs(dir: string, maxBytes: number): void {
  for (const name of readdirSync(dir)) {
    if (!name.endsWith(".log")) continue;
    const file = path.join(dir, name);
    try {
      if (statSync(file).size <= maxBytes) continue;
      copyFileSync(file, `${file}.1`);
      truncateSync(file, 0);
    } catch {
      // Gone meanwhile, or the disk is full: the next turn tries again.
    }
  }
}
