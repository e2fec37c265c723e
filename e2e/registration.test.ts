// A process that Serin did not start registers with a WorkloadGroup through its proxy, and is called as an endpoint of its service.
import http from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { freePort } from "../src/kit/testing/free-port.ts";
import { startBackend } from "./mesh.ts";
import { eventually, type Fleet, PLANES, startFleet } from "./fleet.ts";

const stops: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

const mesh = (port: number): string => `
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {name: legacy, namespace: default}
spec:
  metadata: {labels: {app: legacy}}
  template: {ports: {http: ${port}}, serviceAccount: legacy}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: legacy, namespace: default}
spec:
  hosts: [legacy.example.com]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  workloadSelector: {labels: {app: legacy}}
`;

function statusThrough(proxyPort: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = http.get(
      { port: proxyPort, path: "http://legacy.example.com/", headers: { host: "legacy.example.com" }, agent: false },
      (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode));
      },
    );
    request.on("error", () => resolve(undefined));
  });
}

describe.each(PLANES)("on %s", (plane) => {
  it("a proxy registers its workload, and takes it with it when it goes", async () => {
    const backend = await startBackend("legacy");
    stops.push(() => backend.stop());
    const fleet: Fleet = await startFleet(mesh(backend.port));
    stops.push(() => fleet.stop());
    const proxyPort = await freePort();
    const own = { namespace: "default", serviceAccount: "default", metadata: { SERIN_SECRET_SERVER: "none", SERIN_BIND: "127.0.0.1" } };
    await fleet.startProxy("caller", plane, {
      ...own,
      type: "sidecar",
      name: "caller-1",
      labels: { app: "caller" },
      metadata: { ...own.metadata, INTERCEPTION_MODE: "NONE", SERIN_SHARED_HOST: "1", HTTP_PROXY_PORT: String(proxyPort) },
    });
    await eventually("nobody is behind the service", async () => (await statusThrough(proxyPort)) === 503);
    const registering = await fleet.startProxy("vm", plane, {
      ...own,
      type: "router",
      name: "vm-1",
      labels: { tier: "old" },
      metadata: { ...own.metadata, AUTO_REGISTER_GROUP: "legacy" },
    });
    await eventually("its workload answers", async () => (await statusThrough(proxyPort)) === 200);
    expect(backend.count()).toBeGreaterThan(0);
    registering.child.kill("SIGKILL");
    await eventually("it is gone after its grace", async () => (await statusThrough(proxyPort)) === 503);
  });
});
