// One local pod: its ports, its sidecar, its containers; from the first process to the last.
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { PodReport, PodState } from "../admin-api/index.ts";
import { err, ok, type Result } from "../kit/index.ts";
import type { Container, PodPortStatus, PodStatus } from "../resources/index.ts";
import { createContainer, type RunningContainer } from "./container.ts";
import { runInitContainers } from "./init-containers.ts";
import type { LaunchSpec } from "./launch.ts";
import { prepareContainer } from "./prepare-container.ts";
import { checkTcp } from "./probe-check.ts";
import type { PodHost } from "./pod-host.ts";
import { createProxyProcess, type ProxyProcess } from "./proxy-process.ts";
import type { ProxySettings } from "./proxy-settings.ts";
import { servedPorts } from "./served-ports.ts";
import type { Workload } from "./workload.ts";

export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly hash: string;
  readonly workload: string;
  readonly startedAt: number;
  ready(): boolean;
  stopping(): boolean;
  report(): PodReport;
  state(): PodState;
  /** Takes it out of its Services (the caller's `unpublished` says when callers know), lets requests end, then ends the processes. */
  stop(unpublished: () => Promise<void>): Promise<void>;
  /** Ends everything at once: the mesh goes down. */
  kill(graceMs: number): Promise<void>;
}

export interface PodOptions {
  readonly name: string;
  readonly workload: Workload;
  readonly sidecar: boolean;
  readonly host: PodHost;
}

const RETRY_CONFIG_MS = 1000;
const PROXY_LOOK_MS = 25;

interface PreparedContainer {
  readonly container: Container;
  readonly spec: LaunchSpec;
}

