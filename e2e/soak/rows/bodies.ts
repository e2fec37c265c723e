// Rows 18, 19 and 20: very large bodies, readers that do not read, and upstreams that lie.
import { createHash } from "node:crypto";
import http from "node:http";
import net from "node:net";
import { residentBytes } from "../../../bench/process-usage.ts";
import { HOST, onStage, withBackends } from "../stage.ts";
import { atMost, type Figure, type SoakRow, told } from "../row.ts";
import { live } from "./config-changes.ts";

const MIB = 1_048_576;
const BLOCK = Buffer.alloc(65_536, 97);

/** The largest memory of a process while `work` runs, in bytes. */
async function peakDuring(pid: number, work: Promise<unknown>): Promise<number> {
  let peak = residentBytes(pid);
  const timer = setInterval(() => (peak = Math.max(peak, residentBytes(pid))), 50);
  try {
    await work;
  } finally {
    clearInterval(timer);
  }
  return peak;
}

function upload(port: number, bytes: number): Promise<{ sent: string; got: string }> {
  return new Promise((resolve, reject) => {
    const hash = createHash("sha256");
    const request = http.request({
      host: "127.0.0.1",
      port,
      path: "/upload",
      method: "POST",
      headers: { host: HOST, "content-length": String(bytes) },
      agent: false,
    });
    let left = bytes;
    const more = (): void => {
      while (left > 0) {
        const part = left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left);
        left -= part.length;
        hash.update(part);
        if (!request.write(part)) break;
      }
      if (left === 0) request.end();
    };
    request.on("drain", more);
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.on("data", (data: Buffer) => (text += data.toString()));
      response.on("end", () => resolve({ sent: hash.digest("hex"), got: text }));
    });
    more();
  });
}

function download(port: number, bytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const hash = createHash("sha256");
    const request = http.get({ host: "127.0.0.1", port, path: `/download?${bytes}`, headers: { host: HOST }, agent: false });
    request.on("error", reject);
    request.on("response", (response) => {
      response.on("data", (data: Buffer) => hash.update(data));
      response.on("error", reject);
      response.on("end", () => resolve(hash.digest("hex")));
    });
  });
}

function hashOf(bytes: number): string {
  const hash = createHash("sha256");
  for (let left = bytes; left > 0; left -= BLOCK.length) hash.update(left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left));
  return hash.digest("hex");
}

export const largeBodies: SoakRow = {
  number: 18,
  title: "a very large upload and download",
  run: ({ plane, pick }) =>
    withBackends(1, "echo", ([backend]) =>
      onStage(plane, { ports: [backend!.port], mark: "start" }, async ({ mesh, pid }) => {
        await live(mesh, "start");
        const bytes = pick(10 * 1024, 256) * MIB;
        const rss = residentBytes(pid);
        let up = { sent: "", got: "" };
        let down = "";
        const peak = await peakDuring(
          pid,
          (async () => {
            up = await upload(mesh.gatewayPort, bytes);
            down = await download(mesh.gatewayPort, bytes);
          })(),
        );
        const whole: Figure = { name: "SHA-256 equal both ways", value: "", good: up.sent === up.got && down === hashOf(bytes) };
        return [
          told("MiB", bytes / MIB),
          { ...whole, value: String(whole.good) }, // A short run sees the first, largest heap; the collector brings it down later.
          atMost("memory grown", (peak - rss) / MIB, pick(64, 112), " MiB"),
        ];
      }),
    ),
};

export const slowReaders: SoakRow = {
  number: 19,
  title: "readers that ask for much and read nothing",
  run: ({ plane, pick }) =>
    withBackends(1, "echo", ([backend]) =>
      onStage(plane, { ports: [backend!.port], mark: "start" }, async ({ mesh, pid }) => {
        await live(mesh, "start");
        const rss = residentBytes(pid);
        const count = pick(1000, 50);
        const sockets = Array.from({ length: count }, () => {
          const socket = net.connect(mesh.gatewayPort, "127.0.0.1", () => {
            socket.pause();
            socket.write(`GET /download?${100 * MIB} HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`);
          });
          socket.on("error", () => undefined);
          return socket;
        });
        const peak = await peakDuring(pid, new Promise((done) => setTimeout(done, pick(15_000, 3000))));
        for (const socket of sockets) socket.destroy();
        const others = await live(mesh, "start");
        return [
          told("readers", count),
          // Envoy's own bound is 1 MiB a connection and side (per_connection_buffer_limit_bytes); Istio leaves it there.
          plane === "serin"
            ? atMost("memory grown", (peak - rss) / MIB, pick(384, 64), " MiB")
            : told("memory grown, MiB", ((peak - rss) / MIB).toFixed(0)),
          { name: "others served", value: String(others), good: others },
        ];
      }),
    ),
};

interface Got {
  readonly status: string;
  readonly text: string;
}

function ask(port: number, path: string, agent: http.Agent): Promise<Got> {
  return new Promise((resolve) => {
    const request = http.get({ host: "127.0.0.1", port, path, headers: { host: HOST }, agent });
    request.setTimeout(4000, () => request.destroy());
    request.on("response", (response) => {
      let text = JSON.stringify(response.headers);
      response.on("data", (data: Buffer) => (text += data.toString("latin1")));
      response.on("error", () => resolve({ status: "broken", text }));
      response.on("end", () => resolve({ status: String(response.statusCode), text }));
    });
    request.on("error", () => resolve({ status: "broken", text: "" }));
  });
}

const LIES = ["/short", "/long", "/chunk", "/both", "/split", "/flood", "/upgrade", "/garbage", "/huge", "/twice"];

export const lyingUpstreams: SoakRow = {
  number: 20,
  title: "upstreams that break HTTP",
  run: ({ plane, pick }) =>
    withBackends(1, "lie", ([backend]) =>
      onStage(plane, { ports: [backend!.port], mark: "start", rule: "retries: {attempts: 0}" }, async ({ mesh }) => {
        await live(mesh, "start");
        const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
        const figures: Figure[] = [];
        let leaks = 0;
        let dishonest = 0;
        for (let round = 0; round < pick(50, 2); round++) {
          for (const path of LIES) {
            const lie = await ask(mesh.gatewayPort, path, agent);
            if (round === 0) figures.push(told(path, lie.status));
            // The next caller gets its own answer, whatever the upstream said before.
            const next = await ask(mesh.gatewayPort, "/honest", agent);
            if (lie.text.includes("x-leak") || next.text.includes("x-leak") || next.text.includes("stolen")) leaks++;
            if (next.status !== "200" || !next.text.endsWith("honest")) dishonest++;
          }
        }
        agent.destroy();
        return [...figures, atMost("answers with another's bytes", leaks, 0), atMost("honest answers lost", dishonest, 0)];
      }),
    ),
};
