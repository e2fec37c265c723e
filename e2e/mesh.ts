// A small real mesh for tests: the control plane as a process on a folder of YAML, one gateway proxy (ours or real Envoy) as a process,
// and backends in the test's own process.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { bootstrap as caseBootstrap } from "../scenarios/play/boot.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
export const ENVOY = process.env["ENVOY"] ?? path.join(ROOT, ".cache/envoy/envoy");
export type Plane = "serin" | "envoy";
/** The data planes that can run on this machine. */
export const PLANES: readonly Plane[] = existsSync(ENVOY) ? ["serin", "envoy"] : ["serin"];

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until `condition` gives a value that is not undefined or false; throws after `ms`. */
export async function eventually<T>(what: string, condition: () => Promise<T | undefined | false>, ms = 20_000): Promise<T> {
  const end = Date.now() + ms;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    await sleep(20);
  }
  throw new Error(`did not happen within ${ms} ms: ${what}`, { cause: last });
}

export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface Backend {
  readonly port: number;
  /** Requests served so far. */
  count(): number;
  stop(): void;
}

export async function startBackend(name: string): Promise<Backend> {
  let served = 0;
  const server = http.createServer((request, response) => {
    served++;
    request.resume();
    response.setHeader("x-backend", name);
    response.end(name);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    count: () => served,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export interface Mesh {
  readonly gatewayPort: number;
  readonly adminPort: number;
  readonly proxyAdminPort: number;
  /** Replaces the config file in one step. */
  write(yaml: string): void;
  /** What the proxy says at a path of its admin endpoint. */
  proxyAdmin(url: string): Promise<string>;
  restartControlPlane(signal: NodeJS.Signals): Promise<void>;
  proxy(): ChildProcess;
  log(name: string): string;
  stop(): Promise<void>;
}

export async function fetchText(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
}

function bootstrapFor(ports: { xds: number; admin: number }): string {
  const proxy = { type: "router", namespace: "istio-system", name: "gateway-1", labels: { istio: "ingressgateway" } } as const;
  return JSON.stringify(caseBootstrap(proxy))
    .replaceAll('"port_value":15010', `"port_value":${ports.xds}`)
    .replaceAll('"port_value":15000', `"port_value":${ports.admin}`)
    .replaceAll("10.9.9.9", "127.0.0.1");
}

export async function startMesh(options: { yaml: (gatewayPort: number) => string; plane: Plane }): Promise<Mesh> {
  const dir = mkdtempSync(path.join(os.tmpdir(), "serin-e2e-"));
  const config = path.join(dir, "config");
  mkdirSync(config);
  const [gatewayPort, adminPort, xdsPort, proxyAdminPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const children = new Set<ChildProcess>();
  const write = (yaml: string): void => {
    writeFileSync(path.join(dir, "next.yaml"), yaml);
    renameSync(path.join(dir, "next.yaml"), path.join(config, "mesh.yaml"));
  };
  const start = (name: string, command: readonly string[]): ChildProcess => {
    const out = openSync(path.join(dir, `${name}.log`), "a");
    const [file = "", ...args] = command;
    const child = spawn(file, args, { cwd: dir, stdio: ["ignore", out, out] });
    closeSync(out);
    children.add(child);
    child.on("exit", () => children.delete(child));
    return child;
  };
  const log = (name: string): string => readFileSync(path.join(dir, `${name}.log`), "utf8").slice(-4000);
  const serin = (program: string): string[] => [process.execPath, path.join(ROOT, `dist/${program}.js`)];
  const startControlPlane = (): ChildProcess =>
    start("control", [
      ...serin("control-plane"),
      ...["--config", config, "--state", path.join(dir, "state")],
      ...["--xds", `127.0.0.1:${xdsPort}`, "--admin", `127.0.0.1:${adminPort}`],
    ]);
  const ready = (port: number, what: string): Promise<boolean> =>
    eventually(what, async () => (await fetchText(`http://127.0.0.1:${port}/ready`)).status === 200);
  const stop = async (): Promise<void> => {
    const gone = [...children].map((c) => new Promise<void>((resolve) => c.once("exit", () => resolve())));
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(gone);
    rmSync(dir, { recursive: true, force: true });
  };

  write(options.yaml(gatewayPort));
  let control = startControlPlane();
  const boot = path.join(dir, "boot.json");
  writeFileSync(boot, bootstrapFor({ xds: xdsPort, admin: proxyAdminPort }));
  try {
    await ready(adminPort, "control plane ready");
    const proxy =
      options.plane === "serin"
        ? start("proxy", [...serin("proxy"), "-c", boot])
        : start("proxy", [ENVOY, "-c", boot, "--concurrency", "1", "--disable-hot-restart", "-l", "warning"]);
    await ready(proxyAdminPort, "proxy ready");
    await eventually("gateway listens", async () => (await fetchText(`http://127.0.0.1:${gatewayPort}/`)).status > 0);
    return {
      gatewayPort,
      adminPort,
      proxyAdminPort,
      write,
      log,
      stop,
      proxy: () => proxy,
      proxyAdmin: async (url) => (await fetchText(`http://127.0.0.1:${proxyAdminPort}${url}`)).text,
      async restartControlPlane(signal) {
        const gone = new Promise<void>((resolve) => control.once("exit", () => resolve()));
        control.kill(signal);
        await gone;
        control = startControlPlane();
        await ready(adminPort, "control plane ready again");
      },
    };
  } catch (error) {
    console.error(
      existsSync(path.join(dir, "control.log")) ? log("control") : "",
      existsSync(path.join(dir, "proxy.log")) ? log("proxy") : "",
    );
    await stop();
    throw error;
  }
}
