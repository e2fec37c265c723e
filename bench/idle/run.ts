// Memory of an idle sidecar (ours and real Envoy on the same config) and of 10,000 idle HTTP/1.1 connections to it.
import net from "node:net";
import { once } from "node:events";
import { PLANES, startMesh, sleep } from "../../e2e/mesh.ts";
import { privateBytes, residentBytes } from "../process-usage.ts";

const HOST = "idle.example.com";
const MIB = 1024 * 1024;

function yaml(gatewayPort: number): string {
  return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: ${gatewayPort}, name: http, protocol: HTTP}, hosts: ["${HOST}"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: idle, namespace: default}
spec:
  hosts: [${HOST}]
  gateways: [edge]
  http: [{directResponse: {status: 200, body: {string: ok}}}]
`;
}

async function openIdle(port: number, count: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  for (let i = 0; i < count; i += 200) {
    const batch = Array.from({ length: Math.min(200, count - i) }, () => net.connect(port, "127.0.0.1"));
    await Promise.all(batch.map((s) => once(s, "connect")));
    // One request each, so that the connection is a kept-alive one and not merely accepted.
    await Promise.all(
      batch.map((s) => {
        s.write(`GET / HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`);
        return once(s, "data");
      }),
    );
    sockets.push(...batch);
  }
  return sockets;
}

export async function run(args: readonly string[]): Promise<void> {
  const count = Number(args[0] ?? 10_000);
  for (const plane of PLANES) {
    const mesh = await startMesh({ plane, yaml });
    const pid = mesh.proxy().pid ?? 0;
    // Memory of the start goes back once nobody is connected: the caller that looked whether it is ready hangs up after some seconds.
    await sleep(12_000);
    const idle = residentBytes(pid);
    console.log(`${plane}: idle ${(idle / MIB).toFixed(1)} MiB resident, ${(privateBytes(pid) / MIB).toFixed(1)} MiB private`);
    const sockets = await openIdle(mesh.gatewayPort, count);
    await sleep(2000);
    const loaded = residentBytes(pid);
    console.log(
      `${plane}: ${count} idle connections ${(loaded / MIB).toFixed(1)} MiB, ${((loaded - idle) / count / 1024).toFixed(1)} KiB each`,
    );
    for (const socket of sockets) socket.destroy();
    await mesh.stop();
  }
}
