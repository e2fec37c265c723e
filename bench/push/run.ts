// One weight change → the last of N sidecars has it: control plane as its own process, delta clients that subscribe as Envoy does in another.
// npm run bench -- push [--services 100,1000] [--clients 10,100,1000] [--changes 9] [--out FILE]
import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { createAdminClient } from "../../src/admin-api/index.ts";
import { cpuSeconds, residentBytes } from "../process-usage.ts";
import type { Answer, Command } from "./clients-process.ts";
import { hostOf, virtualService, writeMeshFiles } from "./mesh-files.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const MIB = 1024 * 1024;
const STEP_MS = 120_000;
/** What follows a change has come by then. */
const REST_MS = 400;

export interface PushRow {
  readonly services: number;
  readonly clients: number;
  /** Connecting at once, until the last has its whole first config. */
  readonly firstConfigMs: number;
  readonly firstConfigBytes: number;
  /** From the file's rename until the last client has it: median and worst. */
  readonly fileMs: number;
  readonly fileWorstMs: number;
  /** From the admin API's request. */
  readonly apiMs: number;
  readonly apiWorstMs: number;
  readonly bytesPerClient: number;
  readonly messagesPerClient: number;
  readonly cpuMsPerChange: number;
  readonly residentMiB: number;
  readonly peakMiB: number;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const now = (): number => performance.timeOrigin + performance.now();
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;

interface Plane {
  readonly pid: number;
  readonly xdsPort: number;
  readonly admin: string;
  readonly token: string;
  stop(): Promise<void>;
}

function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), 5000).unref();
  });
}

async function startPlane(root: string, config: string): Promise<Plane> {
  const args = ["--config", config, "--state", path.join(root, "state"), "--xds", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
  const child = spawn(process.execPath, [path.join(ROOT, "dist/control-plane.js"), ...args, "--print-addresses", "--log-level", "error"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const addresses = await new Promise<{ admin: string; xds: string; tokenFile: string }>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the control plane is not ready in time")), STEP_MS);
    createInterface({ input: child.stdout }).once("line", (line) => {
      clearTimeout(timer);
      resolve(JSON.parse(line));
    });
    child.once("exit", (code) => reject(new Error(`the control plane ended with ${code}`)));
  });
  return {
    pid: child.pid ?? 0,
    xdsPort: Number(addresses.xds.slice(addresses.xds.lastIndexOf(":") + 1)),
    admin: addresses.admin.startsWith("http") ? addresses.admin : `http://${addresses.admin}`,
    token: readFileSync(addresses.tokenFile, "utf8").trim(),
    stop: () => stopped(child),
  };
}

interface Clients {
  send(command: Command): void;
  next<K extends Answer["is"]>(is: K): Promise<Extract<Answer, { is: K }>>;
  stop(): Promise<void>;
}

function startClients(): Clients {
  const child = fork(path.join(import.meta.dirname, "clients-process.ts"), { execArgv: ["--max-old-space-size=4096"] });
  const answers: Answer[] = [];
  let wake: (() => void) | undefined;
  child.on("message", (answer: Answer) => {
    answers.push(answer);
    wake?.();
  });
  return {
    send: (command) => void child.send(command),
    async next(is) {
      const end = now() + STEP_MS;
      for (;;) {
        const failed = answers.find((answer) => answer.is === "failed");
        if (failed?.is === "failed") throw new Error(`a client failed: ${failed.message}`);
        const at = answers.findIndex((answer) => answer.is === is);
        if (at !== -1) return answers.splice(at, 1)[0] as Extract<Answer, { is: typeof is }>;
        if (now() > end) throw new Error(`no "${is}" from the clients within ${STEP_MS} ms`);
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 1000);
        });
      }
    },
    stop: () => stopped(child),
  };
}

function peakBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) * 1024;
}

