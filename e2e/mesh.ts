// A small real mesh for tests: control plane and one gateway proxy (ours or real Envoy) as processes, backends in the test's own process.
import type { ChildProcess } from "node:child_process";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { HOST } from "./edge-yaml.ts";
import { eventually, fetchText, type Plane, type ProxyOptions, startFleet } from "./fleet.ts";
import { freePort } from "../src/kit/testing/free-port.ts";

export { eventually, fetchText, type Plane, PLANES, sleep } from "./fleet.ts";

export interface Backend {
  readonly port: number;
  /** Requests served so far. */
  count(): number;
  stop(): void;
}

export async function startBackend(name: string): Promise<Backend> {
  let served = 0;
  const server = http.createServer((request, response) => {
    served++;
    request.resume();
    response.setHeader("x-backend", name);
    response.end(name);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    count: () => served,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export interface Mesh {
  readonly gatewayPort: number;
  readonly adminPort: number;
  readonly proxyAdminPort: number;
  /** Replaces the config file in one step. */
  write(yaml: string): void;
  /** What the proxy says at a path of its admin endpoint. */
  proxyAdmin(url: string): Promise<string>;
  restartControlPlane(signal: NodeJS.Signals): Promise<void>;
  proxy(): ChildProcess;
  log(name: string): string;
  stop(): Promise<void>;
}

/** The proxy of Istio's gateway Deployment. */
export const GATEWAY = { type: "router", namespace: "istio-system", name: "gateway-1", labels: { istio: "ingressgateway" } } as const;

/** The mark that the config in force sends back (see edgeYaml); undefined while there is none. */
export function markOf({ gatewayPort }: Mesh, path = "/"): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = http.get({ host: "127.0.0.1", port: gatewayPort, path, headers: { host: HOST }, agent: false });
    request.on("response", (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? String(response.headers["x-mark"]) : undefined);
    });
    request.on("error", () => resolve(undefined));
  });
}

export function live(mesh: Mesh, mark: string, path = "/"): Promise<boolean> {
  return eventually(`config ${mark} is in force`, async () => (await markOf(mesh, path)) === mark);
}

export interface MeshOptions extends ProxyOptions {
  readonly yaml: (gatewayPort: number) => string;
  readonly plane: Plane;
}

export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const gatewayPort = await freePort();
  const fleet = await startFleet(options.yaml(gatewayPort));
  try {
    const proxy = await fleet.startProxy("proxy", options.plane, GATEWAY, options);
    await eventually("gateway listens", async () => (await fetchText(`http://127.0.0.1:${gatewayPort}/`)).status > 0);
    const { adminPort, write, log, stop, restartControlPlane } = fleet;
    return {
      ...{ gatewayPort, adminPort, write, log, stop, restartControlPlane },
      proxyAdminPort: proxy.adminPort,
      proxyAdmin: (url) => proxy.admin(url),
      proxy: () => proxy.child,
    };
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}
