// One runtime per mesh name: the lock file holds pid and start time, so that one left by a killed runtime is known as such.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { isSameProcess, type ProcessIdentity, thisProcess } from "../admin-api/index.ts";
import { SerinError } from "../kit/index.ts";

/** Returns what gives the lock back. */
export function takeMeshLock(file: string, name: string): () => void {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(file, JSON.stringify(thisProcess()), { mode: 0o600, flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = readHolder(file);
    if (holder !== undefined && isSameProcess(holder)) {
      throw new SerinError("MESH_RUNNING", `the mesh ${name} runs already (process ${holder.pid})`, {
        fix: "Use `serin apply` to change it, `serin down` to stop it, or --name for a second one.",
      });
    }
    rmSync(file, { force: true });
  }
  throw new SerinError("MESH_LOCK_FAILED", `cannot take ${file}`, { fix: "Another `serin up` starts at the same time; try again." });
}

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
