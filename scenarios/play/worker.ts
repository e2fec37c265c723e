// One worker in a network namespace of its own: starts the upstreams once, then plays the cases that the parent names, one JSON line each.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { PORTS } from "./boot.ts";
import { makeCerts } from "./certs.ts";
import { startEcho } from "./echo.ts";
import { type DataPlane, playCase, type Stage } from "./play.ts";
import { startSecretServer } from "./sds.ts";

export interface Job {
  readonly file: string;
  readonly plane: DataPlane;
}

async function main(): Promise<void> {
  const [serin = "", envoy = ""] = process.argv.slice(2);
  const certs = mkdtempSync(path.join(os.tmpdir(), "scenario-certs-"));
  process.on("exit", () => rmSync(certs, { recursive: true, force: true }));
  let current = path.join(certs, "default-default");
  makeCerts(current, { namespace: "default", serviceAccount: "default" });
  const stage: Stage = {
    echo: await startEcho(current),
    serin,
    envoy,
    certs,
    baseCerts: current,
    useCerts(dir) {
      current = dir;
    },
  };
  await startSecretServer(PORTS.sds, () => current);
  process.stdout.write('{"ready":true}\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const job = JSON.parse(line) as Job;
    const played = await playCase(job.file, job.plane, stage);
    process.stdout.write(`${JSON.stringify({ ...job, ...played })}\n`);
  }
  process.exit(0);
}

await main();
