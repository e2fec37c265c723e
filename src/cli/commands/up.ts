// serin up: starts the mesh, applies the config, shows what runs, and stops everything when it ends.
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { InvalidArgumentError, Option } from "commander";
import { type ApplyResponse, type MeshFile, readRuntimeState, type RuntimeOptions, type RuntimeState } from "../../admin-api/index.ts";
import { SerinError } from "../../kit/index.ts";
import type { AddCommand, Cli, CommonOptions, RunningMesh } from "../cli.ts";
import { readDocuments } from "../documents.ts";
import { countIssues, formatIssue } from "../issue-lines.ts";
import { readMeshConfig } from "../up/mesh-config.ts";
import { startRuntime, type RuntimeHandle } from "../up/runtime-handle.ts";
import { isSettled, unsettled } from "../up/settled.ts";
import { printOverview, startSplitView } from "../up/guided-view.ts";

interface UpOptions extends CommonOptions {
  readonly proxy: "serin" | "envoy";
  readonly detach?: boolean;
  readonly imageMap?: string;
  readonly meshConfig?: string;
  readonly gatewayPort: RuntimeOptions["gatewayPorts"];
  readonly keep?: boolean;
  readonly timeout: number;
}

export const addUpCommand: AddCommand = (program, cli) => {
  const command = program
    .command("up")
    .description("start the mesh on this machine and apply files to it")
    .argument("[path...]", "files or folders of Kubernetes and Istio YAML, - for stdin")
    .addOption(new Option("--proxy <kind>", "data plane").choices(["serin", "envoy"]).default("serin"))
    .option("-d, --detach", "leave it running in the background")
    .option("--image-map <file>", "what runs in place of which image (default: serin-images.yaml beside the config)")
    .option("--mesh-config <file>", "Istio's MeshConfig, YAML or JSON")
    .option(
      "--gateway-port <[80=|443=]port>",
      "where the default gateway serves 80 and 443 (default: the first free ones from 8080 and 8443)",
      parseGatewayPort,
      {},
    )
    .option("--keep", "start with what was applied in the last run")
    .option("--timeout <seconds>", "how long to wait until everything is ready", parseSeconds, 60);
  cli.common(command).action((paths: readonly string[], options: UpOptions) => up(cli, paths, options));
};

async function up(cli: Cli, paths: readonly string[], options: UpOptions): Promise<void> {
  const sources = paths.map((given) => (given === "-" ? given : path.resolve(given)));
  const running = cli.findMesh(options);
  if (running !== undefined) return attach(cli, running, sources);
  const documents = readDocuments(paths);
  const { out } = cli;
  const started = performance.now();
  const meshConfig = options.meshConfig === undefined ? undefined : readMeshConfig(cli, path.resolve(options.meshConfig));
  const runtime = startRuntime(toRuntimeOptions(cli, sources, { ...options, meshConfig }));
  const stopSignals = onSignals(cli, runtime);
  runtime.onStep((text) => out.note(text));
  // Progress is for people who wait; a log shows what came of it.
  const progress = (text: string): void => void (out.isTerminal && options.output !== "json" && out.live(text));
  progress("starting the control plane and the gateway …");
  runtime.onState((state) => {
    const wanted = state.deployments.reduce((sum, one) => sum + one.desired, 0);
    const ready = state.deployments.reduce((sum, one) => sum + one.updatedReady, 0);
    if (wanted > 0) progress(`${ready} of ${wanted} pods ready …`);
  });
  runtime.onEvent((level, text) => out.note(level === "info" ? text : out.style(level === "error" ? "red" : "yellow", text)));
  try {
    const mesh = await runtime.ready;
    const { client } = cli.mesh(options);
    const response = documents.length === 0 ? undefined : await client.apply({ documents });
    if (response !== undefined) checkApplied(cli, response);
    const state = await settle(cli, runtime, { response, timeoutMs: options.timeout * 1000 });
    const { revision } = await client.status();
    const live = await client.live({ revision, timeoutMs: 10_000 });
    if (!live.live) out.note(`${live.lagging.length} proxies do not have the whole config yet: see \`serin proxy-status\``);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    runtime.onState(() => {});
    const resources = await client.list();
    const title = `after ${seconds} s`;
    if (options.output === "json") out.json({ ...toJson(mesh), seconds: Number(seconds), ...state });
    else printOverview({ cli, mesh, state, resources: resources.items, title });
    if (options.detach === true) {
      runtime.detach();
      return;
    }
    const view = startSplitView({ cli, mesh, quiet: options.output === "json" });
    try {
      await runtime.ended;
    } finally {
      view.stop();
    }
    if (!runtime.stopAsked()) {
      throw new SerinError("RUNTIME_ENDED", "the runtime process ended by itself; what it left behind was stopped", {
        fix: "Start again with `serin up`; if it happens again, report it.",
      });
    }
  } catch (error) {
    await runtime.stop();
    if (runtime.interrupted()) return;
    throw error;
  } finally {
    stopSignals();
    await runtime.cleanUp();
  }
}

