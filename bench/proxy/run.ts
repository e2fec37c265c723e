// npm run bench -- proxy [--only a,b] [--sizes 100,1024,102400] [--connections 32,256] [--seconds 2] [--rounds 3] [--access-log]
// One hop HTTP/1.1: requests per CPU-second of the proxy, p50 and p99, memory.
import { parseArgs } from "node:util";
import { createScratch } from "../candidate.ts";
import { measureRow, type Running, startCandidates, stopAll } from "../measure.ts";
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
  const scratch = createScratch();
  const backend = await startBackend(4);
  let running: readonly Running[] = [];
  try {
    running = await startCandidates(candidates({ scratch, upstreams: backend.ports, accessLog: values["access-log"] }), values.only);
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
    stopAll(running);
    backend.stop();
    scratch.remove();
  }
}
