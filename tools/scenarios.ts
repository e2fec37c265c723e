// npm run scenarios [-- [--plane matcher|serin|envoy] [--jobs N] [--only TEXT] [CASE.yaml…]]: plays the recorded cases through our control plane with our
// proxy and with real Envoy, and compares with what real Istio answered. Prints the conformance count per area. A case that does not pass must
// stand in scenarios/pending.ts, and a case that stands there must not pass.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { PENDING } from "../scenarios/pending.ts";
import { PROXY_IP } from "../scenarios/play/boot.ts";
import { caseName } from "../scenarios/play/case.ts";
import { makeCerts } from "../scenarios/play/certs.ts";
import { playOffline } from "../scenarios/play/offline.ts";
import type { DataPlane, Played } from "../scenarios/play/play.ts";
import type { Job } from "../scenarios/play/worker.ts";
import { ROOT } from "./steps.ts";

type Plane = DataPlane | "matcher";
type Row = Played & { readonly file: string; readonly plane: Plane; readonly name: string };

const NAMESPACE = `ip link set lo up && ip addr add 240.0.0.1/4 dev lo && ip addr add ${PROXY_IP}/32 dev lo && exec "$@"`;
/** Longest that one case may take. */
const LIMIT_MS = 120_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    plane: { type: "string", multiple: true },
    jobs: { type: "string", default: "3" },
    only: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});

/** How a process gets a network of its own here; undefined where it cannot. */
function isolation(): readonly string[] | undefined {
  for (const unshare of [
    ["unshare", "-n"],
    ["unshare", "-rn"],
  ] as const) {
    const [program, ...args] = unshare;
    if (spawnSync(program, [...args, "sh", "-c", NAMESPACE, "sh", "true"], { stdio: "ignore" }).status === 0) return unshare;
  }
  return undefined;
}

function planes(): Plane[] {
  const asked = values.plane ?? ["matcher", "serin", "envoy"];
  const envoy = process.env["ENVOY"] ?? path.join(ROOT, ".cache/envoy/envoy");
  return asked.filter((p): p is Plane => {
    if (p !== "matcher" && p !== "serin" && p !== "envoy") throw new Error(`unknown plane ${p}`);
    if (p === "envoy" && !existsSync(envoy)) {
      console.log("Real Envoy is not installed: its half of the conformance run is skipped (tools/install-envoy.sh).");
      return false;
    }
    return true;
  });
}

function startWorker(isolate: readonly string[]): ChildProcess {
  const [program = "", ...args] = isolate;
  const worker = path.join(ROOT, "scenarios/play/worker.ts");
  const envoy = process.env["ENVOY"] ?? path.join(ROOT, ".cache/envoy/envoy");
  const command = [process.execPath, worker, path.join(ROOT, "bin/serin"), envoy];
  return spawn(program, [...args, "sh", "-c", NAMESPACE, "sh", ...command], { stdio: ["pipe", "pipe", "inherit"], detached: true });
}

const groups = new Set<number>();
function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All gone already.
  }
  groups.delete(pid);
}

async function work(queue: Job[], isolate: readonly string[], done: (row: Row) => void): Promise<void> {
  while (queue.length > 0) {
    const child = startWorker(isolate);
    const pid = child.pid ?? 0;
    groups.add(pid);
    let job: Job | undefined;
    let timer: NodeJS.Timeout | undefined;
    const next = (): void => {
      clearTimeout(timer);
      job = queue.shift();
      if (job === undefined) return void child.stdin?.end();
      timer = setTimeout(() => endGroup(pid), LIMIT_MS);
      child.stdin?.write(`${JSON.stringify(job)}\n`);
    };
    if (child.stdout === null) throw new Error("worker without output");
    child.on("error", (error) => console.error(error.message));
    for await (const line of createInterface({ input: child.stdout })) {
      const answer = JSON.parse(line) as { ready?: boolean } & Job & Played;
      if (answer.ready !== true) {
        done({ ...answer, name: caseName(answer.file) });
        job = undefined;
      }
      next();
    }
    clearTimeout(timer);
    endGroup(pid);
    if (job !== undefined)
      done({
        ...job,
        name: caseName(job.file),
        calls: 0,
        differ: undefined,
        text: `✗ ${caseName(job.file)} (${job.plane}): the worker ended or took too long`,
      });
  }
}

interface Verdict {
  readonly good: boolean;
  readonly line: string;
}

/** Offline some cases have no call that config alone decides: they say nothing either way. */
function isCompared({ calls, differ }: Row): boolean {
  return calls > 0 || differ !== 0;
}

