// The languages that gRPC is tried in: how their clients and servers are started. Python takes part where pip can fetch its packages.
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { CASES, type CaseName } from "./cases.ts";

const HERE = import.meta.dirname;
const ROOT = path.resolve(HERE, "../..");

export interface Language {
  readonly name: string;
  readonly program: string;
  readonly server: string;
  readonly client: string;
  readonly env: NodeJS.ProcessEnv;
}

const JS: Language = {
  name: "js",
  program: process.execPath,
  server: path.join(HERE, "server.ts"),
  client: path.join(HERE, "client.ts"),
  env: process.env,
};

const PYTHON: Language = {
  name: "python",
  program: "python3",
  server: path.join(HERE, "python/server.py"),
  client: path.join(HERE, "python/client.py"),
  env: { ...process.env, PYTHONPATH: path.join(ROOT, ".cache/grpc-python"), PYTHONDONTWRITEBYTECODE: "1" },
};

/** Where everything is required (SERIN_REQUIRE_ENVOY=1), Python is too. */
export function languages(): readonly Language[] {
  const done = spawnSync(path.join(ROOT, "tools/install-grpc-python.sh"), { encoding: "utf8", timeout: 120_000 });
  if (done.status === 0) return [JS, PYTHON];
  const why = done.error?.message ?? done.stderr.trim();
  if (process.env["SERIN_REQUIRE_ENVOY"] === "1")
    throw new Error(`gRPC's Python is required (SERIN_REQUIRE_ENVOY=1) and not there: ${why}`);
  console.log(`gRPC is tried without Python, which could not be set up: ${why}`);
  return [JS];
}

export interface InteropServer {
  readonly port: number;
  /** Duplex calls that it saw cancelled, or that ran out of time. */
  cancelled(): number;
  stop(): void;
}

export async function startServer({ program, server, env }: Language, descriptors: string): Promise<InteropServer> {
  const child: ChildProcess = spawn(program, [server, descriptors], { env, stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`${server} ended with ${code}`)));
    createInterface({ input: child.stdout! }).on("line", (line) => {
      lines.push(line);
      resolve(Number(lines[0]));
    });
  });
  return {
    port,
    cancelled: () => lines.filter((line) => line.startsWith("cancelled")).length,
    stop: () => void child.kill("SIGKILL"),
  };
}

export type Results = Readonly<Record<CaseName, string>>;

/** Plays every case: what went wrong in each, "" = nothing. */
export async function runClient({ program, client, env }: Language, args: readonly string[]): Promise<Results> {
  const { stdout } = await promisify(execFile)(program, [client, ...args, CASES.join()], { env, timeout: 60_000 });
  return JSON.parse(stdout) as Results;
}
