// Rows 18, 19 and 20: very large bodies, readers that do not read, and upstreams that lie.
import { createHash, type Hash } from "node:crypto";
import http from "node:http";
import net from "node:net";
import { blocks, pour } from "../../../bench/pour.ts";
import { BROKEN_OFF, EXCESS, REFUSED } from "../../../src/proxy/testing/lies.ts";
import { sleep } from "../../mesh.ts";
import { atMost, told, type SoakRow } from "../row.ts";
import { HOST, onOneBackend } from "../stage.ts";
import { grownMiB, MIB, peakDuring } from "../memory.ts";

/** The upstream's SHA-256 of the body. */
function upload(port: number, bytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host: HOST, "content-length": String(bytes) };
    const request = http.request({ host: "127.0.0.1", port, path: "/upload", method: "POST", headers, agent: false });
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.on("data", (data: Buffer) => (text += data.toString()));
      response.on("end", () => resolve(text));
    });
    pour(request, bytes);
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
  let hash: Hash = createHash("sha256");
  for (const part of blocks(bytes)) hash = hash.update(part);
  return hash.digest("hex");
}

export const largeBodies: SoakRow = {
  number: 18,
  title: "a very large upload and download",
  run: (context) =>
    onOneBackend(context, {}, async ({ mesh, pid }) => {
      const bytes = context.pick(10 * 1024, 256) * MIB;
      const hashes: string[] = [];
      const grown = await peakDuring(pid, async () => {
        hashes.push(await upload(mesh.gatewayPort, bytes), await download(mesh.gatewayPort, bytes));
      });
      const whole = new Set([...hashes, hashOf(bytes)]).size === 1;
      return [
        told("MiB", bytes / MIB),
        { name: "SHA-256 equal both ways", value: String(whole), good: whole },
        // A short run sees the first, largest heap; the collector brings it down later.
        grownMiB(grown, context.pick(64, 112)),
      ];
    }),
};

export const slowReaders: SoakRow = {
  number: 19,
  title: "readers that ask for much and read nothing",
  run: (context) =>
    onOneBackend(context, {}, async ({ mesh, pid, serves }) => {
      const count = context.pick(1000, 50);
      const sockets = Array.from({ length: count }, () => {
        const socket = net.connect(mesh.gatewayPort, "127.0.0.1", () => {
          socket.pause();
          socket.write(`GET /download?${100 * MIB} HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`);
        });
        socket.on("error", () => undefined);
        return socket;
      });
      const grown = await peakDuring(pid, () => sleep(context.pick(15_000, 3000)));
      for (const socket of sockets) socket.destroy();
      const others = await serves();
      return [
        told("readers", count),
        // Envoy's own bound is 1 MiB a connection and side (per_connection_buffer_limit_bytes); Istio leaves it there.
        context.plane === "serin" ? grownMiB(grown, context.pick(384, 64)) : told("memory grown, MiB", (grown / MIB).toFixed(0)),
        { name: "others served", value: String(others), good: others },
      ];
    }),
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

/** What comes a moment later, on a connection that is in use again, nobody can tell from the next answer. */
const LIES = Object.keys({ ...REFUSED, ...BROKEN_OFF, ...EXCESS }).filter((name) => name !== "a moment later");

export const lyingUpstreams: SoakRow = {
  number: 20,
  title: "upstreams that break HTTP",
  run: (context) =>
    onOneBackend(context, { kind: "lie", rule: "retries: {attempts: 0}" }, async ({ mesh }) => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
      const statuses = new Map<string, number>();
      const leaks: string[] = [];
      const lost: string[] = [];
      for (let round = 0; round < context.pick(50, 2); round++) {
        for (const name of LIES) {
          const lie = await ask(mesh.gatewayPort, `/${encodeURIComponent(name)}`, agent);
          statuses.set(lie.status, (statuses.get(lie.status) ?? 0) + 1);
          // The next caller gets its own answer, whatever the upstream said before.
          const next = await ask(mesh.gatewayPort, "/honest", agent);
          if (/x-leak|stolen/.test(lie.text + next.text)) leaks.push(name);
          if (next.status !== "200" || !next.text.endsWith("honest")) lost.push(name);
        }
      }
      agent.destroy();
      return [
        told("lies", `${LIES.length}, answered ${[...statuses].map(([status, n]) => `${status}: ${n}`).join(", ")}`),
        atMost(`answers with another's bytes${named(leaks)}`, leaks.length, 0),
        atMost(`honest answers lost${named(lost)}`, lost.length, 0),
      ];
    }),
};

function named(list: readonly string[]): string {
  return list.length === 0 ? "" : ` (${[...new Set(list)].join("; ")})`;
}
