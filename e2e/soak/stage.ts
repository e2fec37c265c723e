// What the rows play on: a gateway of either data plane in front of backends, with the routes a row asks for.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import path from "node:path";
import { type EdgeShape, edgeYaml } from "../edge-yaml.ts";
import type { ProxyOptions } from "../fleet.ts";
import { live, type Mesh, startMesh } from "../mesh.ts";
import type { SoakContext } from "./row.ts";

export { HOST } from "../edge-yaml.ts";

/** A backend in a process of its own, so that it can be stopped and killed. */
export interface BackendProcess {
  readonly port: number;
  readonly child: ChildProcess;
  kill(signal: NodeJS.Signals): void;
  stop(): void;
}

export async function startBackendProcess(name: string, kind = "echo", port = 0): Promise<BackendProcess> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "backend-process.ts"), name, kind, String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const listening = await new Promise<number>((resolve, reject) => {
    child.on("exit", () => reject(new Error(`backend ${name} ended`)));
    createInterface({ input: child.stdout }).once("line", (line) => resolve(Number(line)));
  });
  return { port: listening, child, kill: (signal) => void child.kill(signal), stop: () => void child.kill("SIGKILL") };
}

/** A version for each port. */
export type Shape = Omit<EdgeShape, "endpoints"> & { readonly ports: readonly number[] };

export interface StageOptions extends Shape, ProxyOptions {
  /** Nothing is asked of the gateway before the row begins. */
  readonly untried?: boolean;
}

export interface Stage {
  readonly mesh: Mesh;
  readonly pid: number;
  set(shape: Shape): void;
  /** The gateway answers with the config of this mark. */
  live(mark: string): Promise<boolean>;
  /** It serves on: asked after a fault. */
  serves(): Promise<boolean>;
}

const START = "start";

function yamlOf(gatewayPort: number, { ports, ...shape }: Shape): string {
  return edgeYaml(gatewayPort, { mark: START, ...shape, endpoints: ports.map((port, i) => ({ port, version: `v${i + 1}` })) });
}

/** A gateway in front of these backends; `body` runs, and everything is stopped whatever comes of it. */
export async function onStage<T>(
  { plane }: Pick<SoakContext, "plane">,
  options: StageOptions,
  body: (stage: Stage) => Promise<T>,
): Promise<T> {
  const mesh = await startMesh({ ...options, plane, yaml: (port) => yamlOf(port, options) });
  const serves = (): Promise<boolean> => live(mesh, options.mark ?? START);
  try {
    if (options.untried !== true) await serves();
    return await body({
      mesh,
      serves,
      pid: mesh.proxy().pid ?? 0,
      set: (next) => mesh.write(yamlOf(mesh.gatewayPort, next)),
      live: (mark) => live(mesh, mark),
    });
  } finally {
    await mesh.stop();
  }
}

/** What most rows need: one backend behind the gateway. */
export function onOneBackend<T>(
  context: Pick<SoakContext, "plane">,
  options: Omit<StageOptions, "ports"> & { readonly kind?: string },
  body: (stage: Stage, backend: BackendProcess) => Promise<T>,
): Promise<T> {
  return withBackends(1, options.kind ?? "echo", ([backend]) =>
    onStage(context, { ...options, ports: [backend!.port] }, (stage) => body(stage, backend!)),
  );
}

export async function withBackends<T>(count: number, kind: string, body: (backends: readonly BackendProcess[]) => Promise<T>): Promise<T> {
  const backends = await Promise.all(Array.from({ length: count }, (_, i) => startBackendProcess(`b${i + 1}`, kind)));
  try {
    return await body(backends);
  } finally {
    for (const backend of backends) backend.stop();
  }
}
