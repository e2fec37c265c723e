// npm run bench -- http2 [--only a,b] [--shapes 8x10,32x1] [--seconds 2] [--rounds 3]
// One hop HTTP/2 without TLS, connections × streams: GET with a 100 byte answer, and unary gRPC calls (a message each way, trailers).
import { parseArgs } from "node:util";
import { createScratch } from "../candidate.ts";
import { measureRow, type Running, startCandidates, stopAll } from "../measure.ts";
import { startHttp2Backend } from "./backend.ts";
import { http2Candidates } from "./candidates.ts";
import { type CallKind, runHttp2Load } from "./load.ts";

const KINDS: readonly { readonly kind: CallKind; readonly what: string }[] = [
  { kind: "get", what: "HTTP/2 GET" },
  { kind: "grpc", what: "gRPC unary" },
];

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      shapes: { type: "string", default: "8x10,32x1" },
      seconds: { type: "string", default: "2" },
      rounds: { type: "string", default: "3" },
    },
  });
  const scratch = createScratch();
  const backend = await startHttp2Backend(4);
  let running: readonly Running[] = [];
  try {
    running = await startCandidates(http2Candidates(scratch, backend.ports), values.only);
    for (const { kind, what } of KINDS) {
      for (const shape of values.shapes.split(",")) {
        const [connections = 1, streams = 1] = shape.split("x").map(Number);
        await measureRow(running, {
          title: `${what}, ${connections} connections × ${streams} streams`,
          rounds: Number(values.rounds),
          seconds: Number(values.seconds),
          unit: "req",
          load: (port, ms) => runHttp2Load({ port, connections, streams, ms, kind }),
        });
      }
    }
  } finally {
    stopAll(running);
    backend.stop();
    scratch.remove();
  }
}
