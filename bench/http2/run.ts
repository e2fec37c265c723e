// npm run bench -- http2 [--only a,b] [--shapes 8x10,32x1] [--seconds 2] [--rounds 3]
// One hop HTTP/2 without TLS, connections × streams: GET with a 100 byte answer, and unary gRPC calls (a message each way, trailers).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { freePort, measureRow, pinLoad, type Running, startCandidate } from "../measure.ts";
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
  const root = path.resolve(import.meta.dirname, "../..");
  const dir = mkdtempSync(path.join(tmpdir(), "serin-bench-"));
  const backend = await startHttp2Backend(4);
  const running: Running[] = [];
  pinLoad();
  try {
    for (const name of ["serin", "envoy", "haproxy"]) {
      if (values.only !== undefined && !values.only.split(",").includes(name)) continue;
      const port = await freePort();
      const candidate = http2Candidates({ dir, port, upstreams: backend.ports, root }).find((c) => c.name === name);
      const started = candidate === undefined ? undefined : await startCandidate(candidate, port);
      if (started !== undefined) running.push(started);
    }
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
    for (const proxy of running) proxy.child.kill();
    backend.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}
