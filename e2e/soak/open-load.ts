// Open-loop load: requests begin at a constant rate whether earlier ones are answered or not, and a latency counts from when its request was due.
import http from "node:http";
import { quantiles } from "../../bench/measure.ts";

export interface OpenLoadResult {
  readonly requests: number;
  /** Answers by status, transport errors by code. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** By the x-backend header of 200 answers. */
  readonly byBackend: ReadonlyMap<string, number>;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface OpenLoadOptions {
  readonly port: number;
  readonly host: string;
  /** Requests a second. */
  readonly rate: number;
  readonly path?: string;
  readonly timeoutMs?: number;
  /** Connections at most. */
  readonly connections?: number;
}

export interface OpenLoad {
  /** Answers by status so far. */
  soFar(): ReadonlyMap<string, number>;
  /** Requests that are due and not answered. */
  waiting(): number;
  stop(): Promise<OpenLoadResult>;
}

const STEP_MS = 5;

export function startOpenLoad(options: OpenLoadOptions): OpenLoad {
  const agent = new http.Agent({ keepAlive: true, maxSockets: options.connections ?? 64 });
  const outcomes = new Map<string, number>();
  const byBackend = new Map<string, number>();
  const latencies: number[] = [];
  const under = new Set<Promise<void>>();
  const started = performance.now();
  let sent = 0;

  function send(due: number): void {
    const done = new Promise<void>((resolve) => {
      const finish = (key: string): void => {
        outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
        latencies.push(performance.now() - due);
        resolve();
      };
      const request = http.get({
        agent,
        host: "127.0.0.1",
        port: options.port,
        path: options.path ?? "/",
        headers: { host: options.host },
      });
      request.setTimeout(options.timeoutMs ?? 10_000, () => request.destroy(Object.assign(new Error("timeout"), { code: "TIMEOUT" })));
      request.on("response", (response) => {
        response.resume();
        const backend = String(response.headers["x-backend"]);
        if (response.statusCode === 200) byBackend.set(backend, (byBackend.get(backend) ?? 0) + 1);
        response.on("end", () => finish(String(response.statusCode)));
        response.on("error", () => finish("broken body"));
      });
      request.on("error", (error) => finish((error as { code?: string }).code ?? "error"));
    });
    under.add(done);
    void done.then(() => under.delete(done));
  }

  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - started) / 1000) * options.rate);
    while (sent < due) send(started + (sent++ / options.rate) * 1000);
  }, STEP_MS);

  return {
    soFar: () => new Map(outcomes),
    waiting: () => under.size,
    async stop() {
      clearInterval(timer);
      await Promise.all(under);
      agent.destroy();
      return { requests: sent, outcomes, byBackend, ...quantiles(latencies) };
    },
  };
}

export function share(result: OpenLoadResult): number {
  return (result.outcomes.get("200") ?? 0) / Math.max(1, result.requests);
}
