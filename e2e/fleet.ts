// The control plane as a process on a folder of YAML, and proxies (ours or real Envoy) as processes that take their config from it.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { bootstrap } from "../scenarios/play/boot.ts";
import type { CaseProxy } from "../scenarios/play/case.ts";
import { freePort } from "../src/kit/testing/free-port.ts";
import { buildOverloadManager } from "../src/runtime/overload-manager.ts";
import { type Program, programCommand } from "../src/runtime/programs.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const ENVOY = process.env["ENVOY"] ?? path.join(ROOT, ".cache/envoy/envoy");
export type Plane = "serin" | "envoy";
/** The data planes that can run on this machine. */
export const PLANES: readonly Plane[] = existsSync(ENVOY) ? ["serin", "envoy"] : ["serin"];

/** Callers are asked to leave at once, not more and more of them. */
const ENVOY_DRAIN = ["--drain-strategy", "immediate"];

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until `condition` gives a value that is not undefined or false; throws after `ms`. */
export async function eventually<T>(what: string, condition: () => Promise<T | undefined | false>, ms = 20_000): Promise<T> {
  const end = Date.now() + ms;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    await sleep(20);
  }
  throw new Error(`did not happen within ${ms} ms: ${what}`, { cause: last });
}

export async function fetchText(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
}

/** Ready as control plane and proxies say it. */
function ready(port: number, what: string): Promise<boolean> {
  return eventually(what, async () => (await fetchText(`http://127.0.0.1:${port}/ready`)).status === 200);
}

export interface FleetProxy {
  readonly child: ChildProcess;
  /** What it says at a path of its admin endpoint. */
  admin(url: string): Promise<string>;
  readonly adminPort: number;
}

export interface ProxyOptions {
  /** The memory it may have, instead of what it has by default. */
  readonly maxHeapMiB?: number;
  /** How long it may drain when it is to end. */
  readonly drainS?: number;
}

export interface Fleet {
  readonly adminPort: number;
  /** Replaces the config file in one step. */
  write(yaml: string): void;
  /** Started and ready; `name` is its log's. */
  startProxy(name: string, plane: Plane, node: CaseProxy, options?: ProxyOptions): Promise<FleetProxy>;
  restartControlPlane(signal: NodeJS.Signals): Promise<void>;
  log(name: string): string;
  stop(): Promise<void>;
}

/** As `serin up` has it where that differs from Istio's. */
function bootstrapFile(node: CaseProxy, ports: { xds: number; admin: number }, { maxHeapMiB }: ProxyOptions): string {
  return JSON.stringify({
    ...(bootstrap(node) as object),
    overload_manager: buildOverloadManager({ maxHeapBytes: maxHeapMiB === undefined ? undefined : maxHeapMiB * 1_048_576 }),
  })
    .replaceAll('"port_value":15010', `"port_value":${ports.xds}`)
    .replaceAll('"port_value":15000', `"port_value":${ports.admin}`)
    .replaceAll("10.9.9.9", "127.0.0.1");
}

export async function startFleet(yaml: string): Promise<Fleet> {
  const dir = mkdtempSync(path.join(os.tmpdir(), "serin-e2e-"));
  const config = path.join(dir, "config");
  mkdirSync(config);
  const [adminPort, xdsPort] = await Promise.all([freePort(), freePort()]);
  const children = new Set<ChildProcess>();
  const write = (text: string): void => {
    writeFileSync(path.join(dir, "next.yaml"), text);
    renameSync(path.join(dir, "next.yaml"), path.join(config, "mesh.yaml"));
  };
  const start = (name: string, command: readonly string[]): ChildProcess => {
    const out = openSync(path.join(dir, `${name}.log`), "a");
    const [file = "", ...args] = command;
    const child = spawn(file, args, { cwd: dir, stdio: ["ignore", out, out] });
    closeSync(out);
    children.add(child);
    child.on("exit", () => children.delete(child));
    return child;
  };
  const log = (name: string): string => {
    const file = path.join(dir, `${name}.log`);
    return existsSync(file) ? readFileSync(file, "utf8").slice(-4000) : "";
  };
  const serin = (program: Program, maxHeapMiB?: number): readonly string[] => {
    const [node = "", ...rest] = programCommand(program, path.join(ROOT, "dist/cli.js"));
    return [node, ...(maxHeapMiB === undefined ? [] : [`--max-old-space-size=${maxHeapMiB}`]), ...rest];
  };
  const startControlPlane = (): ChildProcess =>
    start("control", [
      ...serin("control-plane"),
      ...["--config", config, "--state", path.join(dir, "state")],
      ...["--xds", `127.0.0.1:${xdsPort}`, "--admin", `127.0.0.1:${adminPort}`],
    ]);
  const stop = async (): Promise<void> => {
    const gone = [...children].map((c) => new Promise<void>((resolve) => c.once("exit", () => resolve())));
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(gone);
    rmSync(dir, { recursive: true, force: true });
  };

  write(yaml);
  let control = startControlPlane();
  try {
    await ready(adminPort, "control plane ready");
  } catch (error) {
    console.error(log("control"));
    await stop();
    throw error;
  }
  return {
    adminPort,
    write,
    log,
    stop,
    async startProxy(name, plane, node, options = {}) {
      const port = await freePort();
      const boot = path.join(dir, `${name}.json`);
      writeFileSync(boot, bootstrapFile(node, { xds: xdsPort, admin: port }, options));
      const drain = options.drainS === undefined ? [] : ["--drain-time-s", String(options.drainS)];
      const child =
        plane === "serin"
          ? start(name, [...serin("proxy", options.maxHeapMiB), "-c", boot, ...drain])
          : start(name, [ENVOY, "-c", boot, "--concurrency", "1", "--disable-hot-restart", "-l", "warning", ...drain, ...ENVOY_DRAIN]);
      try {
        await ready(port, `${name} ready`);
      } catch (error) {
        console.error(log("control"), log(name));
        throw error;
      }
      return { child, adminPort: port, admin: async (url) => (await fetchText(`http://127.0.0.1:${port}${url}`)).text };
    },
    async restartControlPlane(signal) {
      const gone = new Promise<void>((resolve) => control.once("exit", () => resolve()));
      control.kill(signal);
      await gone;
      control = startControlPlane();
      await ready(adminPort, "control plane ready again");
    },
  };
}
