// A closed-loop load generator on raw sockets: every connection sends its next request as soon as the last answer is whole.
import net from "node:net";
import { DOMAIN } from "../bootstrap.ts";
import { type LoadResult, quantiles } from "../measure.ts";

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly size: number;
  readonly ms: number;
  /** What a caller sends beside the rest. */
  readonly headers?: (caller: number) => readonly (readonly [string, string])[];
}

/** One in ten callers is the user that the cookie rule sends to v2. */
function requestFor({ size, headers }: LoadOptions, index: number): Buffer {
  const email = index % 10 === 0 ? "tester@example.com" : `user${index}@mail.org`;
  const own = (headers?.(index) ?? []).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(
    `GET /${size} HTTP/1.1\r\nHost: ${DOMAIN}\r\nUser-Agent: bench/1\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n` +
      `Accept-Language: en\r\nCookie: theme=dark;email=${email};x=1\r\n${own}\r\n`,
  );
}

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { port, connections, size, ms } = options;
  const latencies: number[] = [];
  let failed = 0;
  let running = true;
  const sockets: net.Socket[] = [];

  function open(index: number): Promise<void> {
    return new Promise((ready) => {
      const request = requestFor(options, index);
      let started = 0;
      let missing = -1;
      const socket = net.connect({
        port,
        host: "127.0.0.1",
        noDelay: true,
        onread: {
          buffer: Buffer.allocUnsafeSlow(131_072),
          callback(length, data) {
            if (missing < 0) {
              const buffer = data as Buffer;
              const text = buffer.toString("latin1", 0, Math.min(length, 1500));
              const end = text.indexOf("\r\n\r\n");
              if (end < 0 || !text.startsWith("HTTP/1.1 200")) {
                failed++;
                socket.destroy();
                return true;
              }
              missing = size + end + 4;
            }
            missing -= length;
            if (missing > 0) return true;
            if (missing < 0) failed++;
            missing = -1;
            const now = performance.now();
            latencies.push(now - started);
            if (running) {
              started = now;
              socket.write(request);
            }
            return true;
          },
        },
      });
      socket.on("error", () => undefined);
      socket.on("close", () => {
        if (running) failed++;
      });
      socket.on("connect", () => {
        started = performance.now();
        socket.write(request);
        ready();
      });
      sockets.push(socket);
    });
  }

  await Promise.all(Array.from({ length: connections }, (_, i) => open(i)));
  latencies.length = 0;
  await new Promise((done) => void setTimeout(done, ms));
  running = false;
  for (const socket of sockets) socket.destroy();
  return { work: latencies.length, failed, ...quantiles(latencies) };
}
