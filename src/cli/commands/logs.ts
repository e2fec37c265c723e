// serin logs: what a container, a sidecar, the gateway or the control plane printed.
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import path from "node:path";
import { InvalidArgumentError } from "commander";
import { readRuntimeState } from "../../admin-api/index.ts";
import { SerinError } from "../../kit/index.ts";
import type { AddCommand, Cli, CommonOptions } from "../cli.ts";
import { findPod } from "../find-pod.ts";

interface LogsOptions extends CommonOptions {
  readonly container?: string;
  readonly namespace?: string;
  readonly follow?: boolean;
  readonly tail?: number;
}

const POLL_MS = 200;
const CHUNK = 64 * 1024;

export const addLogsCommand: AddCommand = (program, cli) => {
  const command = program
    .command("logs")
    .description("what a pod printed")
    .argument("<pod>", "pod, NAMESPACE/POD or Deployment; also gateway, control-plane, runtime")
    .option("-c, --container <name>", "container; istio-proxy is the sidecar")
    .option("-n, --namespace <namespace>", "namespace of the pod")
    .option("-f, --follow", "go on as it is printed")
    .option("--tail <lines>", "only the last lines", parseCount);
  cli.common(command).action(async (pod: string, options: LogsOptions) => {
    const file = logFile(cli, pod, options);
    let offset = print(file, startOffset(file, options.tail));
    if (options.follow !== true) return;
    // Until Ctrl-C; a file that was emptied at its cap starts again.
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (!existsSync(file)) return;
      if (statSync(file).size < offset) offset = 0;
      offset = print(file, offset);
    }
  });
};

function logFile(cli: Cli, asked: string, options: LogsOptions): string {
  const { paths } = cli.mesh(options);
  if (asked === "control-plane") return path.join(paths.logs, "control-plane.log");
  if (asked === "runtime") return path.join(paths.dir, "runtime.log");
  const state = readRuntimeState(paths);
  if (state === undefined) throw new SerinError("MESH_STARTING", "the mesh is just starting", { fix: "Try again in a second." });
  const pod = findPod(state, asked, options.namespace);
  const processes = [...pod.containers, ...(pod.sidecar === undefined ? [] : [pod.sidecar])];
  const found = options.container === undefined ? processes[0] : processes.find((one) => one.name === options.container);
  if (found !== undefined && found.log !== "" && existsSync(found.log)) return found.log;
  if (options.container === undefined && pod.message !== undefined) {
    throw new SerinError("POD_NOT_STARTED", `pod ${pod.name} has not started: ${pod.message}`);
  }
  throw new SerinError("CONTAINER_NOT_FOUND", `pod ${pod.name} has no container ${options.container ?? ""} that printed anything`, {
    fix: `There are ${processes.map((one) => one.name).join(", ")}.`,
  });
}

/** Writes from `offset` to the end; the new end. */
function print(file: string, offset: number): number {
  const buffer = Buffer.alloc(CHUNK);
  const handle = openSync(file, "r");
  let at = offset;
  try {
    for (;;) {
      const size = readSync(handle, buffer, 0, CHUNK, at);
      if (size === 0) return at;
      process.stdout.write(Uint8Array.prototype.slice.call(buffer, 0, size));
      at += size;
    }
  } finally {
    closeSync(handle);
  }
}

/** Where the last `lines` lines begin; searched in the last mebibyte. */
function startOffset(file: string, lines: number | undefined): number {
  if (lines === undefined) return 0;
  const { size } = statSync(file);
  const length = Math.min(size, 1024 * 1024);
  const buffer = Buffer.alloc(length);
  const handle = openSync(file, "r");
  try {
    readSync(handle, buffer, 0, length, size - length);
  } finally {
    closeSync(handle);
  }
  let left = lines;
  let at = length - 1;
  while (at > 0 && left > 0) {
    const next = buffer.lastIndexOf(10, at - 1);
    left--;
    if (left === 0 || next === -1) return size - length + next + 1;
    at = next;
  }
  return lines === 0 ? size : size - length;
}

function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a number of lines.");
  return Number(text);
}
