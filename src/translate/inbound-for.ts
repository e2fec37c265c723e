// How a sidecar's own workload is reached: its ports and the Services that lead there; Sidecar.ingress replaces them all
// (Istio networking/core/listener_inbound.go). A pod that src/runtime reports is found by its name, any other workload by its address.
import type {
  ConnectionPool,
  Endpoint,
  EndpointIndex,
  InboundPortView,
  InboundView,
  MeshSettings,
  MeshSnapshot,
  MtlsMode,
  PeersView,
  Protocol,
  ProxyIdentity,
  Service,
  ServicePort,
  Sidecar,
  WorkloadMtls,
} from "../model/index.ts";
import { serviceKey } from "../model/index.ts";
import type { PodPortStatus, ServiceSpec } from "../resources/index.ts";
import { type Internals, internalsOf } from "./build-mesh.ts";
import { protocolByName } from "./protocol.ts";
import { servicesSelecting } from "./services/endpoint-index.ts";
import { sidecarOf } from "./sidecars/to-sidecar.ts";
import { type WorkloadInput, workloadNameOfPod } from "./workload.ts";

const NONE: InboundView = Object.freeze({ ports: [], undeclared: [] });
const PLAIN: WorkloadMtls = Object.freeze({ mode: "DISABLE", ports: new Map() });

export function inboundFor(snapshot: MeshSnapshot, proxy: ProxyIdentity): InboundView {
  const inner = internalsOf(snapshot);
  if (proxy.type !== "sidecar") return routerSide(snapshot, inner, proxy);
  const { sidecars, settings } = snapshot.config;
  const pod = podOf(inner, proxy);
  const byAddress = pod === undefined ? snapshot.endpoints : undefined;
  const needs = [proxy, pod, byAddress, inner.registry, inner.rules, inner.mtls, sidecars, settings];
  return inner.lineage.value(`inbound ${proxy.id}`, needs, () => {
    const sidecar = sidecarOf(sidecars, proxy.scope, settings.rootNamespace);
    const targets = pod === undefined ? targetsByAddress(snapshot, inner, proxy) : targetsOfPod(inner, pod);
    const pool = (target: Target | undefined) => poolOf(target, { inner, sidecar, namespace: proxy.namespace });
    const mtls = proxy.scope.secretServer ? inner.mtls.forWorkload(proxy.namespace, proxy.scope.labels) : PLAIN;
    const of = { proxy, pod, targets, pool, mtls, settings };
    const ports = sidecar !== undefined && sidecar.ingress.length > 0 ? ingressViews(sidecar, of) : portViews(of);
    const declared = new Set(ports.map((port) => port.listenPort));
    const own = [...mtls.ports].filter(([port]) => !declared.has(port)).map(([port, mode]) => ({ port, mtls: mode }));
    const view: InboundView = { ports, undeclared: [{ port: 0, mtls: mtls.mode }, ...own], ...peersOf(proxy, pod, targets) };
    // Compared by content: equal ports are the same object, so that nothing is generated anew.
    return inner.lineage.value(`inbound ports ${proxy.id}`, [JSON.stringify(view)], () => Object.freeze(view));
  });
}

function routerSide(snapshot: MeshSnapshot, inner: Internals, proxy: ProxyIdentity): InboundView {
  if (!knowsItself(proxy)) return NONE;
  const pod = podOf(inner, proxy);
  const targets = pod === undefined ? targetsByAddress(snapshot, inner, proxy) : targetsOfPod(inner, pod);
  const view: InboundView = { ...NONE, ...peersOf(proxy, pod, targets) };
  return inner.lineage.value(`inbound ports ${proxy.id}`, [JSON.stringify(view)], () => Object.freeze(view));
}

function knowsItself({ metadata }: ProxyIdentity): boolean {
  return metadata["ENABLE_SELF_DISCOVERY"] === "true";
}

const ALIKE_LABELS = ["pod-template-hash", "rollouts-pod-template-hash"];

/** Istio takes the first of the proxy's services. */
function peersOf(proxy: ProxyIdentity, pod: WorkloadInput | undefined, targets: readonly Target[]): Pick<InboundView, "peers"> {
  if (!knowsItself(proxy)) return {};
  const [first] = targets;
  const { labels, locality } = proxy.scope;
  const peers: PeersView = {
    service: first === undefined ? "" : serviceKey(first.service),
    port: first?.servicePort.number ?? 0,
    workloadName: pod === undefined ? (proxy.metadata["WORKLOAD_NAME"] ?? "") : workloadNameOfPod(pod),
    region: locality.region,
    labels: Object.fromEntries(ALIKE_LABELS.map((name) => [name, labels[name] ?? ""])),
  };
  return { peers };
}