export async function createPod(options: PodOptions): Promise<Pod> {
  const { name, workload, host } = options;
  const { namespace, template } = workload;
  const { clock } = host;
  const fullName = `${name}.${namespace}`;
  const labels: Readonly<Record<string, string>> = { ...template.labels, "pod-template-hash": workload.hash };
  const startedAt = clock.wall();
  const isGateway = isGatewayTemplate(workload);
  const hasProxy = options.sidecar || isGateway;
  const ports = await takePorts(template.containers, options);
  const httpProxyPort = hasProxy && !isGateway ? await host.ports.take() : undefined;
  const adminPort = hasProxy ? await host.ports.take() : undefined;
  const settings = (): ProxySettings => host.proxySettings({ namespace, labels, annotations: template.annotations });
  const execFile = path.join(host.runDir, `${fullName}.exec.json`);

  let message: string | undefined;
  let stopping = false;
  let started = false;
  let containers: readonly RunningContainer[] = [];
  let cancelRetry: (() => void) | undefined;
  let stopInit: (() => void) | undefined;
  let proxy: ProxyProcess | undefined;

  const event = (text: string): void => host.onEvent(`pod ${namespace}/${name}: ${text}`);

  const prepare = (container: Container): Result<LaunchSpec> =>
    prepareContainer({ container, name, workload, labels, ports, httpProxyPort, host });

  function prepareAll(list: readonly Container[]): Result<readonly PreparedContainer[]> {
    const prepared: PreparedContainer[] = [];
    for (const container of list) {
      const one = prepare(container);
      if (!one.ok) return err(`container ${container.name}: ${one.error}`);
      prepared.push({ container, spec: one.value });
    }
    return ok(prepared);
  }

  /** Missing ConfigMaps may come; an image map does not change while we run, but asking again costs nothing. */
  function begin(): void {
    if (stopping) return;
    const init = prepareAll(template.initContainers);
    const main = init.ok ? prepareAll(template.containers.filter((container) => !(isGateway && container.image === "auto"))) : init;
    if (!init.ok || !main.ok) {
      const reason = main.ok ? "" : main.error;
      if (message !== reason) event(reason);
      message = reason;
      cancelRetry = clock.after(RETRY_CONFIG_MS, begin);
      host.onChange();
      return;
    }
    message = undefined;
    writeExecFile(main.value);
    if (init.value.length === 0) return startWhenAllowed(main.value);
    const run = runInitContainers({ specs: init.value.map((one) => one.spec), launch: host.launch, clock, onEvent: event });
    stopInit = run.stop;
    void run.done.then(() => {
      startWhenAllowed(main.value);
    });
  }

  /** Istio's agent lets the other containers wait in the same way. */
  function startWhenAllowed(prepared: readonly PreparedContainer[]): void {
    if (stopping) return;
    if (proxy === undefined || proxy.ready() || !settings().holdApplication) return startContainers(prepared);
    cancelRetry = clock.after(PROXY_LOOK_MS, () => startWhenAllowed(prepared));
  }

  function startContainers(prepared: readonly PreparedContainer[]): void {
    containers = prepared.map(({ container, spec }) =>
      createContainer({
        container,
        spec,
        target: { portOf, env: spec.env, cwd: spec.cwd },
        graceMs: template.graceMs,
        launch: host.launch,
        clock,
        onChange: host.onChange,
        onEvent: event,
      }),
    );
    started = true;
    for (const container of containers) container.start();
    host.onChange();
  }

  /** A port that is not declared is taken as it stands. */
  function portOf(port: number | string): number | undefined {
    const found = ports.find((p) => p.containerPort === port || p.name === port);
    if (found !== undefined) return found.appPort;
    const number = Number(port);
    return Number.isInteger(number) ? number : undefined;
  }

  function writeExecFile(prepared: readonly PreparedContainer[]): void {
    const containers = prepared.map(({ container, spec }) => ({ name: container.name, env: spec.env, cwd: spec.cwd }));
    writeFileSync(execFile, JSON.stringify({ containers }), { mode: 0o600 });
  }

  function beginStop(): void {
    stopping = true;
    cancelRetry?.();
    stopInit?.();
  }

  function ready(): boolean {
    if (stopping || !started || proxy?.ready() === false) return false;
    return containers.every((container) => container.ready());
  }

  function restarts(): number {
    return containers.reduce((sum, container) => sum + container.state().restarts, proxy?.state().restarts ?? 0);
  }

  if (adminPort !== undefined) {
    proxy = createProxyProcess({
      name: `${fullName}/istio-proxy`,
      bootstrap: {
        type: isGateway ? "router" : "sidecar",
        pod: name,
        namespace,
        labels,
        annotations: template.annotations,
        serviceAccount: template.serviceAccount,
        workload: workload.name,
        adminPort,
        xdsPort: host.xdsPort,
        httpProxyPort,
      },
      settings,
      bootstrapFile: path.join(host.runDir, `${fullName}.bootstrap.json`),
      log: path.join(host.logsDir, `${fullName}.istio-proxy.log`),
      plane: host.plane,
      env: host.ownEnv,
      cwd: host.runDir,
      launch: host.launch,
      clock,
      onChange: host.onChange,
      onEvent: event,
      listens: () => listensFor(servedPorts(ports, { services: host.services(namespace), labels })),
    });
    proxy.start();
  }
  begin();

  return {
    name,
    namespace,
    hash: workload.hash,
    workload: workload.name,
    startedAt,
    ready,
    stopping: () => stopping,
    report() {
      const status: PodStatus = {
        phase: started ? "Running" : "Pending",
        podIP: "127.0.0.1",
        ready: ready(),
        sidecar: hasProxy && !isGateway,
        ports,
        restarts: restarts(),
        ...(httpProxyPort === undefined ? {} : { httpProxyPort }),
        ...(message === undefined ? {} : { message }),
      };
      return {
        name,
        namespace,
        labels,
        annotations: template.annotations,
        serviceAccount: template.serviceAccount,
        owner: { kind: "Deployment", namespace, name: workload.name },
        status,
      };
    },
    state: () => ({
      name,
      namespace,
      owner: { kind: "Deployment", name: workload.name },
      phase: stopping ? "Terminating" : message !== undefined ? "Blocked" : started ? "Running" : "Pending",
      ready: ready(),
      stopping,
      startedAt: new Date(startedAt).toISOString(),
      labels,
      ports,
      execFile,
      ...(message === undefined ? {} : { message }),
      containers: containers.map((container) => ({ ...container.state(), name: container.name })),
      ...(proxy === undefined
        ? {}
        : {
            sidecar: {
              ...proxy.state(),
              name: "istio-proxy",
              adminPort: proxy.adminPort,
              ...(httpProxyPort === undefined ? {} : { httpProxyPort }),
            },
          }),
    }),
    async kill(graceMs) {
      beginStop();
      await Promise.all([...containers.map((container) => container.stop(graceMs)), proxy?.stop(graceMs)]);
    },
    async stop(unpublished) {
      if (stopping) return;
      beginStop();
      host.onChange();
      await unpublished();
      const drainMs = Math.min(settings().terminationDrainMs, template.graceMs);
      await proxy?.drain(drainMs);
      await Promise.all(containers.map((container) => container.stop(template.graceMs)));
      await proxy?.stop(drainMs);
      for (const port of [httpProxyPort, adminPort, ...ports.flatMap((p) => [p.appPort, p.meshPort])]) {
        if (port !== undefined) host.ports.give(port);
      }
    },
  };
}

async function listensFor(ports: readonly PodPortStatus[]): Promise<boolean> {
  const checks = ports.map((port) => checkTcp({ host: "127.0.0.1", port: port.meshPort, timeoutMs: 500 }));
  return (await Promise.all(checks)).every(Boolean);
}

/** Istio's gateway injection: the pod is a router proxy, its container `image: auto` a placeholder for it. */
function isGatewayTemplate(workload: Workload): boolean {
  return workload.template.annotations["inject.istio.io/templates"] === "gateway";
}

/** Annotation `serin.dev/app-ports: container`: the application cannot be told its port and listens on the container's. */
async function takePorts(containers: readonly Container[], options: PodOptions): Promise<PodPortStatus[]> {
  const { host, workload, sidecar } = options;
  // A gateway listens where its Service's target ports are.
  const isGateway = isGatewayTemplate(workload);
  const fixed = isGateway || workload.template.annotations["serin.dev/app-ports"] === "container";
  const ports: PodPortStatus[] = [];
  for (const { name, containerPort, protocol = "TCP" } of containers.flatMap((container) => container.ports ?? [])) {
    if (protocol !== "TCP" || ports.some((port) => port.containerPort === containerPort)) continue;
    const appPort = fixed ? containerPort : await host.ports.take();
    const meshPort = sidecar && !isGateway ? await host.ports.take() : appPort;
    ports.push({ ...(name === undefined ? {} : { name }), containerPort, appPort, meshPort });
  }
  return ports;
}
