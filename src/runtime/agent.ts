// The local node agent as a whole: control plane, gateway, pods; what a kubelet and the Deployment controller are to a node.
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import {
  compileCacheDir,
  createAdminClient,
  type MeshFile,
  pathsIn,
  type RuntimeMessage,
  type RuntimeOptions,
  type RuntimeState,
  thisProcess,
} from "../admin-api/index.ts";
import { type Clock, createDebounce, type Rng, SerinError } from "../kit/index.ts";
import { createControlPlaneProcess } from "./control-plane-process.ts";
import { createDeploymentStatuses } from "./deployment-status.ts";
import { findEnvoy } from "./envoy.ts";
import {
  createGateway,
  EGRESS,
  type Gateway,
  type GatewayPorts,
  type GatewayRole,
  gatewayService,
  INGRESS,
  wantsEgress,
} from "./gateway.ts";
import { type ImageMap, readImageMap } from "./image-map.ts";
import { writeJsonFile } from "./json-file.ts";
import { createLaunch } from "./launch.ts";
import { startLogCap } from "./log-cap.ts";
import { takeMeshLock } from "./mesh-lock.ts";
import type { PodHost } from "./pod-host.ts";
import { allowedEnv } from "./pod-env.ts";
import { createPorts, type Ports } from "./ports.ts";
import { createProcessRecords, endLeftovers } from "./process-records.ts";
import { type Program, programCommand } from "./programs.ts";
import type { DataPlane } from "./proxy-process.ts";
import { proxySettings } from "./proxy-settings.ts";
import { createPublisher } from "./publisher.ts";
import { startResourceCache } from "./resource-cache.ts";
import { createWorkloads } from "./workloads.ts";

export interface Agent {
  stop(): Promise<void>;
}

const MAX_LOG_BYTES = 10 * 1024 * 1024;
const STOP_GRACE_MS = 3000;
const UNPUBLISH_TIMEOUT_MS = 2000;

