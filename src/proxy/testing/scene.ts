// A running data plane with upstreams on port 0, and raw callers, for tests over real sockets.
import http from "node:http";
import net from "node:net";
import { type Rng, seededRng, systemClock } from "../../kit/index.ts";
import { createRuntimeCell, type RuntimeConfig } from "../config/index.ts";
import { createDataPlane, type DataPlane } from "../data-plane.ts";
import { createStats, type Stats } from "../observe/stats.ts";

export interface Scene {
  readonly plane: DataPlane;
  readonly stats: Stats;
  readonly logs: string[];
  publish(config: RuntimeConfig): void;
  /** Port of the listener with that name. */
  port(name?: string): number;
  stop(): void;
}

export async function until(what: string, holds: () => boolean, ms = 5000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((done) => void setTimeout(done, 2));
  }
}

export async function startScene(config: RuntimeConfig, rng: Rng = seededRng(7)): Promise<Scene> {
  const runtime = createRuntimeCell();
  runtime.publish(config);
  const stats = createStats();
  const logs: string[] = [];
  const plane = createDataPlane({
    runtime,
    stats,
    accessLog: { write: (_, lines) => void logs.push(lines) },
    clock: systemClock,
    rng,
    localAddress: "10.0.0.9",
  });
  await until("listeners are open", () => plane.settled());
  return {
    plane,
    stats,
    logs,
    publish: (next) => runtime.publish(next),
    port: (name = "in") => plane.listeners().find((listener) => listener.name === name)?.port ?? 0,
    stop: () => plane.stop(),
  };
}

/** Value of the first counter whose name ends so; -1 = there is none. */
export function counter({ stats }: Scene, suffix: string): number {
  return [...stats.counters()].find(({ fullName }) => fullName.endsWith(suffix))?.metric.value ?? -1;
}

export interface Upstream {
  readonly port: number;
  readonly server: net.Server;
  readonly sockets: Set<net.Socket>;
  stop(): void;
}

export function startHttp(app: http.RequestListener, onUpgrade?: (socket: net.Socket, head: Buffer) => void): Promise<Upstream> {
  const server = http.createServer(app);
  server.keepAliveTimeout = 60_000;
  if (onUpgrade !== undefined) server.on("upgrade", (_, socket, head) => onUpgrade(socket as net.Socket, head));
  return listen(server);
}

export function startTcp(onSocket: (socket: net.Socket) => void): Promise<Upstream> {
  return listen(net.createServer({ allowHalfOpen: true }, onSocket));
}

function listen(server: net.Server): Promise<Upstream> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => {
      done({
        port: (server.address() as net.AddressInfo).port,
        server,
        sockets,
        stop() {
          server.close();
          for (const socket of sockets) socket.destroy();
        },
      });
    });
  });
}

/** Sends bytes (in parts, each after the one before has left), reads until the end, `enough`, or the deadline. */
export function raw(
  port: number,
  parts: string | readonly string[],
  options: { enough?: (got: string) => boolean; ms?: number } = {},
): Promise<string> {
  return new Promise((done, fail) => {
    const socket = net.connect(port, "127.0.0.1");
    let got = "";
    const timer = setTimeout(() => {
      socket.destroy();
      if (options.enough === undefined) done(got);
      else fail(new Error(`not enough: ${JSON.stringify(got.slice(0, 500))}`));
    }, options.ms ?? 4000);
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      done(got);
    };
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("close", finish);
    socket.on("data", (chunk) => {
      got += chunk.toString("latin1");
      if (options.enough?.(got) === true) finish();
    });
    void (async () => {
      for (const part of typeof parts === "string" ? [parts] : parts) {
        await new Promise<void>((sent) => void socket.write(part, "latin1", () => setImmediate(sent)));
      }
    })();
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export function call(
  port: number,
  path: string,
  options: { method?: string; headers?: http.OutgoingHttpHeaders; body?: Buffer | string; agent?: http.Agent } = {},
): Promise<Answer> {
  return new Promise((done, fail) => {
    const request = http.request(
      {
        host: "127.0.0.1",
        port,
        path,
        agent: options.agent,
        method: options.method ?? "GET",
        headers: { host: "demo", ...options.headers },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", fail);
        response.on("end", () => done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }));
      },
    );
    request.on("error", fail);
    request.end(options.body);
  });
}
