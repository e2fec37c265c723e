// Two sidecars without traffic capture, as `serin up` starts them: the caller's listens on a port for each service, the servers' on one for each server.
import { freePort } from "../../src/kit/testing/free-port.ts";
import { type Fleet, type FleetProxy, type Plane, startFleet } from "../fleet.ts";

export interface Served {
  readonly name: string;
  /** Where the server listens. */
  readonly port: number;
}

export interface Reached extends Served {
  /** Where the caller's sidecar listens for it. */
  readonly address: string;
  readonly authority: string;
}

export interface Sidecars {
  readonly services: readonly Reached[];
  /** Requests that each sidecar has sent on, caller's first. */
  counts(): Promise<readonly number[]>;
  stop(): Promise<void>;
}

const NAMESPACE = "test1";
const host = (name: string): string => `${name}.${NAMESPACE}.svc.cluster.local`;

function yamlOf(services: readonly (Served & { readonly outbound: number; readonly inbound: number })[]): string {
  const entries = services.map(
    ({ name, outbound, inbound }) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: ${NAMESPACE}}
spec:
  hosts: [${host(name)}]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: ${outbound}, name: grpc, protocol: GRPC}]
  endpoints: [{address: 127.0.0.1, ports: {grpc: ${inbound}}}]
---`,
  );
  const egress = services.map(
    ({ name, outbound }) => `
  - {port: {number: ${outbound}, name: grpc-${name}, protocol: GRPC}, bind: 127.0.0.1, captureMode: NONE, hosts: [./${host(name)}]}`,
  );
  const ingress = services.map(
    ({ name, inbound, port }) => `
  - {port: {number: ${inbound}, name: grpc-${name}, protocol: GRPC}, bind: 127.0.0.1, captureMode: NONE, defaultEndpoint: 127.0.0.1:${port}}`,
  );
  return `${entries.join("")}
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: caller, namespace: ${NAMESPACE}}
spec:
  workloadSelector: {labels: {app: caller}}
  egress:${egress.join("")}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: server, namespace: ${NAMESPACE}}
spec:
  workloadSelector: {labels: {app: server}}
  ingress:${ingress.join("")}
  egress: [{hosts: [./*]}]
`;
}

function startSidecar(fleet: Fleet, name: string, plane: Plane): Promise<FleetProxy> {
  const metadata = { INTERCEPTION_MODE: "NONE", SERIN_BIND: "127.0.0.1", SERIN_SHARED_HOST: "1", SERIN_SECRET_SERVER: "none" };
  return fleet.startProxy(name, plane, { type: "sidecar", namespace: NAMESPACE, name: `${name}-1`, labels: { app: name }, metadata });
}

async function requests(proxy: FleetProxy): Promise<number> {
  const stats = await proxy.admin("/stats?filter=upstream_rq_total");
  const counts = [...stats.matchAll(/^cluster\.(?:in|out)bound\S*\.upstream_rq_total: (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

export async function startSidecars(plane: Plane, served: readonly Served[]): Promise<Sidecars> {
  const services: (Served & { readonly outbound: number; readonly inbound: number })[] = [];
  for (const one of served) services.push({ ...one, outbound: await freePort(), inbound: await freePort() });
  const fleet = await startFleet(yamlOf(services));
  try {
    const proxies = await Promise.all(["caller", "server"].map((name) => startSidecar(fleet, name, plane)));
    return {
      services: services.map(({ name, port, outbound }) => ({
        name,
        port,
        address: `127.0.0.1:${outbound}`,
        authority: `${host(name)}:${outbound}`,
      })),
      counts: () => Promise.all(proxies.map(requests)),
      stop: () => fleet.stop(),
    };
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}
