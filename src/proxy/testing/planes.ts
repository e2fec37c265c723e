// One bootstrap through this proxy and through real Envoy, to compare them.
import http from "node:http";
import { decodeBootstrap } from "../bootstrap/bootstrap.ts";
import { startProxy } from "../start-proxy.ts";
import { envoyIsMissing, startRealEnvoy } from "./real-envoy.ts";

export type BootstrapJson = Readonly<Record<string, unknown>>;

export interface Plane {
  readonly adminPort: number;
  port(listener: string): number;
  stop(): Promise<void>;
}

/** By name; without real Envoy where it is missing. */
export function planes(): readonly (readonly [name: string, start: (config: BootstrapJson) => Promise<Plane>])[] {
  return [["serin", startSerin], ...(envoyIsMissing() ? [] : [["envoy", startRealEnvoy] as const])];
}

async function startSerin(config: BootstrapJson): Promise<Plane> {
  const admin = { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } };
  const proxy = await startProxy({ bootstrap: decodeBootstrap({ ...config, admin }) });
  await eventually(() => proxy.state() === "LIVE");
  return {
    adminPort: proxy.adminPort ?? 0,
    port: (name) => proxy.plane.listeners().find((one) => one.name === name)?.port ?? 0,
    stop: async () => proxy.stop(),
  };
}

export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error("never happened");
    await new Promise((done) => void setTimeout(done, 10));
  }
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: http.IncomingHttpHeaders;
}

export function ask(port: number, options: http.RequestOptions = {}, body = ""): Promise<Answer> {
  return new Promise((done, fail) => {
    const request = http.request(
      { ...(options.socketPath === undefined ? { host: "127.0.0.1", port } : {}), agent: false, ...options },
      (response) => {
        let text = "";
        response.on("data", (part: Buffer) => (text += part.toString()));
        response.on("end", () => done({ status: response.statusCode ?? 0, body: text, headers: response.headers }));
      },
    );
    request.on("error", fail);
    request.end(body);
  });
}
