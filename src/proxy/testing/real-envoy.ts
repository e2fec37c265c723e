// Real Envoy on a bootstrap of a test's own, to compare this proxy with. Ports are Envoy's choice.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

const ENVOY = process.env["ENVOY"] ?? path.resolve(import.meta.dirname, "../../../.cache/envoy/envoy");
const START_MS = 30_000;

/** True: skip, and say so. Where SERIN_REQUIRE_ENVOY is set a missing Envoy is an error instead. */
export function envoyIsMissing(): boolean {
  if (existsSync(ENVOY)) return false;
  if (process.env["SERIN_REQUIRE_ENVOY"] === "1") throw new Error(`no Envoy at ${ENVOY}: run tools/install-envoy.sh`);
  console.log(`skipped: no Envoy at ${ENVOY} (tools/install-envoy.sh installs it)`);
  return true;
}

export interface RealEnvoy {
  readonly adminPort: number;
  /** Where the listener with that name listens. */
  port(listener: string): number;
  /** An admin page's text. */
  admin(page: string): Promise<string>;
  log(): string;
  stop(): Promise<void>;
}

interface ListenersPage {
  readonly listener_statuses?: readonly {
    readonly name: string;
    /** Without one it listens on a Unix socket. */
    readonly local_address: { readonly socket_address?: { readonly port_value: number } };
  }[];
}

/** `config` is the bootstrap without `admin`. */
export async function startRealEnvoy(config: Readonly<Record<string, unknown>>, args: readonly string[] = []): Promise<RealEnvoy> {
  const folder = mkdtempSync(path.join(tmpdir(), "serin-envoy-"));
  const file = path.join(folder, "bootstrap.json");
  const addressFile = path.join(folder, "admin");
  const admin = { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } };
  writeFileSync(file, JSON.stringify({ ...config, admin }));
  const child: ChildProcess = spawn(
    ENVOY,
    ["-c", file, "--concurrency", "1", "--use-dynamic-base-id", "--admin-address-path", addressFile, "-l", "warning", ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  child.stderr?.on("data", (part: Buffer) => (output += part.toString()));
  child.stdout?.resume();
  const gone = new Promise<void>((done) => void child.once("exit", () => done()));
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  let adminPort = 0;
  const page = (name: string): Promise<string> => get(adminPort, `/${name}`);
  const deadline = Date.now() + START_MS;
  for (;;) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`Envoy did not start:\n${output.slice(-3000)}`);
    }
    if (existsSync(addressFile)) adminPort = Number(readFileSync(addressFile, "utf8").split(":").at(-1));
    if (adminPort > 0 && (await page("ready").catch(() => "")).startsWith("LIVE")) break;
    await new Promise((done) => void setTimeout(done, 20));
  }
  const listeners = JSON.parse(await page("listeners?format=json")) as ListenersPage;
  const ports = new Map((listeners.listener_statuses ?? []).map((one) => [one.name, one.local_address.socket_address?.port_value ?? 0]));
  return { adminPort, port: (name) => ports.get(name) ?? 0, admin: page, log: () => output, stop };
}

function get(port: number, url: string): Promise<string> {
  return new Promise((done, fail) => {
    const request = http.get({ host: "127.0.0.1", port, path: url }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (text += part));
      response.on("end", () => done(text));
    });
    request.on("error", fail);
  });
}
