// The default ingress gateway: a router proxy with Istio's labels, its Service, and its place among the pods. Service ports below 1024 are
// served on a port that needs no privilege.
import path from "node:path";
import type { MeshPaths, PodReport, PodState } from "../admin-api/index.ts";
import type { Clock, Rng } from "../kit/index.ts";
import type { PodPortStatus, PodStatus } from "../resources/index.ts";
import type { Launch } from "./launch.ts";
import type { Env } from "./pod-env.ts";
import type { PodHost } from "./pod-host.ts";
import { createPodName, templateHash } from "./pod-name.ts";
import { createProxyProcess, type DataPlane, type ProxyProcess } from "./proxy-process.ts";

const NAME = "istio-ingressgateway";
const NAMESPACE = "istio-system";
const LABELS = { istio: "ingressgateway", app: NAME };

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
export function gatewayService(ports: GatewayPorts): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: NAME, namespace: NAMESPACE, labels: LABELS },
    spec: {
      type: "LoadBalancer",
      selector: LABELS,
      ports: [
        { name: "http2", port: 80, targetPort: ports.http, protocol: "TCP" },
        { name: "https", port: 443, targetPort: ports.https, protocol: "TCP" },
      ],
    },
  });
}

export function createGateway(options: {
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
  const name = createPodName({ workload: NAME, hash: templateHash(LABELS), rng: options.rng });
  const startedAt = new Date(clock.wall()).toISOString();
  const ports: readonly PodPortStatus[] = [
    { name: "http2", containerPort: options.ports.http, appPort: options.ports.http, meshPort: options.ports.http },
    { name: "https", containerPort: options.ports.https, appPort: options.ports.https, meshPort: options.ports.https },
  ];
  const proxy = createProxyProcess({
    name: "gateway",
    bootstrap: {
      type: "router",
      pod: name,
      namespace: NAMESPACE,
      labels: LABELS,
      annotations: {},
      serviceAccount: `${NAME}-service-account`,
      workload: NAME,
      adminPort: options.adminPort,
      xdsPort: options.xdsPort,
      httpProxyPort: undefined,
    },
    settings: () => options.settings({ namespace: NAMESPACE, labels: LABELS, annotations: {} }),
    bootstrapFile: path.join(paths.run, "gateway.bootstrap.json"),
    log: path.join(paths.logs, "gateway.log"),
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
        labels: LABELS,
        annotations: {},
        serviceAccount: `${NAME}-service-account`,
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
      labels: LABELS,
      containers: [],
      sidecar: { ...proxy.state(), name: "istio-proxy", adminPort: proxy.adminPort },
      ports,
    }),
  };
}
