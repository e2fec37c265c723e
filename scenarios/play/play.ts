// Plays one case: its config through a fresh control plane, its calls through a fresh proxy, and compares with the record.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { bootstrap, PORTS } from "./boot.ts";
import { playCall, type Jars } from "./call.ts";
import { type Case, caseName, meshConfigText, readCase, readRecord, resourcesText } from "./case.ts";
import { keyPair, makeCerts } from "./certs.ts";
import { differs } from "./compare.ts";
import type { Echo } from "./echo.ts";
import { alive, createPrograms, get, type Programs, settled, sleep, until } from "./programs.ts";
import type { CallResult } from "./result.ts";

export type DataPlane = "serin" | "envoy";

export interface Played {
  /** Those that were compared. */
  readonly calls: number;
  /** undefined: the case could not be played. */
  readonly differ: number | undefined;
  readonly text: string;
}

export interface Stage {
  readonly echo: Echo;
  readonly serin: string;
  readonly envoy: string;
  /** Folder that keeps the certificates of each identity. */
  readonly certs: string;
  /** The folder that the upstreams have theirs from. */
  readonly baseCerts: string;
  useCerts(dir: string): void;
}

// Ready, and then no more updates for a while: the first answers may lack what the control plane still holds back.
async function proxySettled(check: () => boolean): Promise<void> {
  await until("proxy", async () => check() && (await get(PORTS.proxyAdmin, "/ready")).status === 200, 20_000);
  const filter = "(update_success|update_rejected|warming|active_clusters|active_listeners|total_listeners|membership_total)";
  const read = async (): Promise<string | undefined> => {
    const { text } = await get(PORTS.proxyAdmin, `/stats?filter=${filter}`);
    return /(warming_clusters|total_listeners_warming): [1-9]/.test(text) ? undefined : text;
  };
  await settled(read, 300, 6000);
}

async function start(
  spec: Case,
  options: { dir: string; programs: Programs; stage: Stage; plane: DataPlane; certs: string },
): Promise<void> {
  const { dir, programs, stage } = options;
  const config = path.join(dir, "config");
  mkdirSync(config);
  writeFileSync(path.join(config, "config.yaml"), resourcesText(spec, options.certs));
  writeFileSync(path.join(dir, "mesh.yaml"), meshConfigText(spec));
  writeFileSync(path.join(dir, "boot.json"), JSON.stringify(bootstrap(spec.proxy), null, 1));
  const address = (port: number): string => `127.0.0.1:${port}`;
  const files = ["--config", config, "--mesh-config", path.join(dir, "mesh.yaml"), "--state", path.join(dir, "state")];
  const control = programs.start(
    "control.log",
    [stage.serin, "control-plane", ...files, "--xds", address(PORTS.xds), "--admin", address(PORTS.controlAdmin)],
    spec.env,
  );
  await until(
    "control plane",
    async () => alive(control, "control plane") && (await get(PORTS.controlAdmin, "/ready")).status === 200,
    20_000,
  );
  const boot = path.join(dir, "boot.json");
  const proxy =
    options.plane === "serin"
      ? programs.start("proxy.log", [stage.serin, "proxy", "-c", boot])
      : programs.start("proxy.log", [stage.envoy, "-c", boot, "--concurrency", "1", "--disable-hot-restart", "-l", "warning"]);
  await proxySettled(() => alive(proxy, "proxy"));
}

async function playCalls(spec: Case, certs: string): Promise<CallResult[]> {
  const results: CallResult[] = [];
  const background: Promise<void>[] = [];
  const jars: Jars = new Map();
  const clients = Object.fromEntries(["client", "other", "spiffe"].map((n) => [n, keyPair(certs, n)]));
  for (const [i, call] of spec.calls.entries()) {
    const target = { explicit: spec.proxy.type !== "router" && call.port === undefined, port: call.port ?? PORTS.proxy, clients };
    const running = playCall(call, target, jars).then((result) => {
      results[i] = result;
    });
    if (call.background === undefined) {
      await running;
      continue;
    }
    background.push(running);
    await sleep(call.background);
  }
  await Promise.all(background);
  return results;
}

async function rejectedUpdates(): Promise<string> {
  const { text } = await get(PORTS.proxyAdmin, "/stats?filter=update_rejected");
  return text
    .split("\n")
    .filter((line) => /update_rejected: [1-9]/.test(line))
    .join(", ");
}

function compareAll(spec: Case, file: string, got: readonly CallResult[]): { differ: number; lines: string[] } {
  const name = caseName(file);
  const want = readRecord(file);
  const lines: string[] = [];
  spec.calls.forEach((call, i) => {
    const difference = differs(want[i], got[i] ?? {}, call);
    if (difference !== "") lines.push(`✗ ${name} #${i} ${call.name ?? call.method ?? ""} ${call.url ?? call.port}: ${difference}`);
  });
  if (want.length !== spec.calls.length) lines.push(`✗ ${name}: ${want.length} calls recorded, ${spec.calls.length} in the case`);
  return { differ: lines.length, lines };
}

/** `DUMP=folder` keeps what the proxy and the control plane say about themselves. */
async function dump(folder: string, programs: Programs): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [name, url] of [
    ["config_dump.json", "/config_dump?include_eds"],
    ["clusters.txt", "/clusters"],
    ["stats.txt", "/stats"],
  ] as const) {
    writeFileSync(path.join(folder, name), (await get(PORTS.proxyAdmin, url)).text);
  }
  for (const log of ["control.log", "proxy.log"]) writeFileSync(path.join(folder, log), programs.log(log));
}

export async function playCase(file: string, plane: DataPlane, stage: Stage): Promise<Played> {
  const dir = mkdtempSync(path.join(os.tmpdir(), "scenario-"));
  const programs = createPrograms(dir);
  const lines: string[] = [];
  try {
    const spec = readCase(file);
    const identity = { namespace: spec.proxy.namespace, serviceAccount: spec.proxy.serviceAccount ?? "default" };
    const certs = path.join(stage.certs, `${identity.namespace}-${identity.serviceAccount}`);
    // The upstreams are started once, so their CA is everybody's.
    makeCerts(certs, identity, stage.baseCerts);
    stage.useCerts(certs);
    stage.echo.reset();
    await start(spec, { dir, programs, stage, plane, certs });
    const got = await playCalls(spec, certs);
    const rejected = await rejectedUpdates();
    if (process.env["DUMP"] !== undefined) await dump(process.env["DUMP"], programs);
    if (process.env["SHOW"] !== undefined) lines.push(JSON.stringify(got, null, 1));
    const compared = compareAll(spec, file, got);
    lines.push(...compared.lines);
    if (rejected !== "") lines.push(`  ${plane} rejected: ${rejected}\n${programs.tail("proxy.log")}`);
    return { calls: got.length, differ: compared.differ, text: lines.join("\n") };
  } catch (error) {
    const logs = ["control.log", "proxy.log"].map((log) => `--- ${log}\n${programs.tail(log)}`).join("\n");
    const reason = error instanceof Error ? error.message : String(error);
    return { calls: 0, differ: undefined, text: `✗ ${file} (${plane}): ${reason}\n${logs}` };
  } finally {
    await programs.stopAll();
    if (process.env["KEEP"] === undefined) rmSync(dir, { recursive: true, force: true });
    else console.error(`kept ${dir}`);
  }
}
