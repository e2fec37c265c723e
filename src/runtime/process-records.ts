// What runs, written down: one small file per process, so that whoever comes after a killed runtime can end what it left behind.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isSameProcess, type ProcessIdentity, processStartTime } from "../admin-api/index.ts";
import type { Clock } from "../kit/index.ts";

export interface ProcessRecords {
  add(pid: number, name: string): void;
  remove(pid: number): void;
}

export function createProcessRecords(dir: string): ProcessRecords {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const fileOf = (pid: number): string => path.join(dir, `${pid}.json`);
  return {
    add(pid, name) {
      const startTime = processStartTime(pid);
      if (startTime !== undefined) writeFileSync(fileOf(pid), JSON.stringify({ pid, startTime, name }), { mode: 0o600 });
    },
    remove: (pid) => rmSync(fileOf(pid), { force: true }),
  };
}

/** Ends every recorded process that still runs, with its group; the names of those that did. */
export async function endLeftovers(options: { readonly dir: string; readonly clock: Clock; readonly graceMs: number }): Promise<string[]> {
  const { dir, clock, graceMs } = options;
  const records = readRecords(dir);
  const running = records.filter(isSameProcess);
  for (const { pid } of running) killGroup(pid, "SIGTERM");
  const end = clock.now() + graceMs;
  while (clock.now() < end && running.some(isSameProcess)) await new Promise<void>((resolve) => clock.after(20, resolve));
  for (const record of running) if (isSameProcess(record)) killGroup(record.pid, "SIGKILL");
  rmSync(dir, { recursive: true, force: true });
  return running.map((record) => record.name);
}

/** Signals a process and everything it started; false when nothing is left of it. */
export function killGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

function readRecords(dir: string): (ProcessIdentity & { readonly name: string })[] {
  let files: string[];
  try {
    files = readdirSync(dir);
  } catch {
    return [];
  }
  return files.flatMap((file) => {
    try {
      return [JSON.parse(readFileSync(path.join(dir, file), "utf8")) as ProcessIdentity & { readonly name: string }];
    } catch {
      // Half-written when the machine went down: that process is gone too.
      return [];
    }
  });
}
