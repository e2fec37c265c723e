// What only starting needed goes back to the system: the first config as it came, code that runs once. A tenth of an idle sidecar's memory.
import type { Clock } from "../kit/index.ts";
import { collectGarbage } from "./collect-garbage.ts";

const LOOK_MS = 2000;
/** Who is not idle by then has other uses for the memory. */
const LOOKS = 30;

/** It takes some 50 ms, and so waits until nobody is connected. */
export function releaseStartupMemory(options: {
  readonly clock: Clock;
  /** Config is in force and nobody is connected. */
  readonly isIdle: () => boolean;
  readonly collect?: () => void;
}): void {
  const { clock, isIdle, collect = () => collectGarbage("last-resort") } = options;
  const look = (left: number): void => {
    if (isIdle()) collect();
    else if (left > 1) clock.after(LOOK_MS, () => look(left - 1));
  };
  clock.after(LOOK_MS, () => look(LOOKS));
}
