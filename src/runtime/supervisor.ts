// Keeps one process running: starts it again with back-off when it ends, and tells who asks how it stands.
import type { ProcessState } from "../admin-api/index.ts";
import type { Clock } from "../kit/index.ts";
import type { Launch, LaunchSpec, Running } from "./launch.ts";
import { createRestartDelay } from "./restart-delay.ts";

export interface Supervisor {
  start(): void;
  state(): ProcessState;
  /** Milliseconds since the running process started; undefined when none runs. */
  ranMs(): number | undefined;
  /** Ends the running process; it is started again. */
  restart(reason: string): void;
  /** SIGTERM, SIGKILL after `graceMs`; resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
}

export interface SupervisorOptions {
  readonly launch: Launch;
  readonly clock: Clock;
  /** Asked before each start, so that a new start can have new settings. */
  readonly spec: () => LaunchSpec;
  readonly onStart?: () => void;
  /** It ended by itself. */
  readonly onEnd?: (reason: string) => void;
  readonly onChange: () => void;
  /** Given to the running process when `restart` ends it. */
  readonly graceMs: number;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { launch, clock } = options;
  const delay = createRestartDelay();
  let running: Running | undefined;
  let startedAt = 0;
  let state: ProcessState["state"] = "waiting";
  let restarts = 0;
  /** Why it last ended. */
  let reason: string | undefined;
  /** Why we are ending it now. */
  let cause: string | undefined;
  let stopping = false;
  let cancelStart: (() => void) | undefined;
  let spec: LaunchSpec | undefined;
  let ended: Promise<void> = Promise.resolve();

  function start(): void {
    if (stopping || running !== undefined) return;
    cancelStart = undefined;
    spec = options.spec();
    const process = launch(spec);
    running = process;
    startedAt = clock.now();
    state = "running";
    options.onStart?.();
    ended = process.ended.then((end) => {
      const ranMs = clock.now() - startedAt;
      running = undefined;
      if (stopping) {
        state = "stopped";
      } else {
        reason = cause ?? end.reason;
        cause = undefined;
        options.onEnd?.(reason);
        state = "backing-off";
        restarts++;
        cancelStart = clock.after(delay.next(ranMs), start);
      }
      options.onChange();
    });
    options.onChange();
  }

  function endRunning(process: Running, graceMs: number): () => void {
    process.signal("SIGTERM");
    return clock.after(graceMs, () => process.signal("SIGKILL"));
  }

  return {
    start,
    state: () => ({
      name: spec?.name ?? "",
      state,
      restarts,
      log: spec?.log ?? "",
      ...(running?.pid === undefined ? {} : { pid: running.pid }),
      ...(reason === undefined ? {} : { reason }),
      ...(spec === undefined ? {} : { command: spec.command }),
    }),
    ranMs: () => (running === undefined ? undefined : clock.now() - startedAt),
    restart(why) {
      if (running === undefined || stopping) return;
      cause = why;
      const cancelKill = endRunning(running, options.graceMs);
      void running.ended.then(cancelKill);
    },
    async stop(graceMs) {
      stopping = true;
      cancelStart?.();
      if (running === undefined) {
        state = "stopped";
        return;
      }
      const cancelKill = endRunning(running, graceMs);
      await ended;
      cancelKill();
    },
  };
}
