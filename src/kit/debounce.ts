// Collects events: fires after `quietMs` without a new one, at the latest `maxMs` after the first.
import type { Clock } from "./clock.ts";

export interface Debounce {
  trigger(): void;
  stop(): void;
}

export function createDebounce(options: { quietMs: number; maxMs: number; clock: Clock; fire: () => void }): Debounce {
  let first: number | undefined;
  let cancel: (() => void) | undefined;
  return {
    trigger() {
      const now = options.clock.now();
      first ??= now;
      cancel?.();
      const wait = Math.max(0, Math.min(options.quietMs, first + options.maxMs - now));
      cancel = options.clock.after(wait, () => {
        first = undefined;
        cancel = undefined;
        options.fire();
      });
    },
    stop() {
      cancel?.();
      cancel = undefined;
      first = undefined;
    },
  };
}
