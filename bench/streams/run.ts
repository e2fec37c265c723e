// npm run bench -- streams [--only a,b] [--kinds tcp,websocket] [--seconds 2] [--rounds 3]
// Bytes that only pass through: TCP, and WebSocket after its handshake. Two loads each: many small messages that are answered one by one
// (messages per CPU-second of the proxy), and long downloads (MiB per CPU-second).
import { parseArgs } from "node:util";
import { createScratch } from "../candidate.ts";
import { measureRow, type Running, startCandidates, stopAll } from "../measure.ts";
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
  const timing = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
  for (const kind of values.kinds.split(",") as StreamKind[]) {
    const scratch = createScratch();
    const backend = await startStreamBackend();
    let running: readonly Running[] = [];
    try {
      running = await startCandidates(streamCandidates(scratch, backend.port, kind), values.only);
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
      stopAll(running);
      backend.stop();
      scratch.remove();
    }
  }
}
