// npm run bench -- proxy [--only a,b] [--sizes 100,1024,102400] [--connections 32,256] [--seconds 2] [--rounds 3] [--access-log]
// One hop HTTP/1.1: requests per CPU-second of the proxy, p50 and p99, memory.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { freePort, measureRow, pinLoad, type Running, startCandidate } from "../measure.ts";
import { startBackend } from "./backend.ts";
import { candidates } from "./candidates.ts";
import { runLoad } from "./load.ts";

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      sizes: { type: "string", default: "100,1024,102400" },
      connections: { type: "string", default: "32,256" },
      seconds: { type: "string", default: "2" },
      rounds: { type: "string", default: "3" },
      "access-log": { type: "boolean", default: false },
    },
  });
  const root = path.resolve(import.meta.dirname, "../..");
  const dir = mkdtempSync(path.join(tmpdir(), "serin-bench-"));
  const backend = await startBackend(4);
  const running: Running[] = [];
  pinLoad();
  try {
    const only = values.only?.split(",");
    for (const name of ["serin", "envoy", "haproxy", "nginx", "node-http", "node-pipe"]) {
      if (only !== undefined && !only.includes(name)) continue;
      const port = await freePort();
      const setting = { dir, port, upstreams: backend.ports, accessLog: values["access-log"], root };
      const candidate = candidates(setting).find((c) => c.name === name);
      const started = candidate === undefined ? undefined : await startCandidate(candidate, port);
      if (started !== undefined) running.push(started);
    }
    for (const connections of values.connections.split(",").map(Number)) {
      for (const size of values.sizes.split(",").map(Number)) {
        await measureRow(running, {
          title: `${size} B, ${connections} connections, access log ${values["access-log"] ? "on" : "off"}`,
          rounds: Number(values.rounds),
          seconds: Number(values.seconds),
          unit: "req",
          load: (port, ms) => runLoad({ port, connections, size, ms }),
        });
      }
    }
  } finally {
    for (const proxy of running) proxy.child.kill();
    backend.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}
