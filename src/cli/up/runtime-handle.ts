// The runtime as `serin up` holds it: its process, what it says, and a way to end it that leaves nothing behind.
import { fork, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, realpathSync } from "node:fs";
import path from "node:path";
import {
  compileCacheDir,
  type MeshFile,
  type RuntimeMessage,
  type RuntimeOptions,
  type RuntimeRequest,
  type RuntimeState,
} from "../../admin-api/index.ts";
import { SerinError } from "../../kit/index.ts";

export interface RuntimeHandle {
  /** Rejects when the runtime cannot start. */
  readonly ready: Promise<MeshFile>;
  readonly ended: Promise<void>;
  state(): RuntimeState;
  /** False after `timeoutMs`, or when a failure came. */
  until(condition: (state: RuntimeState) => boolean, timeoutMs: number): Promise<boolean>;
  onStep(listen: (text: string) => void): void;
  onEvent(listen: (level: "info" | "warn" | "error", text: string) => void): void;
  onState(listen: (state: RuntimeState) => void): void;
  /** Asks it to stop everything; resolves when it has. */
  stop(): Promise<void>;
  /** The same, by the user's wish. */
  interrupt(): void;
  interrupted(): boolean;
  /** Somebody asked: the user, or `serin down`. */
  stopAsked(): boolean;
  kill(): void;
  detach(): void;
  /** Ends what the runtime left behind when it was killed. */
  cleanUp(): Promise<void>;
}

const EMPTY: RuntimeState = {
  resourceVersion: "",
  controlPlane: { name: "control-plane", state: "waiting", restarts: 0, log: "" },
  deployments: [],
  pods: [],
};

export function startRuntime(options: RuntimeOptions): RuntimeHandle {
  const program = runtimeProgram();
  // Its own session: the terminal's Ctrl-C reaches only us, and we ask it to stop.
  // Its output is only what it says when it crashes; on our own streams a detached one would keep a pipe open.
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const log = openSync(path.join(options.dir, "runtime.log"), "w", 0o600);
  const child = fork(program, ["run", JSON.stringify(options)], {
    detached: true,
    stdio: ["ignore", log, log, "ipc"],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCacheDir(options.dir) },
  });
  closeSync(log);
  let state = EMPTY;
  let interrupted = false;
  let detached = false;
  let exitCode: number | null = null;
  let step: (text: string) => void = () => {};
  let event: (level: "info" | "warn" | "error", text: string) => void = () => {};
  let stateChanged: (state: RuntimeState) => void = () => {};
  const watchers = new Set<() => void>();
  const ready = Promise.withResolvers<MeshFile>();
  // Who awaits it gets the error; until then it is no unhandled one.
  ready.promise.catch(() => {});

  child.on("message", (message: RuntimeMessage) => {
    switch (message.type) {
      case "step":
        return step(message.text);
      case "event":
        return event(message.level, message.text);
      case "ready":
        return ready.resolve(message.mesh);
      case "failed":
        return ready.reject(new SerinError(message.code, message.message, message.fix === undefined ? {} : { fix: message.fix }));
      case "state":
        state = message.state;
        stateChanged(state);
        for (const notify of watchers) notify();
        return undefined;
    }
  });
  const ended = new Promise<void>((resolve) => {
    child.once("error", (cause) => {
      ready.reject(new SerinError("RUNTIME_FAILED", `the runtime cannot start: ${cause.message}`, { cause }));
      resolve();
    });
    child.once("exit", (code) => {
      exitCode = code;
      ready.reject(new SerinError("RUNTIME_ENDED", "the runtime process ended by itself"));
      for (const notify of watchers) notify();
      resolve();
    });
  });

  function request(message: RuntimeRequest): void {
    if (child.connected) child.send(message, () => {});
  }

  return {
    ready: ready.promise,
    ended,
    state: () => state,
    until(condition, timeoutMs) {
      return new Promise((resolve) => {
        const done = (result: boolean): void => {
          clearTimeout(timer);
          watchers.delete(check);
          resolve(result);
        };
        const timer = setTimeout(() => done(false), timeoutMs);
        const check = (): void => {
          if (condition(state)) done(true);
          else if (exitCode !== null || child.signalCode !== null) done(false);
        };
        watchers.add(check);
        check();
      });
    },
    onStep: (listen) => void (step = listen),
    onEvent: (listen) => void (event = listen),
    onState: (listen) => void (stateChanged = listen),
    async stop() {
      request({ type: "stop" });
      await ended;
    },
    interrupt() {
      interrupted = true;
      request({ type: "stop" });
    },
    interrupted: () => interrupted,
    stopAsked: () => interrupted || exitCode === 0,
    kill: () => void child.kill("SIGKILL"),
    detach() {
      detached = true;
      // The message must be out before the channel closes.
      child.send({ type: "detach" }, () => {
        child.disconnect();
        child.unref();
      });
    },
    async cleanUp() {
      if (detached || exitCode === 0) return;
      await cleanLeftovers(options.dir);
    },
  };
}

/** Ends the processes that a killed runtime left behind; their names. */
export function cleanLeftovers(dir: string): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [runtimeProgram(), "clean", dir], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
    child.on("error", () => resolve([]));
    child.on("close", () => {
      try {
        resolve(JSON.parse(text) as string[]);
      } catch {
        resolve([]);
      }
    });
  });
}

function runtimeProgram(): string {
  const self = realpathSync(process.argv[1] ?? "");
  const dir = path.dirname(self);
  return self.endsWith(".ts") ? path.join(dir, "../runtime/main.ts") : path.join(dir, "runtime.js");
}
