// npm run bench -- streams [--only a,b] [--kinds tcp,websocket] [--seconds 2] [--rounds 3]
// Bytes that only pass through: TCP, and WebSocket after its handshake. Two loads each: many small messages that are answered one by one
// (messages per CPU-second of the proxy), and long downloads (MiB per CPU-second).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { freePort, measureRow, pinLoad, type Running, startCandidate } from "../measure.ts";
import { startStreamBackend } from "./backend.ts";
import { streamCandidates, type StreamKind } from "./candidates.ts";
import { download, pingPong } from "./load.ts";

const MESSAGE = 128;
const CONNECTIONS = 32;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      kinds: { type: "string", default: "tcp,websocket" },
      seconds: { type: "string", default: "2" },
      rounds: { type: "string", default: "3" },
    },
  });
  const root = path.resolve(import.meta.dirname, "../..");
  const timing = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
  pinLoad();
  for (const kind of values.kinds.split(",") as StreamKind[]) {
    const dir = mkdtempSync(path.join(tmpdir(), "serin-bench-"));
    const backend = await startStreamBackend();
    const running: Running[] = [];
    try {
      for (const name of ["serin", "envoy", "haproxy"]) {
        if (values.only !== undefined && !values.only.split(",").includes(name)) continue;
        const port = await freePort();
        const candidate = streamCandidates({ dir, port, upstream: backend.port, root, kind }).find((c) => c.name === name);
        const started = candidate === undefined ? undefined : await startCandidate(candidate, port);
        if (started !== undefined) running.push(started);
      }
      await measureRow(running, {
        ...timing,
        title: `${kind}: ${MESSAGE} B messages, ${CONNECTIONS} connections`,
        unit: "msg",
        load: (port, ms) => pingPong({ port, kind, connections: CONNECTIONS, ms }, MESSAGE),
      });
      await measureRow(running, {
        ...timing,
        title: `${kind}: downloads, 8 connections`,
        unit: "MiB",
        load: (port, ms) => download({ port, kind, connections: 8, ms }),
      });
    } finally {
      for (const proxy of running) proxy.child.kill();
      backend.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  }
}
