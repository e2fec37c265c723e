// The control plane as a supervised process: ports chosen once and kept over restarts, so that proxies and clients find it again.
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { AdminClient, MeshPaths, ProcessState } from "../admin-api/index.ts";
import type { Clock } from "../kit/index.ts";
import type { Launch } from "./launch.ts";
import type { Env } from "./pod-env.ts";
import { createSupervisor } from "./supervisor.ts";

export interface ControlPlaneProcess {
  start(): void;
  state(): ProcessState;
  stop(graceMs: number): Promise<void>;
}

export interface ControlPlaneOptions {
  readonly command: readonly string[];
  readonly paths: MeshPaths;
  readonly adminPort: number;
  readonly xdsPort: number;
  readonly client: AdminClient;
  readonly env: Env;
  readonly launch: Launch;
  readonly clock: Clock;
  /** Each time it answers after a start. */
  readonly onReady: () => void;
  readonly onChange: () => void;
  readonly onEvent: (text: string) => void;
}

export function createControlPlaneProcess(options: ControlPlaneOptions): ControlPlaneProcess {
  const { paths, clock } = options;
  mkdirSync(paths.controlPlane, { recursive: true, mode: 0o700 });
  let run = 0;
  const supervisor = createSupervisor({
    launch: options.launch,
    clock,
    graceMs: 3000,
    spec: () => ({
      name: "control-plane",
      command: [
        ...options.command,
        ...["--state", paths.controlPlane, "--admin-token-file", paths.token],
        ...["--admin", `127.0.0.1:${options.adminPort}`, "--xds", `127.0.0.1:${options.xdsPort}`],
      ],
      cwd: paths.controlPlane,
      env: options.env,
      log: path.join(paths.logs, "control-plane.log"),
    }),
    onStart: () => void awaitReady(++run),
    onEnd(reason) {
      run++;
      options.onEvent(`control plane ended: ${reason}; pods and proxies go on without it`);
    },
    onChange: options.onChange,
  });

  async function awaitReady(mine: number): Promise<void> {
    while (mine === run) {
      if (await options.client.ready()) {
        if (mine === run) options.onReady();
        return;
      }
      await new Promise<void>((resolve) => clock.after(10, resolve));
    }
  }

  return {
    start: () => supervisor.start(),
    state: () => supervisor.state(),
    stop(graceMs) {
      run++;
      return supervisor.stop(graceMs);
    },
  };
}