function toRuntimeOptions(
  cli: Cli,
  sources: readonly string[],
  options: Omit<UpOptions, "meshConfig"> & { readonly meshConfig: RuntimeOptions["meshConfig"] | undefined },
): RuntimeOptions {
  const { dir } = cli.paths(options);
  const imageMap = options.imageMap === undefined ? imageMapBeside(sources) : path.resolve(options.imageMap);
  return {
    name: options.name,
    dir,
    proxy: options.proxy,
    sources,
    keep: options.keep === true,
    gatewayPorts: options.gatewayPort,
    ...(imageMap === undefined ? {} : { imageMap }),
    ...(options.meshConfig === undefined ? {} : { meshConfig: options.meshConfig }),
  };
}

function imageMapBeside(sources: readonly string[]): string | undefined {
  for (const source of sources) {
    if (source === "-" || !existsSync(source)) continue;
    const dir = statSync(source).isDirectory() ? source : path.dirname(source);
    const found = ["serin-images.yaml", "serin-images.yml"].map((name) => path.join(dir, name)).find((file) => existsSync(file));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Without the token: output ends up in logs. */
function toJson(mesh: MeshFile): Omit<MeshFile, "token"> {
  const { token: _, ...rest } = mesh;
  return rest;
}

/** A second `up`: of the same files it shows the running mesh, of others it refuses. */
async function attach(cli: Cli, mesh: RunningMesh, sources: readonly string[]): Promise<void> {
  const same = sources.length === 0 || JSON.stringify(sources) === JSON.stringify(mesh.file.sources);
  if (!same) {
    throw new SerinError("MESH_RUNNING", `the mesh ${mesh.file.name} runs already (process ${mesh.file.pid})`, {
      fix: "Use `serin apply` to change it, `serin down` to stop it, or --name for a second one.",
    });
  }
  cli.out.print(
    `The mesh ${mesh.file.name} runs already (process ${mesh.file.pid}); this shows it. Ctrl-C leaves it running, \`serin down\` stops it.`,
  );
  const state = readRuntimeState(mesh.paths);
  const resources = await mesh.client.list().catch(() => undefined);
  if (state !== undefined) printOverview({ cli, mesh: mesh.file, state, resources: resources?.items ?? [], title: "already" });
  const view = startSplitView({ cli, mesh: mesh.file, quiet: false });
  await new Promise<void>((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
    const timer = setInterval(() => {
      if (cli.findMesh({ name: mesh.file.name }) !== undefined) return;
      clearInterval(timer);
      cli.out.note("the mesh was stopped");
      resolve();
    }, 500);
    timer.unref();
  });
  view.stop();
  process.exit(0);
}

function checkApplied(cli: Cli, response: ApplyResponse): void {
  for (const issue of response.issues) cli.out.note(formatIssue(issue, cli.out));
  if (response.results.some((result) => result.action === "refused")) {
    throw new SerinError("APPLY_REFUSED", `nothing was applied: ${countIssues(response.issues)}`, {
      fix: "Mend the files and start again.",
    });
  }
}

/** Until all of it runs. What was applied at once is complete, so a pod that lacks something will go on lacking it. */
async function settle(
  cli: Cli,
  runtime: RuntimeHandle,
  options: { readonly response: ApplyResponse | undefined; readonly timeoutMs: number },
): Promise<RuntimeState> {
  const blocked = (state: RuntimeState): boolean => state.pods.some((pod) => pod.phase === "Blocked");
  const done = await runtime.until((state) => isSettled(state, options.response) || blocked(state), options.timeoutMs);
  if (done && !blocked(runtime.state())) return runtime.state();
  if (!runtime.interrupted()) for (const problem of unsettled(runtime.state())) cli.out.note(cli.out.style("red", problem));
  if (done) throw new SerinError("UP_FAILED", "not everything can start", { fix: "The lines above say what is missing." });
  throw new SerinError("UP_FAILED", `not everything is ready after ${options.timeoutMs / 1000} s`, {
    fix: "The lines above say what is missing; `serin logs POD` shows what it printed. --timeout waits longer.",
  });
}

function onSignals(cli: Cli, runtime: RuntimeHandle): () => void {
  let asked = 0;
  const stop = (): void => {
    asked++;
    if (asked === 1) cli.out.note("\nstopping …");
    // The second one does not wait for anybody.
    if (asked >= 2) runtime.kill();
    else runtime.interrupt();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, stop);
  return () => {
    for (const signal of signals) process.removeListener(signal, stop);
  };
}

/** `8080`, `80=8080`, `443=8443`; may be repeated. */
function parseGatewayPort(text: string, before: RuntimeOptions["gatewayPorts"]): RuntimeOptions["gatewayPorts"] {
  const match = /^(?:(80|443)=)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port < 1 || port > 65_535) throw new InvalidArgumentError("It must be PORT, 80=PORT or 443=PORT.");
  return match[1] === "443" ? { ...before, https: port } : { ...before, http: port };
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new InvalidArgumentError("It must be a number of seconds.");
  return seconds;
}