function judge(row: Row): Verdict {
  const passes = row.differ === 0;
  const pending = PENDING.find((p) => p.case === row.name && (p.plane === row.plane || (p.plane === "*" && row.plane !== "matcher")));
  const label = `${row.name} (${row.plane})`;
  if (!isCompared(row)) {
    if (pending === undefined) return { good: true, line: `– ${label}: nothing to compare` };
    return { good: false, line: `✗ ${label} has nothing to compare: take it out of scenarios/pending.ts` };
  }
  if (pending === undefined) return { good: passes, line: passes ? `✓ ${label} ${row.calls}` : `${row.text}\n✗ ${label}` };
  if (passes)
    return { good: false, line: `✗ ${label} passes now: take it out of scenarios/pending.ts (it waited for: ${pending.waitsFor})` };
  return { good: true, line: `${row.text}\n· ${label} waits for: ${pending.waitsFor}` };
}

function printTable(rows: readonly Row[]): void {
  const areas = [...new Set(rows.map((r) => r.name.split("/")[0] ?? ""))].sort();
  console.log("\narea            plane   cases agree  calls agree");
  for (const area of areas) {
    for (const plane of new Set(rows.map((r) => r.plane))) {
      const of = rows.filter((r) => r.plane === plane && r.name.startsWith(`${area}/`));
      const agree = of.filter((r) => r.differ === 0).length;
      const calls = of.reduce((n, r) => n + r.calls, 0);
      const good = of.reduce((n, r) => n + (r.differ === undefined ? 0 : r.calls - r.differ), 0);
      console.log(`${area.padEnd(15)} ${plane.padEnd(7)} ${`${agree}/${of.length}`.padStart(11)} ${`${good}/${calls}`.padStart(12)}`);
    }
  }
}

/** Without processes: what our proxy's own decoding and matching make of each case. */
function playMatcher(files: readonly string[], done: (row: Row) => void): void {
  const certs = mkdtempSync(path.join(os.tmpdir(), "scenario-certs-"));
  try {
    makeCerts(certs, { namespace: "default", serviceAccount: "default" });
    for (const file of files) done({ ...playOffline(file, certs), file, plane: "matcher", name: caseName(file) });
  } finally {
    rmSync(certs, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      for (const pid of groups) endGroup(pid);
      process.exit(1);
    });
  }
  const files = positionals.length > 0 ? positionals.map((f) => path.resolve(f)) : globSync(path.join(ROOT, "scenarios/*/*.yaml")).sort();
  const chosen = values.only === undefined ? files : files.filter((f) => f.includes(values.only ?? ""));
  const asked = planes();
  const isolate = isolation();
  if (isolate === undefined)
    console.log("Network namespaces cannot be made here (Linux with unshare and ip is needed): the cases are not played through proxies.");
  const queue: Job[] =
    isolate === undefined ? [] : asked.flatMap((plane) => (plane === "matcher" ? [] : chosen.map((file): Job => ({ file, plane }))));
  const rows: Row[] = [];
  let failed = 0;
  const total = queue.length + (asked.includes("matcher") ? chosen.length : 0);
  const done = (row: Row): void => {
    rows.push(row);
    const verdict = judge(row);
    if (!verdict.good) failed++;
    if (!verdict.good || values.verbose) console.log(verdict.line);
    else if (rows.length % 25 === 0) console.log(`  ${rows.length} of ${total} played`);
  };
  if (asked.includes("matcher")) playMatcher(chosen, done);
  if (isolate !== undefined) await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, () => work(queue, isolate, done)));
  const compared = rows.filter(isCompared);
  printTable(compared);
  const unknown = PENDING.filter((p) => !files.some((f) => caseName(f) === p.case)).map((p) => p.case);
  if (positionals.length === 0 && unknown.length > 0) {
    console.log(`✗ scenarios/pending.ts names cases that do not exist: ${unknown.join(", ")}`);
    failed++;
  }
  const waiting = compared.filter((r) => r.differ !== 0).length;
  const silent = rows.length - compared.length;
  console.log(
    `${compared.length - waiting} agree with real Istio, ${waiting} do not (${PENDING.length} rows wait in scenarios/pending.ts)` +
      (silent === 0 ? "" : `; ${silent} have no call that config alone decides`),
  );
  mkdirSync(path.join(ROOT, ".cache/reports"), { recursive: true });
  const report = rows
    .map(({ name, plane, calls, differ }) => ({ name, plane, calls, differ: differ ?? null }))
    .sort((a, b) => (a.name + a.plane < b.name + b.plane ? -1 : 1));
  writeFileSync(path.join(ROOT, ".cache/reports/scenarios.json"), `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(
    path.join(ROOT, `.cache/reports/${asked.join() === "matcher" ? "matcher" : "conformance"}.json`),
    JSON.stringify({ passed: rows.length - silent - failed, failed, skipped: silent }),
  );
  return failed > 0 ? 1 : 0;
}

process.exit(await main());
