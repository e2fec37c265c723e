// Rows 15 and 16: HTTP/2 callers who make work and want nothing (CVE-2023-44487, CVE-2025-8671, CVE-2024-30255 and those of 2019).
import { cpuSeconds } from "../../../bench/process-usage.ts";
import { frame, settings, u32 } from "../../../src/proxy/testing/http2-peer.ts";
import { failuresOf } from "../../load.ts";
import { type Mesh, sleep } from "../../mesh.ts";
import { attack, type Attack, requestBlock } from "../attacker.ts";
import { grownMiB, peakDuring } from "../memory.ts";
import { startLoadApart } from "../load-apart.ts";
import { atMost, type Figure, noFailure, type SoakRow, told } from "../row.ts";
import { HOST, onOneBackend } from "../stage.ts";

const CANCEL = 8;
const END_STREAM = 1;
const END_HEADERS = 4;
const GET = requestBlock("GET");

function request(index: number): Buffer {
  return frame("HEADERS", END_STREAM | END_HEADERS, 1 + 2 * index, GET);
}

/** Each opens a stream and has it reset. */
const RESETS: Readonly<Record<string, (index: number) => Buffer>> = {
  "rapid reset": (index) => Buffer.concat([request(index), frame("RST_STREAM", 0, 1 + 2 * index, u32(CANCEL))]),
  "made you reset": (index) => Buffer.concat([request(index), frame("WINDOW_UPDATE", 0, 1 + 2 * index, u32(0))]),
};

/** Requests that got as far as their routes. */
async function dispatched(mesh: Mesh): Promise<number> {
  const stats = await mesh.proxyAdmin("/stats?filter=outbound.*downstream_rq_total");
  return [...stats.matchAll(/^http\.\S+downstream_rq_total: (\d+)/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
}

/** Percentiles of a load that runs while `work` does. */
async function p99During(mesh: Mesh, work: () => Promise<unknown>): Promise<{ readonly p99Ms: number; readonly failed: string }> {
  const load = await startLoadApart({ port: mesh.gatewayPort, host: HOST, rate: 100 });
  await work();
  const result = await load.stop();
  return { p99Ms: result.p99Ms, failed: failuresOf(result) };
}

export const resets: SoakRow = {
  number: 15,
  title: "streams that are opened to be reset",
  run: ({ plane, pick }) =>
    onOneBackend({ plane }, {}, async ({ mesh }) => {
      const figures: Figure[] = [];
      const most = pick(50_000, 5000);
      for (const [name, part] of Object.entries(RESETS)) {
        const before = await dispatched(mesh);
        const one = await attack(mesh.gatewayPort, { part, most });
        figures.push(
          { name: `${name}: closed`, value: `${one.closed}, ${one.sent} sent`, good: one.closed },
          atMost(`${name}: streams dispatched`, (await dispatched(mesh)) - before, 500),
          // What was not read when a connection is closed is lost, GOAWAY with it.
          one.closedAfterMs === undefined
            ? told(`${name}: GOAWAY`, "not seen")
            : atMost(`${name}: closed after GOAWAY`, one.closedAfterMs, pick(100, 1000), " ms"),
        );
        const quiet = await p99During(mesh, () => sleep(pick(5000, 1000)));
        const during = await p99During(mesh, async () => {
          const end = performance.now() + pick(5000, 1000);
          for (let sent = 0; sent < most || performance.now() < end;) sent += (await attack(mesh.gatewayPort, { part, most })).sent;
        });
        figures.push(
          noFailure(`${name}: others that failed`, during.failed),
          // Below this it is the machine's two cores that are measured.
          pick(1, 0) === 1
            ? atMost(`${name}: p99 of others, ${quiet.p99Ms.toFixed(1)} ms before`, during.p99Ms, 2 * Math.max(quiet.p99Ms, 10), " ms")
            : told(`${name}: p99 of others`, `${quiet.p99Ms.toFixed(1)} ms before, ${during.p99Ms.toFixed(1)} ms during`),
        );
      }
      return figures;
    }),
};

/** An entry of 4,000 bytes for the dynamic table, and 12,000 references to it. */
const BOMB = Buffer.concat([Buffer.from("4001617fa11e", "hex"), Buffer.alloc(4000, "x"), Buffer.alloc(12_000, 0xbe)]);

const FLOODS: Readonly<Record<string, Omit<Attack, "most">>> = {
  PING: { part: () => frame("PING", 0, 0, Buffer.alloc(8)) },
  SETTINGS: { part: () => settings() },
  PRIORITY: { part: () => frame("PRIORITY", 0, 1, Buffer.concat([u32(0), Buffer.from([1])])) },
  WINDOW_UPDATE: { part: () => frame("WINDOW_UPDATE", 0, 0, u32(1)) },
  "empty DATA": { opening: frame("HEADERS", END_HEADERS, 1, requestBlock("POST")), part: () => frame("DATA", 0, 1) },
  CONTINUATION: { opening: frame("HEADERS", END_STREAM, 1, GET), part: () => frame("CONTINUATION", 0, 1, Buffer.from([0x84])) },
  "HPACK bomb": { part: (index) => frame("HEADERS", END_STREAM | END_HEADERS, 1 + 2 * index, Buffer.concat([GET, BOMB])) },
};

export const floods: SoakRow = {
  number: 16,
  title: "frames and headers that cost the caller little",
  run: ({ plane, pick }) =>
    onOneBackend({ plane }, {}, async ({ mesh, pid, serves }) => {
      const figures: Figure[] = [];
      // Envoy holds on to a connection that it gave up for a second (delayed_close_timeout).
      const connections = plane === "envoy" ? pick(20, 2) : pick(50, 3);
      for (const [name, flood] of Object.entries(FLOODS)) {
        let closed = 0;
        let sent = 0;
        const most = name === "HPACK bomb" ? pick(2000, 400) : pick(100_000, 20_000);
        // The heap takes its size with the first ones; flat is what the others leave it.
        for (let i = 0; i < pick(5, 1); i++) await attack(mesh.gatewayPort, { ...flood, most });
        const cpu = cpuSeconds(pid);
        const grown = await peakDuring(pid, async () => {
          for (let i = 0; i < connections; i++) {
            const one = await attack(mesh.gatewayPort, { ...flood, most });
            sent += one.sent;
            if (one.closed) closed++;
          }
        });
        figures.push(
          {
            name: `${name}: closed`,
            value: `${closed} of ${connections}, ${sent} frames sent`,
            // Envoy answers every bomb with a reset, for as long as they come.
            good: closed === connections || (plane === "envoy" && name === "HPACK bomb"),
          },
          atMost(
            `${name}: CPU for each`,
            (cpuSeconds(pid) - cpu) / connections,
            name === "HPACK bomb" && plane === "envoy" ? 2 : 0.5,
            " s",
          ),
          { ...grownMiB(grown, pick(16, 64)), name: `${name}: memory grown` },
        );
      }
      const others = await serves();
      return [...figures, { name: "others served", value: String(others), good: others }];
    }),
};
