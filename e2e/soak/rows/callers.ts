// Rows 13, 14 and 17: callers who send slowly, send too much, or only sit there.
import net from "node:net";
import { residentBytes } from "../../../bench/process-usage.ts";
import { failuresOf } from "../../load.ts";
import { sleep } from "../../mesh.ts";
import { startLoadApart } from "../load-apart.ts";
import { atMost, noFailure, type SoakRow, told } from "../row.ts";
import { HOST, onOneBackend } from "../stage.ts";

function connect(port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => resolve(socket));
    socket.on("error", reject);
  });
}

async function connectMany(port: number, count: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  while (sockets.length < count) {
    const batch = Math.min(200, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: batch }, () => connect(port)))));
  }
  for (const socket of sockets) socket.on("error", () => undefined);
  return sockets;
}

export const slowloris: SoakRow = {
  number: 13,
  title: "callers send their heads one byte a second",
  run: ({ plane, pick }) =>
    onOneBackend({ plane }, {}, async ({ mesh, pid }) => {
      const quiet = await startLoadApart({ port: mesh.gatewayPort, host: HOST, rate: 100 });
      await sleep(2000);
      const before = await quiet.stop();
      const rss = residentBytes(pid);
      const count = pick(5000, 500);
      const sockets = await connectMany(mesh.gatewayPort, count);
      let open = count;
      for (const socket of sockets) socket.on("close", () => open--);
      const text = "GET / HTTP/1.1";
      const load = await startLoadApart({ port: mesh.gatewayPort, host: HOST, rate: 100 });
      for (let second = 0; second < 13 && open > 0; second++) {
        for (const socket of sockets) if (socket.writable) socket.write(text.charAt(second));
        await sleep(1000);
      }
      const grown = (residentBytes(pid) - rss) / count;
      const during = await load.stop();
      const left = open;
      for (const socket of sockets) socket.destroy();
      // Envoy has no limit of its own on how long a head may take; Istio sets none either.
      return [
        told("connections", count),
        plane === "serin" ? atMost("still open after 13 s", left, 0) : told("still open after 13 s", left),
        told("p99 of others", `${before.p99Ms.toFixed(1)} ms before, ${during.p99Ms.toFixed(1)} ms during`),
        noFailure("others that failed", failuresOf(during)),
        // A few hundred connections do not outweigh what the load itself makes grow.
        atMost("memory for each", grown / 1024, pick(30, 200), " KiB"),
      ];
    }),
};

/** What comes back to these bytes: the status line's code, or "closed". */
function answerTo(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let got = "";
    const socket = net.connect(port, "127.0.0.1", () => socket.write(text, "latin1"));
    const finish = (): void => {
      socket.destroy();
      resolve(/^HTTP\/1\.1 (\d{3})/.exec(got)?.[1] ?? "closed");
    };
    socket.setTimeout(5000, finish);
    socket.on("data", (data: Buffer) => {
      got += data.toString("latin1");
      if (got.includes("\r\n\r\n")) finish();
    });
    socket.on("error", finish);
    socket.on("close", finish);
  });
}

export const headerFlood: SoakRow = {
  number: 14,
  title: "heads with too many or too large headers",
  run: ({ plane, pick }) =>
    onOneBackend({ plane }, {}, async ({ mesh, pid, serves }) => {
      const head = `GET / HTTP/1.1\r\nhost: ${HOST}\r\n`;
      const many = `${head}${Array.from({ length: 101 }, (_, i) => `x-${i}: a\r\n`).join("")}\r\n`;
      const large = `${head}x-large: ${"a".repeat(61 * 1024)}\r\n\r\n`;
      const fits = `${head}x-fits: ${"a".repeat(17 * 1024)}\r\n\r\n`;
      const answers = await Promise.all([many, large, fits].map((text) => answerTo(mesh.gatewayPort, text)));
      const rss = residentBytes(pid);
      const rounds = pick(2000, 200);
      for (let i = 0; i < rounds; i += 20) await Promise.all(Array.from({ length: 20 }, () => answerTo(mesh.gatewayPort, large)));
      const grown = residentBytes(pid) - rss;
      return [
        { name: "101 headers, 61 KiB, 17 KiB", value: answers.join(", "), good: answers.join() === "431,431,200" },
        atMost("memory grown over bytes received", grown / (rounds * large.length), 10, " ×"),
        { name: "serves on", value: String(await serves()), good: true },
      ];
    }),
};

export const idleCallers: SoakRow = {
  number: 17,
  title: "connections that only sit there",
  run: ({ plane, pick }) =>
    onOneBackend({ plane }, {}, async ({ mesh, pid, serves }) => {
      const rss = residentBytes(pid);
      const count = pick(10_000, 1000);
      const sockets = await connectMany(mesh.gatewayPort, count);
      await sleep(500);
      const each = (residentBytes(pid) - rss) / count / 1024;
      for (const socket of sockets) socket.destroy();
      await serves();
      // Few connections round up: pages are counted whole.
      return [told("connections", count), atMost("memory for each", each, pick(12, 24), " KiB")];
    }),
};
