// Tells the control plane about the pods: always the whole list, one call at a time, the newest wins, again until it is taken.
import { isDeepStrictEqual } from "node:util";
import type { PodReport } from "../admin-api/index.ts";
import { type Backoff, type Clock, createBackoff, type Rng } from "../kit/index.ts";

export interface Publisher {
  /** The list may have changed. */
  update(): void;
  /** The control plane started anew and knows nothing of what was sent before. */
  resend(): void;
  /** Resolves when a list taken after this call has been taken by the control plane. */
  published(): Promise<void>;
  stop(): void;
}

export function createPublisher(options: {
  readonly pods: () => readonly PodReport[];
  readonly put: (pods: readonly PodReport[]) => Promise<void>;
  readonly clock: Clock;
  readonly rng: Rng;
}): Publisher {
  const { clock } = options;
  const backoff: Backoff = createBackoff({ baseMs: 20, maxMs: 1000, rng: options.rng });
  let sent: readonly PodReport[] | undefined;
  let busy = false;
  let asked = false;
  let stopped = false;
  let waiters: (() => void)[] = [];

  async function run(): Promise<void> {
    busy = true;
    while (asked && !stopped) {
      asked = false;
      const waiting = waiters;
      waiters = [];
      const pods = options.pods();
      if (sent === undefined || !isDeepStrictEqual(sent, pods)) {
        try {
          await options.put(pods);
          sent = pods;
          backoff.reset();
        } catch {
          // The control plane is being restarted.
          asked = true;
          waiters.push(...waiting);
          await new Promise<void>((resolve) => clock.after(backoff.next() + 5, resolve));
          continue;
        }
      }
      for (const done of waiting) done();
    }
    busy = false;
    if (stopped) for (const done of waiters.splice(0)) done();
  }

  function update(): void {
    asked = true;
    // Changes of one turn go out together.
    if (!busy && !stopped) queueMicrotask(() => void (busy || run()));
  }

  return {
    update,
    resend() {
      sent = undefined;
      update();
    },
    published: () =>
      new Promise<void>((resolve) => {
        if (stopped) return resolve();
        waiters.push(resolve);
        update();
      }),
    stop() {
      stopped = true;
      if (!busy) for (const done of waiters.splice(0)) done();
    },
  };
}
