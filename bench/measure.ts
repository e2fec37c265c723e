// Measures proxies side by side: each on a core of its own, callers and upstreams on the other; rounds alternate between the candidates and
// medians are printed, so that the ratio holds while the machine's speed drifts. CPU time comes from /proc.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import net from "node:net";
import { cpus } from "node:os";
import { freePort } from "../src/kit/testing/free-port.ts";
import type { Candidate } from "./candidate.ts";
import { cpuSeconds, residentBytes } from "./process-usage.ts";

export interface LoadResult {
  /** How much was done: requests, messages or bytes. */
  readonly work: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Sample {
  readonly perCpuSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rssMb: number;
  readonly failed: number;
}

const PROXY_CORE = "1";
const LOAD_CORE = "0";

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

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export interface Running {
  readonly name: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly samples: Map<string, Sample[]>;
}

/** Callers and upstreams, which are this process, stay off the proxies' core. */
function pinLoad(): void {
  if (cpus().length > 1) spawnSync("taskset", ["-cp", LOAD_CORE, String(process.pid)]);
}

/** Starts the candidates, or only the named ones (`a,b`), and says which of them cannot be. */
export async function startCandidates(candidates: readonly Candidate[], only: string | undefined): Promise<readonly Running[]> {
  pinLoad();
  const running: Running[] = [];
  for (const candidate of candidates) {
    if (only !== undefined && !only.split(",").includes(candidate.name)) continue;
    const started = await startCandidate(candidate, await freePort());
    if (started !== undefined) running.push(started);
  }
  return running;
}

export function stopAll(running: readonly Running[]): void {
  for (const proxy of running) proxy.child.kill();
}

async function startCandidate(candidate: Candidate, port: number): Promise<Running | undefined> {
  const launch = candidate.launch(port);
  if ("skipped" in launch) {
    console.log(`${candidate.name}: skipped, ${launch.skipped}`);
    return undefined;
  }
  const pin = spawnSync("taskset", ["-V"]).status === 0 && cpus().length > 1 ? ["taskset", "-c", PROXY_CORE] : [];
  const [program = "", ...args] = [...pin, ...launch.command];
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)));
  if (await answers(port, child)) return { name: candidate.name, port, child, samples: new Map() };
  child.kill();
  console.log(`${candidate.name}: did not start${errors === "" ? "" : `: ${errors.trim().split("\n").at(-1)}`}`);
  return undefined;
}

export interface Row {
  readonly title: string;
  readonly rounds: number;
  readonly seconds: number;
  /** What `work` is, as the column's head says it: "req", "MiB". */
  readonly unit: string;
  load(port: number, ms: number): Promise<LoadResult>;
}

/** Plays a row through every proxy, in turns; the first, shorter round warms up and does not count. Prints the row's table. */
export async function measureRow(running: readonly Running[], row: Row): Promise<void> {
  for (let round = 0; round <= row.rounds; round++) {
    for (const proxy of running) {
      const sample = await takeSample(proxy, () => row.load(proxy.port, round === 0 ? 1000 : row.seconds * 1000));
      if (round === 0) continue;
      const samples = proxy.samples.get(row.title) ?? [];
      proxy.samples.set(row.title, samples);
      samples.push(sample);
    }
  }
  print(row, running);
}

/** One load through one proxy. */
export async function takeSample(proxy: Running, load: () => Promise<LoadResult>): Promise<Sample> {
  const pid = proxy.child.pid ?? 0;
  const before = cpuSeconds(pid);
  const { work, p50Ms, p99Ms, failed } = await load();
  return { perCpuSecond: work / (cpuSeconds(pid) - before), p50Ms, p99Ms, rssMb: residentBytes(pid) / 1_048_576, failed };
}

function print(row: Row, running: readonly Running[]): void {
  console.log(`\n${row.title}`);
  console.log(`  proxy      ${`${row.unit}/CPU-s`.padStart(11)}   of HAProxy   of Envoy   p50 ms   p99 ms   RSS MB   failed`);
  const rate = (name: string): number => {
    const samples = running.find((proxy) => proxy.name === name)?.samples.get(row.title);
    return samples === undefined ? Number.NaN : median(samples.map((s) => s.perCpuSecond));
  };
  for (const proxy of running) {
    const samples = proxy.samples.get(row.title) ?? [];
    const value = rate(proxy.name);
    const of = (read: (sample: Sample) => number): number => median(samples.map(read));
    const cells = [
      Math.round(value).toLocaleString("en").padStart(11),
      ratio(value / rate("haproxy")).padStart(12),
      ratio(value / rate("envoy")).padStart(10),
      of((s) => s.p50Ms)
        .toFixed(2)
        .padStart(8),
      of((s) => s.p99Ms)
        .toFixed(2)
        .padStart(8),
      Math.round(of((s) => s.rssMb))
        .toString()
        .padStart(8),
      String(samples.reduce((sum, s) => sum + s.failed, 0)).padStart(8),
    ];
    console.log(`  ${proxy.name.padEnd(10)} ${cells.join(" ")}`);
  }
}

function ratio(value: number): string {
  return Number.isFinite(value) ? value.toFixed(2) : "–";
}

/** p50 and p99 of latencies in milliseconds. */
export function quantiles(latencies: readonly number[]): { readonly p50Ms: number; readonly p99Ms: number } {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
