// Starts one process: own group, no shell, only the given environment, output appended to its log file.
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { killGroup, type ProcessRecords } from "./process-records.ts";

export interface LaunchSpec {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: string;
}

export interface ProcessEnd {
  /** "exit code 1", "signal SIGKILL", or why it could not start. */
  readonly reason: string;
  readonly code: number | undefined;
}

export interface Running {
  readonly pid: number | undefined;
  /** Resolves once, also when it could not start. */
  readonly ended: Promise<ProcessEnd>;
  /** To the process and what it started. */
  signal(signal: NodeJS.Signals): void;
}

export type Launch = (spec: LaunchSpec) => Running;

export function createLaunch(records: ProcessRecords): Launch {
  return (spec) => {
    mkdirSync(path.dirname(spec.log), { recursive: true, mode: 0o700 });
    const log = openSync(spec.log, "a", 0o600);
    const [file = "", ...args] = spec.command;
    try {
      const child = spawn(file, args, { cwd: spec.cwd, env: spec.env, shell: false, detached: true, stdio: ["ignore", log, log] });
      const { pid } = child;
      if (pid !== undefined) records.add(pid, spec.name);
      const ended = new Promise<ProcessEnd>((resolve) => {
        child.once("error", (error: NodeJS.ErrnoException) => resolve({ reason: startFailure(error, spec), code: undefined }));
        child.once("exit", (code, signal) => {
          if (pid !== undefined) {
            // What it started and did not wait for.
            killGroup(pid, "SIGKILL");
            records.remove(pid);
          }
          resolve({ reason: signal === null ? `exit code ${code ?? 0}` : `signal ${signal}`, code: code ?? undefined });
        });
      });
      return { pid, ended, signal: (signal) => void (pid !== undefined && killGroup(pid, signal)) };
    } finally {
      closeSync(log);
    }
  };
}

function startFailure(error: NodeJS.ErrnoException, spec: LaunchSpec): string {
  if (error.code === "ENOENT") return `cannot start: there is no program ${spec.command[0] ?? ""} (or no folder ${spec.cwd})`;
  return `cannot start: ${error.message}`;
}
