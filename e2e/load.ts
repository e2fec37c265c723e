// Load for tests: keep-alive clients that send one request after the other until stopped, and count what came back.
import http from "node:http";

export interface LoadResult {
  readonly requests: number;
  /** Answers by status, transport errors by code. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** By the x-backend (or x-serin-version) header of 200 answers. */
  readonly byBackend: ReadonlyMap<string, number>;
}

export interface Load {
  /** Answers by status so far. */
  soFar(): ReadonlyMap<string, number>;
  stop(): Promise<LoadResult>;
}

export interface LoadOptions {
  readonly port: number;
  readonly host: string;
  readonly connections?: number;
  /** Stop by itself after so many requests. */
  readonly requests?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  /** Pause between two requests of a connection, milliseconds. */
  readonly thinkMs?: number;
  readonly versionHeader?: string;
}

function bump(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

export function startLoad(options: LoadOptions): Load & { readonly finished: Promise<LoadResult> } {
  const width = options.connections ?? 8;
  const agent = new http.Agent({ keepAlive: true, maxSockets: width });
  const outcomes = new Map<string, number>();
  const byBackend = new Map<string, number>();
  const header = options.versionHeader ?? "x-backend";
  let stopping = false;
  let started = 0;
  const once = (): Promise<void> =>
    new Promise((resolve) => {
      const request = http.get({
        agent,
        host: "127.0.0.1",
        port: options.port,
        path: options.path ?? "/",
        headers: { host: options.host, ...options.headers },
      });
      request.setTimeout(10_000, () => request.destroy(Object.assign(new Error("timeout"), { code: "TIMEOUT" })));
      request.on("response", (response) => {
        response.resume();
        response.on("error", () => bump(outcomes, "broken body"));
        response.on("close", () => resolve());
        response.on("end", () => {
          bump(outcomes, String(response.statusCode));
          if (response.statusCode === 200) bump(byBackend, String(response.headers[header]));
        });
      });
      request.on("error", (error) => {
        bump(outcomes, (error as { code?: string }).code ?? "error");
        resolve();
      });
    });
  const client = async (): Promise<void> => {
    while (!stopping && (options.requests === undefined || started < options.requests)) {
      started++;
      await once();
      if (options.thinkMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.thinkMs));
    }
  };
  const finished = Promise.all(Array.from({ length: width }, client)).then(() => {
    agent.destroy();
    return { requests: started, outcomes, byBackend };
  });
  return {
    finished,
    soFar: () => new Map(outcomes),
    stop() {
      stopping = true;
      return finished;
    },
  };
}

/** Everything that is not a 200, as text; empty when nothing failed. */
export function failuresOf(result: Pick<LoadResult, "outcomes">): string {
  return [...result.outcomes]
    .filter(([outcome]) => outcome !== "200")
    .map(([outcome, n]) => `${outcome}: ${n}`)
    .join(", ");
}

/**
 * Half-width of the interval that holds a binomial share with false-alarm rate 1e-6 (normal approximation with continuity correction;
 * z = 4.89 is the two-sided quantile).
 */
export function binomialMargin(n: number, share: number): number {
  return 4.89 * Math.sqrt((share * (1 - share)) / n) + 0.5 / n;
}
