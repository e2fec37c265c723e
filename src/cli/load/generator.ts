// An open-loop load generator: requests go out when they are due, not when the last answer came, and each latency counts from when the
// request was due, so that a server that stalls cannot hide it.
import http from "node:http";
import { createPace } from "./pace.ts";
import { createTally, type Outcome, type Summary } from "./tally.ts";

export interface LoadTarget {
  /** Where to connect. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly method: string;
  /** With `host`. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface LoadOptions {
  readonly target: LoadTarget;
  readonly rate: number;
  readonly durationMs: number;
  /** Response header that names the version. */
  readonly versionHeader: string;
  readonly timeoutMs: number;
  /** Every second, with what came back in it. */
  readonly onSecond: (second: Summary) => void;
}

const TICK_MS = 2;
const MAX_SOCKETS = 512;
const MAX_IN_FLIGHT = 5000;

export interface RunningLoad {
  readonly finished: Promise<Summary>;
  stop(): void;
}

export function startLoad(options: LoadOptions): RunningLoad {
  const { target } = options;
  const agent = new http.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const total = createTally();
  let second = createTally();
  let inFlight = 0;
  let ending = false;
  const start = performance.now();
  const pace = createPace({ rate: options.rate, startMs: start });
  const finished = Promise.withResolvers<Summary>();

  function record(outcome: Outcome): void {
    total.add(outcome);
    second.add(outcome);
  }

  function send(dueMs: number): void {
    if (inFlight >= MAX_IN_FLIGHT) return record({ tookMs: 0, error: "not sent: too many without answer" });
    inFlight++;
    let open = true;
    const done = (outcome: Omit<Outcome, "tookMs">): void => {
      if (!open) return;
      open = false;
      inFlight--;
      record({ ...outcome, tookMs: performance.now() - dueMs });
      if (ending && inFlight === 0) end();
    };
    const request = http.request({ ...target, agent });
    request.setTimeout(options.timeoutMs, () => request.destroy(new Error("timeout")));
    request.on("error", (error: NodeJS.ErrnoException) => done({ error: error.code ?? error.message }));
    request.on("response", (response) => {
      response.resume();
      response.on("error", () => done({ error: "body broken off" }));
      response.on("end", () => {
        const version = response.headers[options.versionHeader];
        done({ status: response.statusCode ?? 0, ...(version === undefined ? {} : { version: String(version) }) });
      });
    });
    request.end();
  }

  const ticks = setInterval(() => {
    const now = performance.now();
    if (now - start >= options.durationMs) return stop();
    for (const due of pace.due(now)) send(due);
  }, TICK_MS);
  const seconds = setInterval(() => {
    options.onSecond(second.summary());
    second = createTally();
  }, 1000);

  /** No more requests; those under way are waited for. */
  function stop(): void {
    clearInterval(ticks);
    if (ending) return;
    ending = true;
    if (inFlight === 0) end();
  }

  function end(): void {
    clearInterval(seconds);
    agent.destroy();
    finished.resolve(total.summary());
  }

  return { finished: finished.promise, stop };
}
