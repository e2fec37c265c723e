// Istio's default gateways: a router proxy with Istio's labels, its Service, and its place among the pods. Service ports below 1024 are served
// on a port that needs no privilege. The egress gateway is there when a Gateway asks for it.
import path from "node:path";
import type { MeshPaths, PodReport, PodState } from "../admin-api/index.ts";
import type { Clock, Rng } from "../kit/index.ts";
import type { PodPortStatus, PodStatus } from "../resources/index.ts";
import type { Launch } from "./launch.ts";
import type { Env } from "./pod-env.ts";
import type { PodHost } from "./pod-host.ts";
import { createPodName, templateHash } from "./pod-name.ts";
import type { ResourceCache } from "./resource-cache.ts";
import { createProxyProcess, type DataPlane, type ProxyProcess } from "./proxy-process.ts";

const NAMESPACE = "istio-system";

export interface GatewayRole {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceType: "LoadBalancer" | "ClusterIP";
  /** Of its files and its process. */
  readonly file: string;
}

export const INGRESS: GatewayRole = {
  name: "istio-ingressgateway",
  labels: { istio: "ingressgateway", app: "istio-ingressgateway" },
  serviceType: "LoadBalancer",
  file: "gateway",
};

export const EGRESS: GatewayRole = {
  name: "istio-egressgateway",
  labels: { istio: "egressgateway", app: "istio-egressgateway" },
  serviceType: "ClusterIP",
  file: "egress-gateway",
};

/** A Service with it is of this runtime's own gateway, not one that somebody wrote. */
const OWN = "serin.dev/default-gateway";

/** Some Gateway chooses the egress gateway, and nobody has written one. */
export function wantsEgress(cache: Pick<ResourceCache, "list" | "find">): boolean {
  const service = cache.find("Service", NAMESPACE, EGRESS.name);
  if (service !== undefined && service.metadata.annotations?.[OWN] !== "true") return false;
  return cache.list("Gateway").some(({ spec }) => {
    const selector = Object.entries((spec as { readonly selector?: Readonly<Record<string, string>> } | undefined)?.selector ?? {});
    return selector.length > 0 && selector.every(([name, value]) => EGRESS.labels[name] === value);
  });
}

export interface GatewayPorts {
  readonly http: number;
  readonly https: number;
}

export interface Gateway {
  readonly proxy: ProxyProcess;
  report(): PodReport;
  state(): PodState;
}

/** The Service as the control plane gets it: port 80 leads to the port that the gateway really has, as a Gateway's port 80 then does. */
export function gatewayService({ name, labels, serviceType }: GatewayRole, ports: GatewayPorts): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: NAMESPACE, labels, annotations: { [OWN]: "true" } },
    spec: {
      type: serviceType,
      selector: labels,
      ports: [
        { name: "http2", port: 80, targetPort: ports.http, protocol: "TCP" },
        { name: "https", port: 443, targetPort: ports.https, protocol: "TCP" },
      ],
    },
  });
}

export function createGateway(options: {
  readonly role: GatewayRole;
  readonly ports: GatewayPorts;
  readonly adminPort: number;
  readonly xdsPort: number;
  readonly plane: DataPlane;
  readonly env: Env;
  readonly paths: MeshPaths;
  readonly launch: Launch;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly settings: PodHost["proxySettings"];
  readonly onChange: () => void;
  readonly onEvent: (text: string) => void;
}): Gateway {
  const { paths, clock } = options;
  const { name: workload, labels, file } = options.role;
  const serviceAccount = `${workload}-service-account`;
  const name = createPodName({ workload, hash: templateHash(labels), rng: options.rng });
  const startedAt = new Date(clock.wall()).toISOString();
  const ports: readonly PodPortStatus[] = [
    { name: "http2", containerPort: options.ports.http, appPort: options.ports.http, meshPort: options.ports.http },
    { name: "https", containerPort: options.ports.https, appPort: options.ports.https, meshPort: options.ports.https },
  ];
  const proxy = createProxyProcess({
    name: file,
    bootstrap: {
      type: "router",
      pod: name,
      namespace: NAMESPACE,
      labels,
      annotations: {},
      serviceAccount,
      workload,
      adminPort: options.adminPort,
      xdsPort: options.xdsPort,
      httpProxyPort: undefined,
    },
    settings: () => options.settings({ namespace: NAMESPACE, labels, annotations: {} }),
    bootstrapFile: path.join(paths.run, `${file}.bootstrap.json`),
    log: path.join(paths.logs, `${file}.log`),
    plane: options.plane,
    env: options.env,
    cwd: paths.run,
    launch: options.launch,
    clock,
    onChange: options.onChange,
    onEvent: options.onEvent,
  });
  return {
    proxy,
    report() {
      const status: PodStatus = {
        phase: "Running",
        podIP: "127.0.0.1",
        ready: proxy.ready(),
        sidecar: false,
        ports,
        restarts: proxy.state().restarts,
      };
      return {
        name,
        namespace: NAMESPACE,
        labels,
        annotations: {},
        serviceAccount,
        owner: undefined,
        status,
      };
    },
    state: () => ({
      name,
      namespace: NAMESPACE,
      phase: "Running",
      ready: proxy.ready(),
      stopping: false,
      startedAt,
      labels,
      containers: [],
      sidecar: { ...proxy.state(), name: "istio-proxy", adminPort: proxy.adminPort },
      ports,
    }),
  };
}
