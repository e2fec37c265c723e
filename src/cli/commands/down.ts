// serin down: stops the mesh and everything it started; also what a killed one left behind.
import { isSameProcess, type ProcessIdentity, readMeshFile } from "../../admin-api/index.ts";
import { SerinError } from "../../kit/index.ts";
import { readFileSync } from "node:fs";
import type { AddCommand, CommonOptions } from "../cli.ts";
import { cleanLeftovers } from "../up/runtime-handle.ts";

const STOP_TIMEOUT_MS = 15_000;

export const addDownCommand: AddCommand = (program, cli) => {
  cli.common(program.command("down").description("stop the mesh and everything it started")).action(async (options: CommonOptions) => {
    const paths = cli.paths(options);
    const runtime = readMeshFile(paths) ?? readIdentity(paths.lock);
    const running = runtime !== undefined && isSameProcess(runtime);
    if (running) {
      process.kill(runtime.pid, "SIGTERM");
      await gone(runtime);
    }
    const left = await cleanLeftovers(paths.dir);
    if (options.output === "json") return cli.out.json({ stopped: running, leftovers: left });
    if (running) cli.out.print(`The mesh ${options.name} is stopped.`);
    else if (left.length > 0) cli.out.print(`Ended what a killed mesh left behind: ${left.join(", ")}.`);
    else cli.out.print(`No mesh ${options.name} runs.`);
  });
};

async function gone(runtime: ProcessIdentity): Promise<void> {
  const end = performance.now() + STOP_TIMEOUT_MS;
  while (isSameProcess(runtime)) {
    if (performance.now() > end) {
      process.kill(runtime.pid, "SIGKILL");
      throw new SerinError("DOWN_TIMEOUT", "the runtime did not stop in time and was killed", {
        fix: "Run `serin down` again: it ends what is left.",
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function readIdentity(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
