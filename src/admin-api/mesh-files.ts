// The files of a running mesh that the runtime writes and the CLI reads: where it is (mesh.json) and what runs in it (runtime.json).
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { ProcessIdentity } from "./process-identity.ts";

export interface MeshPaths {
  readonly dir: string;
  /** MeshFile, owner-only. Exists while the mesh runs. */
  readonly mesh: string;
  /** RuntimeState, replaced at once after every change. */
  readonly runtime: string;
  readonly lock: string;
  readonly token: string;
  /** The control plane's own folder. */
  readonly controlPlane: string;
  /** One ProcessIdentity per started process, so that a killed runtime can be cleaned up after. */
  readonly processes: string;
  /** Bootstrap files and environments, owner-only. */
  readonly run: string;
  readonly logs: string;
}

export interface MeshFile extends ProcessIdentity {
  readonly name: string;
  readonly startedAt: string;
  readonly adminUrl: string;
  readonly token: string;
  /** HOST:PORT of the ADS server. */
  readonly xds: string;
  readonly proxy: "serin" | "envoy";
  /** The default ingress gateway, `http://127.0.0.1:8080`. */
  readonly gatewayUrl: string;
  readonly gatewayAdminUrl: string;
  /** What `up` was given, absolute. */
  readonly sources: readonly string[];
}

export interface ProcessState {
  readonly name: string;
  readonly state: "waiting" | "starting" | "running" | "backing-off" | "completed" | "stopped";
  readonly pid?: number;
  readonly restarts: number;
  /** Why it last ended, or cannot start. */
  readonly reason?: string;
  readonly log: string;
  /** The command line as started. */
  readonly command?: readonly string[];
}

export interface PodState {
  readonly name: string;
  readonly namespace: string;
  readonly owner?: { readonly kind: string; readonly name: string };
  readonly phase: string;
  readonly ready: boolean;
  readonly stopping: boolean;
  readonly startedAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly message?: string;
  readonly containers: readonly ProcessState[];
  readonly sidecar?: ProcessState & { readonly adminPort: number; readonly httpProxyPort?: number };
  readonly ports: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly appPort: number;
    readonly meshPort: number;
  }[];
  /** Owner-only file with what `exec` needs: {env, cwd}. */
  readonly execFile?: string;
}

export interface DeploymentState {
  readonly name: string;
  readonly namespace: string;
  readonly desired: number;
  readonly current: number;
  readonly ready: number;
  /** Of the current template. */
  readonly updated: number;
  readonly updatedReady: number;
}

export interface RuntimeState {
  /** Store version up to which the runtime has acted. */
  readonly resourceVersion: string;
  readonly controlPlane: ProcessState;
  readonly deployments: readonly DeploymentState[];
  /** The default gateway is one of them. */
  readonly pods: readonly PodState[];
}

/** `$SERIN_HOME`, else `$XDG_STATE_HOME/serin`, else `~/.local/state/serin`; one folder per mesh name below. */
export function meshPaths(name: string, env: Readonly<Record<string, string | undefined>> = process.env): MeshPaths {
  const base = env["SERIN_HOME"] ?? path.join(env["XDG_STATE_HOME"] ?? path.join(os.homedir(), ".local", "state"), "serin");
  return pathsIn(path.join(path.resolve(base), name));
}

/** Where Node keeps our compiled bundles, so that not every sidecar compiles them; shared by the meshes of a user, and only theirs. */
export function compileCacheDir(meshDir: string): string {
  return path.join(path.dirname(meshDir), ".compile-cache");
}

export function pathsIn(dir: string): MeshPaths {
  return {
    dir,
    mesh: path.join(dir, "mesh.json"),
    runtime: path.join(dir, "runtime.json"),
    lock: path.join(dir, "lock.json"),
    token: path.join(dir, "admin-token"),
    controlPlane: path.join(dir, "control-plane"),
    processes: path.join(dir, "processes"),
    run: path.join(dir, "run"),
    logs: path.join(dir, "logs"),
  };
}

/** undefined when there is none or it cannot be read as JSON. */
export function readMeshFile(paths: MeshPaths): MeshFile | undefined {
  return readJsonFile<MeshFile>(paths.mesh);
}

export function readRuntimeState(paths: MeshPaths): RuntimeState | undefined {
  return readJsonFile<RuntimeState>(paths.runtime);
}

function readJsonFile<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch {
    return undefined;
  }
}