const podsByName = new WeakMap<readonly WorkloadInput[], ReadonlyMap<string, WorkloadInput>>();

function podOf(inner: Internals, proxy: ProxyIdentity): WorkloadInput | undefined {
  let pods = podsByName.get(inner.workloads);
  if (pods === undefined)
    podsByName.set(inner.workloads, (pods = new Map(inner.workloads.map((pod) => [`${pod.namespace}/${pod.name}`, pod]))));
  return pods.get(`${proxy.namespace}/${proxy.name}`);
}

/** A workload port and the service port that leads to it, oldest service first. */
interface Target {
  readonly port: number;
  readonly service: Service;
  readonly servicePort: ServicePort;
}

function targetsOfPod(inner: Internals, pod: WorkloadInput): readonly Target[] {
  const targets: Target[] = [];
  for (const service of servicesSelecting(inner.registry, pod.namespace, pod.labels)) {
    const written = inner.registry.sources.get(serviceKey(service))?.resources.find((resource) => resource.kind === "Service");
    const specs = (written?.spec as ServiceSpec | undefined)?.ports ?? [];
    for (const servicePort of service.ports) {
      const target = specs.find((spec) => spec.port === servicePort.number)?.targetPort ?? servicePort.targetPort ?? servicePort.number;
      const port = typeof target === "number" ? target : pod.status.ports.find((one) => one.name === target)?.containerPort;
      if (port !== undefined) targets.push({ port, service, servicePort });
    }
  }
  return targets;
}

const byAddress = new WeakMap<EndpointIndex, ReadonlyMap<string, readonly { key: string; port: number; endpoint: Endpoint }[]>>();

function addressesOf(index: EndpointIndex): ReadonlyMap<string, readonly { key: string; port: number; endpoint: Endpoint }[]> {
  let addresses = byAddress.get(index);
  if (addresses !== undefined) return addresses;
  const made = new Map<string, { key: string; port: number; endpoint: Endpoint }[]>();
  for (const [key, endpoints] of index) {
    for (const [port, list] of endpoints.byPort) {
      for (const endpoint of list) {
        const found = made.get(endpoint.address);
        if (found === undefined) made.set(endpoint.address, [{ key, port, endpoint }]);
        else found.push({ key, port, endpoint });
      }
    }
  }
  byAddress.set(index, (addresses = made));
  return addresses;
}

/** Local pods all have one address, so a proxy of ours is never found by it. */
function targetsByAddress(snapshot: MeshSnapshot, inner: Internals, proxy: ProxyIdentity): readonly Target[] {
  if (proxy.scope.sharesHost) return [];
  const addresses = addressesOf(snapshot.endpoints);
  const targets: Target[] = [];
  for (const address of proxy.ipAddresses) {
    for (const { key, port, endpoint } of addresses.get(address) ?? []) {
      const service = inner.registry.sources.get(key)?.service;
      const servicePort = service?.ports.find((one) => one.number === port);
      if (service === undefined || servicePort === undefined || service.namespace !== proxy.namespace) continue;
      targets.push({ port: endpoint.port, service, servicePort });
    }
  }
  return targets;
}

/** Selectors of DestinationRules choose callers, so none of theirs counts here. */
function poolOf(target: Target | undefined, of: PoolSource): ConnectionPool | undefined {
  const { inner, sidecar, namespace } = of;
  if (sidecar?.inboundConnectionPool !== undefined) return sidecar.inboundConnectionPool;
  if (target === undefined) return undefined;
  const rule = inner.rules.ruleFor({ namespace, labels: {} }, target.service);
  return rule?.policyFor(target.servicePort.number, "").connectionPool;
}

interface PoolSource {
  readonly inner: Internals;
  readonly sidecar: Sidecar | undefined;
  readonly namespace: string;
}

function serviceOf(target: Target | undefined): InboundPortView["service"] {
  return target === undefined ? undefined : toInboundService(target.service, target.servicePort);
}

function toInboundService(
  { hostname, name, namespace, registry }: Service,
  port: { readonly number: number; readonly name: string },
): InboundPortView["service"] {
  return { hostname, name, namespace, registry, port: port.number, portName: port.name };
}

interface Workload {
  readonly proxy: ProxyIdentity;
  readonly pod: WorkloadInput | undefined;
  readonly targets: readonly Target[];
  readonly pool: (target: Target | undefined) => ConnectionPool | undefined;
  readonly mtls: WorkloadMtls;
  readonly settings: MeshSettings;
}