async function measure(services: number, count: number, changes: number): Promise<PushRow> {
  const root = mkdtempSync(path.join(os.tmpdir(), "serin-push-"));
  const clients = startClients();
  let plane: Plane | undefined;
  try {
    const files = writeMeshFiles(root, services);
    plane = await startPlane(root, files.dir);
    const { pid } = plane;
    const admin = createAdminClient({ url: plane.admin, token: plane.token, timeoutMs: STEP_MS });
    const apply = async (weight: number): Promise<void> => {
      const { issues } = await admin.apply({ documents: [{ file: "bench.yaml", text: virtualService(0, weight) }] });
      const bad = issues.find((issue) => issue.severity === "error");
      if (bad !== undefined) throw new Error(`apply was refused: ${bad.message}`);
    };
    await apply(80);
    const started = now();
    clients.send({ do: "connect", port: plane.xdsPort, from: 0, count });
    const first = await clients.next("ready");
    await sleep(2000);

    async function change(index: number, write: () => void): Promise<{ ms: number; bytes: number; messages: number }> {
      clients.send({ do: "await", text: hostOf(index) });
      await clients.next("armed");
      const at = now();
      write();
      const { last } = await clients.next("all");
      await sleep(REST_MS);
      clients.send({ do: "report" });
      const { bytes, messages } = await clients.next("report");
      return { ms: last - at, bytes, messages };
    }
    // The first change compiles the way; it is not counted.
    await change(1, () => files.setWeight(1, 79));
    await change(0, () => void apply(79));
    const cpu = cpuSeconds(pid);
    const byFile = [];
    const byApi = [];
    for (let i = 0; i < changes; i++) {
      const index = 1 + ((i * 7) % Math.max(1, services - 1));
      byFile.push(await change(index, () => files.setWeight(index, 70 - i)));
      byApi.push(await change(0, () => void apply(70 - i)));
    }
    const cpuMs = ((cpuSeconds(pid) - cpu) * 1000) / (2 * changes);
    const all = [...byFile, ...byApi];
    return {
      services,
      clients: count,
      firstConfigMs: first.at - started,
      firstConfigBytes: first.bytes / count,
      fileMs: median(byFile.map(({ ms }) => ms)),
      fileWorstMs: Math.max(...byFile.map(({ ms }) => ms)),
      apiMs: median(byApi.map(({ ms }) => ms)),
      apiWorstMs: Math.max(...byApi.map(({ ms }) => ms)),
      bytesPerClient: Math.max(...all.map(({ bytes }) => bytes)) / count,
      messagesPerClient: Math.max(...all.map(({ messages }) => messages)) / count,
      cpuMsPerChange: cpuMs,
      residentMiB: residentBytes(pid) / MIB,
      peakMiB: peakBytes(pid) / MIB,
    };
  } finally {
    await clients.stop();
    await plane?.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

function printRow(row: PushRow): void {
  const n = (value: number, digits = 0): string => value.toFixed(digits).padStart(9);
  const size = `${row.services} × ${row.clients}`.padEnd(13);
  const times = [row.fileMs, row.fileWorstMs, row.apiMs, row.apiWorstMs, row.bytesPerClient].map((v) => n(v)).join("");
  console.log(
    `${size}${times}${n(row.messagesPerClient, 1)}${[row.cpuMsPerChange, row.residentMiB, row.peakMiB, row.firstConfigMs].map((v) => n(v)).join("")}${n(row.firstConfigBytes / 1024)}`,
  );
}

const numbers = (text: string): number[] =>
  text
    .split(",")
    .map(Number)
    .filter((n) => Number.isInteger(n) && n > 0);

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      services: { type: "string", default: "100,1000" },
      clients: { type: "string", default: "10,100,1000" },
      changes: { type: "string", default: "9" },
      out: { type: "string", default: path.join(ROOT, ".cache/reports/bench-push.json") },
    },
  });
  const heads = ["file ms", "worst", "api ms", "worst", "B/client", "msgs", "cpu ms", "RSS MiB", "peak MiB", "first ms", "first KiB"];
  console.log(`${"services ×".padEnd(13)}${heads.map((head) => head.padStart(9)).join("")}`);
  const rows: PushRow[] = [];
  for (const services of numbers(values.services)) {
    for (const clients of numbers(values.clients)) {
      const row = await measure(services, clients, Number(values.changes));
      rows.push(row);
      printRow(row);
    }
  }
  mkdirSync(path.dirname(values.out), { recursive: true });
  const machine = {
    cpu: os.cpus()[0]?.model ?? "",
    cpus: os.cpus().length,
    memoryMiB: Math.round(os.totalmem() / MIB),
    node: process.version,
  };
  writeFileSync(values.out, `${JSON.stringify({ machine, rows }, undefined, 2)}\n`);
  console.log(`written: ${values.out}`);
}
