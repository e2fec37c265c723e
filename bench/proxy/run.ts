// npm run bench -- proxy [--only a,b] [--sizes 100,1024,102400] [--connections 32,256] [--seconds 2] [--rounds 3] [--access-log]
// One hop HTTP/1.1: requests per CPU-second of the proxy (from /proc), p50 and p99, memory. Rounds alternate between the candidates, medians are
// printed: the ratio holds while the machine's speed drifts. The proxy has one core, callers and upstreams the other.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { cpuSeconds, residentBytes } from "../process-usage.ts";
import { startBackend } from "./backend.ts";
import { type Candidate, candidates } from "./candidates.ts";
import { runLoad } from "./load.ts";

interface Sample {
  readonly perCpuSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rssMb: number;
  readonly failed: number;
}

const PROXY_CORE = "1";
const LOAD_CORE = "0";

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((done) => void server.close(done));
  return port;
}

async function answers(port: number, child: ChildProcess): Promise<boolean> {
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const good = await new Promise<boolean>((done) => {
      const socket = net.connect(port, "127.0.0.1", () => done(true));
      socket.on("error", () => done(false));
      socket.on("connect", () => socket.destroy());
    });
    if (good) return true;
    await new Promise((done) => void setTimeout(done, 50));
  }
  return false;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

interface Running {
  readonly name: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly samples: Map<string, Sample[]>;
}

async function start(candidate: Candidate, port: number): Promise<Running | undefined> {
  if (candidate.command === undefined) {
    console.log(`${candidate.name}: skipped, ${candidate.skipped}`);
    return undefined;
  }
  const pin = spawnSync("taskset", ["-V"]).status === 0 && cpus().length > 1 ? ["taskset", "-c", PROXY_CORE] : [];
  const [program = "", ...args] = [...pin, ...candidate.command];
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...candidate.env } });
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)));
  if (await answers(port, child)) return { name: candidate.name, port, child, samples: new Map() };
  child.kill();
  console.log(`${candidate.name}: did not start${errors === "" ? "" : `: ${errors.trim().split("\n").at(-1)}`}`);
  return undefined;
}

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      sizes: { type: "string", default: "100,1024,102400" },
      connections: { type: "string", default: "32,256" },
      seconds: { type: "string", default: "2" },
      rounds: { type: "string", default: "3" },
      "access-log": { type: "boolean", default: false },
    },
  });
  const root = path.resolve(import.meta.dirname, "../..");
  const dir = mkdtempSync(path.join(tmpdir(), "serin-bench-"));
  const backend = await startBackend(4);
  const running: Running[] = [];
  if (cpus().length > 1) spawnSync("taskset", ["-cp", LOAD_CORE, String(process.pid)]);
  try {
    const only = values.only?.split(",");
    for (const name of ["serin", "envoy", "haproxy", "nginx", "node-http", "node-pipe"]) {
      if (only !== undefined && !only.includes(name)) continue;
      const port = await freePort();
      const setting = { dir, port, upstreams: backend.ports, accessLog: values["access-log"], root };
      const candidate = candidates(setting).find((c) => c.name === name);
      const started = candidate === undefined ? undefined : await start(candidate, port);
      if (started !== undefined) running.push(started);
    }
    const rows = values.connections
      .split(",")
      .flatMap((c) => values.sizes.split(",").map((s) => ({ connections: Number(c), size: Number(s) })));
    for (const row of rows) {
      const key = `${row.size} B, ${row.connections} connections`;
      for (let round = 0; round <= Number(values.rounds); round++) {
        for (const proxy of running) {
          const pid = proxy.child.pid ?? 0;
          // The first round warms up, for a shorter time.
          const ms = round === 0 ? 1000 : Number(values.seconds) * 1000;
          const before = cpuSeconds(pid);
          const result = await runLoad({ port: proxy.port, ...row, ms });
          const cpu = cpuSeconds(pid) - before;
          if (round === 0) continue;
          const samples = proxy.samples.get(key) ?? [];
          proxy.samples.set(key, samples);
          samples.push({
            perCpuSecond: result.requests / cpu,
            p50Ms: result.p50Ms,
            p99Ms: result.p99Ms,
            rssMb: residentBytes(pid) / 1_048_576,
            failed: result.failed,
          });
        }
      }
      print(key, running, values["access-log"]);
    }
  } finally {
    for (const proxy of running) proxy.child.kill();
    backend.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

function print(key: string, running: readonly Running[], accessLog: boolean): void {
  console.log(`\n${key}, access log ${accessLog ? "on" : "off"}`);
  console.log("  proxy        req/CPU-s   of HAProxy   of Envoy   p50 ms   p99 ms   RSS MB   failed");
  const rate = (name: string) => {
    const samples = running.find((proxy) => proxy.name === name)?.samples.get(key);
    return samples === undefined ? Number.NaN : median(samples.map((s) => s.perCpuSecond));
  };
  for (const proxy of running) {
    const samples = proxy.samples.get(key) ?? [];
    const value = rate(proxy.name);
    const cells = [
      Math.round(value).toLocaleString("en").padStart(9),
      ratio(value / rate("haproxy")).padStart(12),
      ratio(value / rate("envoy")).padStart(10),
      median(samples.map((s) => s.p50Ms))
        .toFixed(2)
        .padStart(8),
      median(samples.map((s) => s.p99Ms))
        .toFixed(2)
        .padStart(8),
      Math.round(median(samples.map((s) => s.rssMb)))
        .toString()
        .padStart(8),
      String(samples.reduce((sum, s) => sum + s.failed, 0)).padStart(8),
    ];
    console.log(`  ${proxy.name.padEnd(11)}${cells.join(" ")}`);
  }
}

function ratio(value: number): string {
  return Number.isFinite(value) ? value.toFixed(2) : "–";
}
