// serin exec: a command in a pod's place: its environment, its folder, its sidecar as HTTP proxy. Exits as the command does.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { readRuntimeState } from "../../admin-api/index.ts";
import { SerinError } from "../../kit/index.ts";
import type { AddCommand, CommonOptions } from "../cli.ts";
import { findPod } from "../find-pod.ts";

interface ExecFile {
  readonly containers: readonly { readonly name: string; readonly env: Record<string, string>; readonly cwd: string }[];
}

export const addExecCommand: AddCommand = (program, cli) => {
  const command = program
    .command("exec")
    .description("run a command with a pod's environment, through its sidecar")
    .argument("<pod>", "pod, NAMESPACE/POD or Deployment")
    .argument("<command...>", "the command; put -- before it")
    .option("-c, --container <name>", "container (default: the first)")
    .option("-n, --namespace <namespace>", "namespace of the pod");
  cli
    .common(command)
    .action(async (asked: string, words: readonly string[], options: CommonOptions & { container?: string; namespace?: string }) => {
      const { paths } = cli.mesh(options);
      const state = readRuntimeState(paths);
      if (state === undefined) throw new SerinError("MESH_STARTING", "the mesh is just starting", { fix: "Try again in a second." });
      const pod = findPod(state, asked, options.namespace);
      const { containers } = readExecFile(pod.execFile, pod.name);
      const container = options.container === undefined ? containers[0] : containers.find((one) => one.name === options.container);
      if (container === undefined) {
        throw new SerinError("CONTAINER_NOT_FOUND", `pod ${pod.name} has no container ${options.container ?? ""}`, {
          fix: `There are ${containers.map((one) => one.name).join(", ")}.`,
        });
      }
      process.exitCode = await run(words, { ...container.env, TERM: cli.env["TERM"] ?? "dumb" }, container.cwd);
    });
};

function readExecFile(file: string | undefined, pod: string): ExecFile {
  try {
    return JSON.parse(readFileSync(file ?? "", "utf8")) as ExecFile;
  } catch (cause) {
    throw new SerinError("POD_NOT_STARTED", `pod ${pod} runs no container`, { cause, fix: "See `serin status`." });
  }
}

function run(words: readonly string[], env: Record<string, string>, cwd: string): Promise<number> {
  const [file = "", ...args] = words;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, cwd, stdio: "inherit", shell: false });
    // The terminal sends Ctrl-C to the command too; we end as it does.
    const ignore = (): void => {};
    process.on("SIGINT", ignore);
    child.on("error", (cause: NodeJS.ErrnoException) => {
      reject(
        new SerinError("EXEC_FAILED", `cannot run ${file}: ${cause.code === "ENOENT" ? "there is no such program" : cause.message}`, {
          cause,
        }),
      );
    });
    child.on("exit", (code, signal) => {
      process.removeListener("SIGINT", ignore);
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
