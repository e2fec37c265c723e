// kill -9 at a random moment of a stream of writes, again and again on one store: whatever was acknowledged is there, whole batches only.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { seededRng, systemClock } from "../../kit/index.ts";
import { openStore } from "./store.ts";

const ROUNDS = Number(process.env["SERIN_CRASH_ROUNDS"] ?? 5);

/** Runs the writer until it has acknowledged `acks` writes and a bit more time passed; its last acknowledgement. */
function runAndKill(file: string, options: { first: number; acks: number; extraMs: number }): Promise<{ n: number; revision: number }> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "crash-writer.ts"), file, String(options.first)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  let killing = false;
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    out += text;
    if (killing || out.split("\n").length <= options.acks) return;
    killing = true;
    setTimeout(() => child.kill("SIGKILL"), options.extraMs);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code !== null) return reject(new Error(`the writer ended by itself with ${code}`));
      // A line cut by the kill was not acknowledged.
      const last = out.slice(0, out.lastIndexOf("\n")).split("\n").at(-1) ?? "";
      const [n, revision] = last.split(" ").map(Number);
      resolve({ n: n ?? 0, revision: revision ?? 0 });
    });
  });
}

test(`${ROUNDS} times killed, nothing acknowledged is lost`, { timeout: 20_000 + ROUNDS * 2000 }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "serin-crash-"));
  const file = path.join(folder, "store.db");
  const rng = seededRng(7);
  let first = 1;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const acked = await runAndKill(file, { first, acks: 1 + Math.floor(rng.random() * 20), extraMs: rng.random() * 8 });
      const store = openStore({ file, clock: systemClock });
      const values = store.list().map((object) => Number((object.data as { n: string }).n));
      const newest = Math.max(...values);
      expect(store.revision()).toBeGreaterThanOrEqual(acked.revision);
      expect(newest).toBeGreaterThanOrEqual(acked.n);
      // A batch is three objects of one number: all of them or none.
      expect(values.filter((value) => value === newest)).toHaveLength(3);
      const versions = store.list().map((object) => Number(object.metadata.resourceVersion));
      expect(new Set(versions).size).toBe(versions.length);
      expect(Math.max(...versions)).toBe(store.revision());
      store.close();
      first = newest + 1;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
