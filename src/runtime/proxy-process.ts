// A sidecar or gateway as a process of its own: our proxy or real Envoy on the same bootstrap file, kept running, asked for readiness.
import { writeFileSync } from "node:fs";
import type { ProcessState } from "../admin-api/index.ts";
import type { Clock } from "../kit/index.ts";
import { buildBootstrap, type BootstrapInput } from "./bootstrap.ts";
import type { Launch } from "./launch.ts";
import type { ProxySettings } from "./proxy-settings.ts";
import { createSupervisor } from "./supervisor.ts";

export interface ProxyProcess {
  readonly adminPort: number;
  start(): void;
  ready(): boolean;
  state(): ProcessState;
  /** Waits until no request is under way, at most `maxMs`. */
  drain(maxMs: number): Promise<void>;
  stop(graceMs: number): Promise<void>;
}

export interface DataPlane {
  readonly kind: "serin" | "envoy";
  /** The program and what stands before `-c FILE`. */
  readonly command: readonly string[];
}

export interface ProxyProcessOptions {
  readonly name: string;
  readonly bootstrap: Omit<BootstrapInput, "settings">;
  /** Asked at each start. */
  readonly settings: () => ProxySettings;
  readonly bootstrapFile: string;
  readonly log: string;
  readonly plane: DataPlane;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly launch: Launch;
  readonly clock: Clock;
  readonly onChange: () => void;
  readonly onEvent: (text: string) => void;
  /** Asked after the proxy said it is ready, once per start: do its listeners listen? */
  readonly listens?: () => Promise<boolean>;
  /** Replaced in tests. */
  readonly get?: (url: string) => Promise<{ readonly status: number; readonly text: string } | undefined>;
}

const READY_FAST_MS = 25;
const READY_SLOW_MS = 1000;
/** A proxy whose listeners do not come (their Service was refused) is not held back for ever. */
const LISTEN_TIMEOUT_MS = 5000;

/** Our own proxy has one thread; Envoy without a number takes one for each processor. */
function argumentsFor(kind: DataPlane["kind"], { concurrency, drainMs }: ProxySettings): readonly string[] {
  const drain = ["--drain-time-s", String(Math.min(MAX_DRAIN_S, Math.round(drainMs / 1000)))];
  if (kind === "serin") return drain;
  return [...(concurrency === 0 ? [] : ["--concurrency", String(concurrency)]), ...drain, "--disable-hot-restart", "-l", "warning"];
}

const MAX_DRAIN_S = 3600;

export function createProxyProcess(options: ProxyProcessOptions): ProxyProcess {
  const { clock, plane, bootstrap, onChange } = options;
  const get = options.get ?? getText;
  const admin = `http://127.0.0.1:${bootstrap.adminPort}`;
  let isReady = false;
  let cancelPoll: (() => void) | undefined;
  let run = 0;
  /** Since when the proxy says that it is ready. */
  let waitsSince: number | undefined;
  let listens = false;
  /** Told once. */
  let problem: string | undefined;

  const supervisor = createSupervisor({
    launch: options.launch,
    clock,
    graceMs: 2000,
    spec() {
      // Owner-only, as everything in the state folder; written before each start so that a lost file heals.
      const settings = options.settings();
      writeFileSync(options.bootstrapFile, JSON.stringify(buildBootstrap({ ...bootstrap, settings }), null, 2), { mode: 0o600 });
      if (settings.problem !== undefined && settings.problem !== problem) options.onEvent(settings.problem);
      ({ problem } = settings);
      return {
        name: options.name,
        command: [...plane.command, "-c", options.bootstrapFile, ...argumentsFor(plane.kind, settings)],
        cwd: options.cwd,
        env: { ...options.env, ...settings.env },
        log: options.log,
      };
    },
    onStart() {
      isReady = false;
      listens = false;
      waitsSince = undefined;
      cancelPoll?.();
      void poll(++run);
    },
    onEnd(reason) {
      isReady = false;
      run++;
      cancelPoll?.();
      options.onEvent(`${options.name} ended: ${reason}`);
    },
    onChange,
  });

  async function poll(mine: number): Promise<void> {
    const answer = await get(`${admin}/ready`);
    const now = answer?.status === 200 && (await seesListeners());
    if (mine !== run) return;
    if (now !== isReady) {
      isReady = now;
      onChange();
    }
    cancelPoll = clock.after(isReady ? READY_SLOW_MS : READY_FAST_MS, () => void poll(mine));
  }

  async function seesListeners(): Promise<boolean> {
    if (listens || options.listens === undefined) return true;
    waitsSince ??= clock.now();
    listens = clock.now() - waitsSince > LISTEN_TIMEOUT_MS || (await options.listens());
    return listens;
  }

  return {
    adminPort: bootstrap.adminPort,
    start: () => supervisor.start(),
    ready: () => isReady,
    state: () => supervisor.state(),
    async drain(maxMs) {
      const end = clock.now() + maxMs;
      while (clock.now() < end) {
        const answer = await get(`${admin}/stats?filter=downstream_rq_active`);
        if (answer === undefined || countActive(answer.text) === 0) return;
        await new Promise<void>((resolve) => clock.after(20, resolve));
      }
    },
    async stop(graceMs) {
      run++;
      cancelPoll?.();
      isReady = false;
      await supervisor.stop(graceMs);
    },
  };
}

/** Requests under way, without those of the admin listener (asking is one). */
export function countActive(stats: string): number {
  let active = 0;
  for (const [, name = "", value] of stats.matchAll(/^(\S+downstream_rq_active): (\d+)$/gm)) {
    if (!name.startsWith("http.admin.")) active += Number(value);
  }
  return active;
}

async function getText(url: string): Promise<{ status: number; text: string } | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}
