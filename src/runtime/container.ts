// One container of a local pod: its process kept running, its probes, and whether it counts as ready.
import type { ProcessState } from "../admin-api/index.ts";
import type { Clock } from "../kit/index.ts";
import type { Container, Probe } from "../resources/index.ts";
import type { Launch, LaunchSpec } from "./launch.ts";
import { checkProbe, type ProbeTarget } from "./probe-check.ts";
import { type ProbeLoop, startProbeLoop } from "./probe-loop.ts";
import { createSupervisor } from "./supervisor.ts";

export interface RunningContainer {
  readonly name: string;
  start(): void;
  ready(): boolean;
  state(): ProcessState;
  stop(graceMs: number): Promise<void>;
}

export interface ContainerOptions {
  readonly container: Container;
  readonly spec: LaunchSpec;
  readonly target: ProbeTarget;
  readonly graceMs: number;
  readonly launch: Launch;
  readonly clock: Clock;
  readonly onChange: () => void;
  readonly onEvent: (text: string) => void;
  /** Replaced in tests. */
  readonly check?: typeof checkProbe;
}

/**
 * Kubernetes calls a container without readiness probe ready at once; here its first port must accept connections first, so that no
 * request is sent into a start. After this time it counts as ready all the same (it may not listen on TCP).
 */
const LISTEN_GRACE_MS = 10_000;

export function createContainer(options: ContainerOptions): RunningContainer {
  const { container, clock, onChange, onEvent } = options;
  const check = options.check ?? checkProbe;
  let loops: Partial<Record<"startup" | "liveness" | "readiness", ProbeLoop>> = {};
  let listening = false;

  const supervisor = createSupervisor({
    launch: options.launch,
    clock,
    spec: () => options.spec,
    graceMs: options.graceMs,
    onChange,
    onStart: startProbes,
    onEnd(reason) {
      stopProbes();
      onEvent(`container ${container.name} ended: ${reason}`);
    },
  });

  function loop(probe: Probe, onVerdict: (verdict: "unknown" | "passing" | "failing") => void): ProbeLoop {
    return startProbeLoop({ check: () => check(probe, options.target, probe.timeoutSeconds * 1000), timing: probe, clock, onVerdict });
  }

  function startProbes(): void {
    stopProbes();
    const { startupProbe } = container;
    if (startupProbe === undefined) return startOtherProbes();
    loops.startup = loop(startupProbe, (verdict) => {
      loops.startup?.stop();
      if (verdict === "failing") return supervisor.restart("startup probe failed");
      startOtherProbes();
      onChange();
    });
  }

  function startOtherProbes(): void {
    const { livenessProbe, readinessProbe } = container;
    if (livenessProbe !== undefined) {
      loops.liveness = loop(livenessProbe, (verdict) => {
        if (verdict !== "failing") return;
        loops.liveness?.stop();
        supervisor.restart("liveness probe failed");
      });
    }
    if (readinessProbe !== undefined) {
      loops.readiness = loop(readinessProbe, onChange);
      return;
    }
    const port = container.ports?.find((p) => (p.protocol ?? "TCP") === "TCP");
    if (port === undefined) {
      listening = true;
      return;
    }
    const giveUpAt = clock.now() + LISTEN_GRACE_MS;
    const listens: Probe = {
      tcpSocket: { port: port.containerPort },
      initialDelaySeconds: 3600,
      periodSeconds: 3600,
      timeoutSeconds: 1,
      successThreshold: 1,
      failureThreshold: 1,
    };
    loops.readiness = startProbeLoop({
      check: async () => (await check(listens, options.target, 1000)) || clock.now() >= giveUpAt,
      timing: listens,
      clock,
      onVerdict() {
        listening = true;
        loops.readiness?.stop();
        onChange();
      },
    });
  }

  function stopProbes(): void {
    for (const probe of Object.values(loops)) probe.stop();
    loops = {};
    listening = false;
  }

  return {
    name: container.name,
    start: () => supervisor.start(),
    ready() {
      if (supervisor.state().state !== "running") return false;
      if (container.startupProbe !== undefined && loops.startup?.verdict() !== "passing") return false;
      return container.readinessProbe === undefined ? listening : loops.readiness?.verdict() === "passing";
    },
    state: () => supervisor.state(),
    async stop(graceMs) {
      // A probe must not restart what is being stopped.
      stopProbes();
      await supervisor.stop(graceMs);
    },
  };
}
