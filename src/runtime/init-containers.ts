// Init containers: one after the other, each until it ends with 0; one that fails is tried again with back-off.
import type { Clock } from "../kit/index.ts";
import type { Launch, LaunchSpec, Running } from "./launch.ts";
import { createRestartDelay } from "./restart-delay.ts";

export function runInitContainers(options: {
  readonly specs: readonly LaunchSpec[];
  readonly launch: Launch;
  readonly clock: Clock;
  readonly onEvent: (text: string) => void;
}): { readonly done: Promise<void>; readonly stop: () => void } {
  const { clock } = options;
  let running: Running | undefined;
  let stopped = false;

  async function runOne(spec: LaunchSpec): Promise<void> {
    const delay = createRestartDelay();
    while (!stopped) {
      running = options.launch(spec);
      const end = await running.ended;
      if (end.code === 0 || stopped) return;
      options.onEvent(`init container ${spec.name.split("/")[1] ?? ""} ended: ${end.reason}`);
      await new Promise<void>((resolve) => clock.after(delay.next(0), resolve));
    }
  }

  async function runAll(): Promise<void> {
    for (const spec of options.specs) await runOne(spec);
  }

  return {
    done: runAll(),
    stop() {
      stopped = true;
      running?.signal("SIGKILL");
    },
  };
}