function modeOf({ mtls }: Workload, port: number): MtlsMode {
  return mtls.ports.get(port) ?? mtls.mode;
}

function portViews(of: Workload): readonly InboundPortView[] {
  const { proxy, pod, targets, pool } = of;
  const first = new Map<number, Target>();
  for (const target of targets) if (!first.has(target.port)) first.set(target.port, target);
  const bound = proxy.scope.interceptionMode === "NONE";
  if (pod === undefined) {
    // Without capture, a listener at the application's own port would take it from the application.
    if (bound) return [];
    return [...first].map(([port, target]) => ({
      listenPort: port,
      bind: "",
      bound,
      mtls: modeOf(of, port),
      tls: undefined,
      protocol: target.servicePort.protocol,
      target: undefined,
      pool: pool(target),
      service: serviceOf(target),
    }));
  }
  return pod.status.ports.map((port): InboundPortView => {
    const target = first.get(port.containerPort);
    return {
      ...place(proxy, pod, port),
      bound,
      mtls: modeOf(of, port.containerPort),
      tls: undefined,
      protocol: target?.servicePort.protocol ?? protocolByName(port.name ?? ""),
      pool: pool(target),
      service: serviceOf(target),
    };
  });
}

/** Captured traffic arrives at the container's port; without capture the sidecar has a port of its own and passes on to the application's. */
function place(proxy: ProxyIdentity, pod: WorkloadInput, port: PodPortStatus): Pick<InboundPortView, "listenPort" | "bind" | "target"> {
  if (proxy.scope.interceptionMode !== "NONE" && port.meshPort === port.appPort) {
    return { listenPort: port.containerPort, bind: "", target: undefined };
  }
  return { listenPort: port.meshPort, bind: "", target: { address: pod.status.podIP, port: port.appPort } };
}

/** The address that others reach the proxy at; loopback and the like are none. */
function globalAddress(addresses: readonly string[]): string {
  return addresses.find((address) => !/^(127\.|0\.|169\.254\.|22[4-9]\.|23\d\.|255\.255\.255\.255$|::1?$|fe80:|ff)/i.test(address)) ?? "";
}

const ENDPOINT = /^(?:\[(?<six>[^\]]+)\]|(?<four>[^:]+)):(?<port>\d+)$/;

/** 0.0.0.0 and [::] mean the workload's own address. */
function parseEndpoint(written: string, ownAddress: string): InboundPortView["target"] {
  if (written.startsWith("unix://")) return { address: written, port: 0 };
  const groups = ENDPOINT.exec(written)?.groups;
  if (groups === undefined) return undefined;
  const address = groups["six"] ?? groups["four"] ?? "";
  return { address: address === "0.0.0.0" || address === "::" ? ownAddress : address, port: Number(groups["port"]) };
}

/** What is left once the Sidecar's own TLS has ended. */
const INSIDE_TLS: Readonly<Partial<Record<Protocol, Protocol>>> = { HTTPS: "HTTP", TLS: "TCP" };

function ingressViews(sidecar: Sidecar, of: Workload): readonly InboundPortView[] {
  const { proxy, pod, targets, pool, settings } = of;
  const local = (containerPort: number): PodPortStatus | undefined =>
    pod?.status.ports.find((port) => port.containerPort === containerPort);
  return sidecar.ingress.map((listener): InboundPortView => {
    const own = local(listener.port.number);
    const captured = proxy.scope.interceptionMode !== "NONE";
    const bound = listener.captureMode === "DEFAULT" ? !captured : listener.captureMode === "NONE";
    const written = parseEndpoint(listener.defaultEndpoint, proxy.ipAddresses[0] ?? "127.0.0.1");
    const behind = written === undefined ? own : local(written.port);
    const leading = targets.find((target) => target.port === listener.port.number) ?? targets[0];
    const mtls = modeOf(of, listener.port.number);
    const tls = settings.tlsOnSidecarIngress ? listener.tls : undefined;
    return {
      listenPort: captured || own === undefined ? listener.port.number : own.meshPort,
      bind: listener.bind === "" && bound ? globalAddress(proxy.ipAddresses) : listener.bind,
      bound,
      mtls,
      tls: mtls === "DISABLE" ? tls : undefined,
      protocol: (tls === undefined ? undefined : INSIDE_TLS[listener.port.protocol]) ?? listener.port.protocol,
      target: behind !== undefined && pod !== undefined && !captured ? { address: pod.status.podIP, port: behind.appPort } : written,
      pool: listener.connectionPool ?? pool(leading),
      service: leading === undefined ? undefined : toInboundService(leading.service, listener.port),
    };
  });
}
