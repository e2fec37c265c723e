// `serin up` on the demo to the first successful answer through the gateway, warm (dependencies installed, bundles built).
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { sleep } from "../../e2e/mesh.ts";
import { freePort } from "../../src/kit/testing/free-port.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ host: "127.0.0.1", port, headers: { host: "demo4.a.com" }, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("error", () => resolve(false));
  });
}

async function once(): Promise<number> {
  const home = mkdtempSync(path.join(os.tmpdir(), "serin-start-"));
  const port = await freePort();
  const started = performance.now();
  const up = spawn(path.join(ROOT, "bin/serin"), ["up", path.join(ROOT, "examples/demo4"), "--gateway-port", `80=${port}`], {
    env: { ...process.env, SERIN_HOME: home },
    stdio: "ignore",
  });
  const deadline = started + 60_000;
  while (!(await answers(port))) {
    if (performance.now() > deadline) throw new Error("no answer within 60 s");
    await sleep(10);
  }
  const took = performance.now() - started;
  const gone = new Promise((resolve) => up.once("exit", resolve));
  up.kill("SIGINT");
  await gone;
  rmSync(home, { recursive: true, force: true });
  return took;
}

export async function run(args: readonly string[]): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < Number(args[0] ?? 5); i++) times.push(await once());
  times.sort((a, b) => a - b);
  console.log(
    `first answer after: min ${times[0]?.toFixed(0)} ms, median ${times[times.length >> 1]?.toFixed(0)} ms, max ${times.at(-1)?.toFixed(0)} ms`,
  );
}