export async function startAgent(options: {
  readonly run: RuntimeOptions;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly send: (message: RuntimeMessage) => void;
  /** Replaced in tests. */
  readonly program?: (program: Program) => readonly string[];
}): Promise<Agent> {
  const { run, clock, rng, send } = options;
  const program = options.program ?? ((name) => programCommand(name));
  const paths = pathsIn(run.dir);
  const plane = toDataPlane(run.proxy, { env: options.env, program });
  const imageMap: ImageMap = run.imageMap === undefined ? new Map() : readImageMap(run.imageMap);
  mkdirSync(paths.dir, { recursive: true, mode: 0o700 });
  const unlock = takeMeshLock(paths.lock, run.name);
  const left = await endLeftovers({ dir: paths.processes, clock, graceMs: 1000 });
  if (left.length > 0) send({ type: "step", text: `ended what a killed mesh left behind: ${left.join(", ")}` });
  for (const dir of [paths.logs, paths.run, paths.mesh, paths.runtime]) rmSync(dir, { recursive: true, force: true });
  if (!run.keep) rmSync(paths.controlPlane, { recursive: true, force: true });
  for (const dir of [paths.logs, paths.run]) mkdirSync(dir, { recursive: true, mode: 0o700 });

  const ports = createPorts({ rng });
  const [adminPort, xdsPort, gatewayAdminPort, gatewayPorts] = await Promise.all([
    ports.take(),
    ports.take(),
    ports.take(),
    takeGatewayPorts(run, ports),
  ]);
  const token = randomBytes(32).toString("base64url");
  writeFileSync(paths.token, `${token}\n`, { mode: 0o600 });
  const launch = createLaunch(createProcessRecords(paths.processes));
  const baseEnv = allowedEnv(options.env);
  // Bundles compile once, not at every start of a sidecar.
  const ownEnv = { ...baseEnv, NODE_COMPILE_CACHE: compileCacheDir(paths.dir) };
  const client = createAdminClient({ url: `http://127.0.0.1:${adminPort}`, token });
  const event = (level: "info" | "warn" | "error") => (text: string) => {
    if (!stopping) send({ type: "event", level, text });
  };
  const logCap = startLogCap({ dir: paths.logs, maxBytes: MAX_LOG_BYTES, clock });

  let stopping = false;
  let announced = false;
  let lastState = "";

  function changed(): void {
    if (stopping) return;
    if (!egressAsked && cache !== undefined && wantsEgress(cache)) void startEgress();
    workloads.reconcile();
    publisher.update();
    stateChange.trigger();
  }

  /** What the CLI reads and `up` shows. */
  function writeState(): void {
    const state: RuntimeState = {
      resourceVersion: cache?.version() ?? "",
      controlPlane: controlPlane.state(),
      deployments: workloads.deployments(),
      pods: [gateway.state(), ...(egress === undefined ? [] : [egress.state()]), ...workloads.pods()],
    };
    const text = JSON.stringify(state);
    if (text === lastState) return;
    lastState = text;
    writeJsonFile(paths.runtime, state);
    statuses.update();
    send({ type: "state", state });
  }

  const stateChange = createDebounce({ quietMs: 5, maxMs: 50, clock, fire: () => void (stopping || writeState()) });
  const changes = createDebounce({ quietMs: 0, maxMs: 0, clock, fire: changed });

  let cache: ReturnType<typeof startResourceCache> | undefined;
  const settingsOf: PodHost["proxySettings"] = (of) =>
    proxySettings({
      ...of,
      defaultConfig: run.meshConfig?.defaultConfig ?? {},
      rootNamespace: run.meshConfig?.rootNamespace ?? "istio-system",
      resources: cache?.list("ProxyConfig") ?? [],
    });
  const startGateway = (role: GatewayRole, at: { readonly ports: GatewayPorts; readonly adminPort: number }): Gateway =>
    createGateway({
      role,
      ...at,
      settings: settingsOf,
      xdsPort,
      plane,
      env: ownEnv,
      paths,
      launch,
      clock,
      rng,
      onChange: changes.trigger,
      onEvent: event("warn"),
    });
  const gateway = startGateway(INGRESS, { ports: gatewayPorts, adminPort: gatewayAdminPort });
  let egress: Gateway | undefined;
  let egressAsked = false;

  /** Once asked for, it stays. */
  async function startEgress(): Promise<void> {
    egressAsked = true;
    const [http, https, admin] = await Promise.all([ports.take(), ports.take(), ports.take()]);
    if (stopping) return;
    egress = startGateway(EGRESS, { ports: { http, https }, adminPort: admin });
    egress.proxy.start();
    await applyGatewayService(EGRESS, { http, https });
    changes.trigger();
  }

  const controlPlane = createControlPlaneProcess({
    command: [...program("control-plane"), ...(run.meshConfig === undefined ? [] : ["--mesh-config", run.meshConfig.file])],
    paths,
    adminPort,
    xdsPort,
    client,
    env: ownEnv,
    launch,
    clock,
    onReady: () => void controlPlaneReady(),
    onChange: changes.trigger,
    onEvent: event("error"),
  });
  controlPlane.start();
  gateway.proxy.start();

  const publisher = createPublisher({
    pods: () => [gateway.report(), ...(egress === undefined ? [] : [egress.report()]), ...workloads.reports()],
    put: (pods) => client.putPods({ pods }),
    clock,
    rng,
  });
  const statuses = createDeploymentStatuses({ client, deployments: () => workloads.deployments() });
  const host: PodHost = {
    launch,
    clock,
    ports,
    plane,
    xdsPort,
    imageMap,
    standIn: program("stand-in"),
    ownEnv,
    baseEnv,
    cwd: options.cwd,
    runDir: paths.run,
    logsDir: paths.logs,
    find: (kind, namespace, name) => cache?.find(kind, namespace, name),
    proxySettings: settingsOf,
    services: (namespace) => cache?.services(namespace) ?? [],
    onChange: changes.trigger,
    onEvent: event("warn"),
  };
  const workloads = createWorkloads({ cache: () => cache, host, rng, unpublished, onChange: changes.trigger });

  /** Until every proxy has the list of pods as it is now; a proxy that hangs must not keep a pod alive. */
  async function unpublished(): Promise<void> {
    const published = publisher.published().then(async () => {
      const { revision } = await client.status();
      await client.live({ revision, timeoutMs: UNPUBLISH_TIMEOUT_MS });
    });
    const timeout = new Promise<void>((resolve) => clock.after(UNPUBLISH_TIMEOUT_MS, resolve));
    await Promise.race([published.catch(() => {}), timeout]);
  }

  async function controlPlaneReady(): Promise<void> {
    if (stopping) return;
    publisher.resend();
    if (announced) return event("info")("control plane is back");
    announced = true;
    await applyGatewayService(INGRESS, gatewayPorts);
    cache = startResourceCache({ client, onChange: changes.trigger });
    const mesh: MeshFile = {
      ...thisProcess(),
      name: run.name,
      startedAt: new Date(clock.wall()).toISOString(),
      adminUrl: `http://127.0.0.1:${adminPort}`,
      token,
      xds: `127.0.0.1:${xdsPort}`,
      proxy: run.proxy,
      gatewayUrl: `http://127.0.0.1:${gatewayPorts.http}`,
      gatewayAdminUrl: `http://127.0.0.1:${gatewayAdminPort}`,
      sources: run.sources,
    };
    writeJsonFile(paths.mesh, mesh);
    send({ type: "ready", mesh });
  }

  async function applyGatewayService(role: GatewayRole, at: GatewayPorts): Promise<void> {
    const text = gatewayService(role, at);
    const response = await client.apply({ documents: [{ file: role.name, text }] }).catch((error: unknown) => String(error));
    if (typeof response !== "string" && response.results.every((result) => result.action !== "refused")) return;
    const why = typeof response === "string" ? response : response.issues.map((issue) => issue.message).join("; ");
    event("error")(`the Service of ${role.name} was refused, its ports do not shift: ${why}`);
  }

  return {
    async stop() {
      if (stopping) return;
      stopping = true;
      logCap.stop();
      changes.stop();
      stateChange.stop();
      cache?.stop();
      publisher.stop();
      await Promise.all([
        workloads.stop(STOP_GRACE_MS),
        gateway.proxy.stop(STOP_GRACE_MS),
        egress?.proxy.stop(STOP_GRACE_MS),
        controlPlane.stop(STOP_GRACE_MS),
      ]);
      for (const file of [paths.mesh, paths.runtime, paths.run, paths.processes]) rmSync(file, { recursive: true, force: true });
      unlock();
    },
  };
}

function toDataPlane(
  kind: "serin" | "envoy",
  from: { readonly env: Readonly<Record<string, string | undefined>>; readonly program: (program: Program) => readonly string[] },
): DataPlane {
  return { kind, command: kind === "envoy" ? [findEnvoy(from.env)] : from.program("proxy") };
}

async function takeGatewayPorts(run: RuntimeOptions, ports: Ports): Promise<GatewayPorts> {
  const take = async (wanted: number | undefined, from: number): Promise<number> => {
    const port = await ports.takeFrom(wanted ?? from);
    if (wanted === undefined || port === wanted) return port;
    throw new SerinError("GATEWAY_PORT_TAKEN", `port ${wanted} is taken`, { fix: "Give a free one with --gateway-port." });
  };
  return { http: await take(run.gatewayPorts.http, 8080), https: await take(run.gatewayPorts.https, 8443) };
}
