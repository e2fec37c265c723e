// Callers of the stream benchmark, on raw sockets; a WebSocket's frames are only bytes to a proxy, so plain messages do.
import net from "node:net";
import { type LoadResult, quantiles } from "../measure.ts";
import type { StreamKind } from "./candidates.ts";

export interface StreamLoad {
  readonly port: number;
  readonly kind: StreamKind;
  readonly connections: number;
  readonly ms: number;
}

const HANDSHAKE =
  "GET /chat HTTP/1.1\r\nHost: stream.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/** Connects, and says how many of the bytes read belong to the stream; `onBytes` runs for each read after the handshake. */
function open(load: StreamLoad, onBytes: (socket: net.Socket, length: number) => void): Promise<net.Socket> {
  return new Promise((ready, failed) => {
    let shaken = load.kind === "tcp";
    const socket: net.Socket = net.connect({
      port: load.port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(262_144),
        callback(length, data) {
          if (shaken) onBytes(socket, length);
          else if ((data as Buffer).toString("latin1", 0, length).startsWith("HTTP/1.1 101")) {
            shaken = true;
            ready(socket);
          } else failed(new Error("no upgrade"));
          return true;
        },
      },
    });
    socket.on("error", failed);
    socket.on("connect", () => {
      if (shaken) ready(socket);
      else socket.write(HANDSHAKE);
    });
  });
}

async function forA(ms: number): Promise<void> {
  await new Promise((done) => void setTimeout(done, ms));
}

/** Every connection sends its next message when the last has come back whole. */
export async function pingPong(load: StreamLoad, size: number): Promise<LoadResult> {
  const message = Buffer.alloc(size, 101);
  const latencies: number[] = [];
  let running = true;
  let failed = 0;
  const started = new Map<net.Socket, { at: number; missing: number }>();
  const sockets = await Promise.all(
    Array.from({ length: load.connections }, () =>
      open(load, (socket, length) => {
        const state = started.get(socket);
        if (state === undefined) return;
        state.missing -= length;
        if (state.missing > 0) return;
        const now = performance.now();
        latencies.push(now - state.at);
        if (!running) return;
        state.at = now;
        state.missing = size;
        socket.write(message);
      }),
    ),
  );
  for (const socket of sockets) {
    socket.on("close", () => (failed += running ? 1 : 0));
    started.set(socket, { at: performance.now(), missing: size });
    socket.write(message);
  }
  await forA(load.ms);
  running = false;
  for (const socket of sockets) socket.destroy();
  return { work: latencies.length, failed, ...quantiles(latencies) };
}

/** Every connection reads as fast as it can; the work is MiB. */
export async function download(load: StreamLoad): Promise<LoadResult> {
  let bytes = 0;
  let running = true;
  let failed = 0;
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load, (_socket, length) => (bytes += length))));
  for (const socket of sockets) {
    socket.on("close", () => (failed += running ? 1 : 0));
    socket.write("d");
  }
  await forA(load.ms);
  running = false;
  for (const socket of sockets) socket.destroy();
  return { work: bytes / 1_048_576, failed, p50Ms: 0, p99Ms: 0 };
}
