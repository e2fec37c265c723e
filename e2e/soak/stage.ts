// What the rows play on: a gateway of either data plane in front of backends, with the routes a row asks for.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import path from "node:path";
import { type Mesh, type Plane, startMesh } from "../mesh.ts";

export const HOST = "demo4.example.com";
const SERVICE = "demo4.test1.svc.cluster.local";

/** A backend in a process of its own, so that it can be stopped and killed. */
export interface BackendProcess {
  readonly port: number;
  readonly child: ChildProcess;
  kill(signal: NodeJS.Signals): void;
  stop(): void;
}

export async function startBackendProcess(name: string, kind = "echo", port = 0): Promise<BackendProcess> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "backend-process.ts"), name, kind, String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const listening = await new Promise<number>((resolve, reject) => {
    child.on("exit", () => reject(new Error(`backend ${name} ended`)));
    createInterface({ input: child.stdout }).once("line", (line) => resolve(Number(line)));
  });
  return { port: listening, child, kill: (signal) => void child.kill(signal), stop: () => void child.kill("SIGKILL") };
}

export interface Shape {
  readonly ports: readonly number[];
  /** Fields of the DestinationRule's trafficPolicy, in YAML's flow style. */
  readonly trafficPolicy?: string;
  /** Fields of the one HTTP rule beside its destination, in YAML's flow style. */
  readonly rule?: string;
  /** Sent back as `x-mark`, so that a row knows which config answers. */
  readonly mark?: string;
}

export function yamlOf(gatewayPort: number, shape: Shape): string {
  const endpoints = shape.ports.map((port) => `{address: 127.0.0.1, ports: {http: ${port}}}`).join(", ");
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: demo4, namespace: test1}
spec:
  hosts: [${SERVICE}]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [${endpoints}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: test1}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: ${gatewayPort}, name: http, protocol: HTTP}, hosts: [${HOST}]}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: demo4, namespace: test1}
spec:
  host: ${SERVICE}
  trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}${shape.trafficPolicy === undefined ? "" : `, ${shape.trafficPolicy}`}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: demo4, namespace: test1}
spec:
  hosts: [${HOST}]
  gateways: [edge]
  http:
  - {headers: {response: {set: {x-mark: "${shape.mark ?? "-"}"}}}, route: [{destination: {host: ${SERVICE}}}]${shape.rule === undefined ? "" : `, ${shape.rule}`}}
`;
}

export interface Stage {
  readonly mesh: Mesh;
  readonly pid: number;
  set(shape: Shape): void;
}

/** A gateway in front of these backends; `body` runs, and everything is stopped whatever comes of it. */
export async function onStage<T>(plane: Plane, shape: Shape, body: (stage: Stage) => Promise<T>): Promise<T> {
  const mesh = await startMesh({ plane, yaml: (port) => yamlOf(port, shape) });
  try {
    return await body({
      mesh,
      pid: mesh.proxy().pid ?? 0,
      set: (next) => mesh.write(yamlOf(mesh.gatewayPort, next)),
    });
  } finally {
    await mesh.stop();
  }
}

export async function withBackends<T>(count: number, kind: string, body: (backends: readonly BackendProcess[]) => Promise<T>): Promise<T> {
  const backends = await Promise.all(Array.from({ length: count }, (_, i) => startBackendProcess(`b${i + 1}`, kind)));
  try {
    return await body(backends);
  } finally {
    for (const backend of backends) backend.stop();
  }
}
