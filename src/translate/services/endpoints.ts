// Endpoints of one service: its pods and workload entries by label, and what ServiceEntries write down (Istio endpointslice and serviceentry conversion).
import { isIP } from "node:net";
import { memoByIdentity2 } from "../../kit/index.ts";
import type { Endpoint, Service, ServiceEndpoints } from "../../model/index.ts";
import { isWildcardHost, withTopologyLabels } from "../../model/index.ts";
import type { Resource, ServiceEntrySpec, ServicePortSpec, ServiceSpec, WorkloadEntrySpec } from "../../resources/index.ts";
import { isHealthyEntry, type WorkloadInput, workloadNameOfEntry, workloadNameOfPod } from "../workload.ts";
import { toLocality } from "./locality.ts";

/** A workload that a selector can choose: a pod, or a WorkloadEntry with its labels. */
export type Selectable =
  | { readonly kind: "pod"; readonly labels: Readonly<Record<string, string>>; readonly pod: WorkloadInput }
  | { readonly kind: "entry"; readonly labels: Readonly<Record<string, string>>; readonly resource: Resource<WorkloadEntrySpec> };

type InlineEndpoint = NonNullable<ServiceEntrySpec["endpoints"]>[number];
type EntryPort = NonNullable<ServiceEntrySpec["ports"]>[number];

/** Where a pod serves a container port: the sidecar's port in front of it. A port that no container declares is taken as it is. */
function meshPort(pod: WorkloadInput, target: number | string): number | undefined {
  const found = pod.status.ports.find((port) => (typeof target === "number" ? port.containerPort === target : port.name === target));
  return found?.meshPort ?? (typeof target === "number" && pod.status.ports.length === 0 ? target : undefined);
}

function podEndpoint(pod: WorkloadInput, port: number): Endpoint {
  const locality = toLocality(undefined, pod.labels);
  return Object.freeze({
    address: pod.status.podIP,
    port,
    labels: withTopologyLabels(pod.labels, { locality, network: "" }),
    weight: 1,
    locality,
    ready: pod.status.ready,
    network: "",
    serviceAccount: pod.serviceAccount,
    workload: `${pod.namespace}/${pod.name}`,
    workloadName: workloadNameOfPod(pod),
    mtls: false,
  });
}

function writtenEndpoint(
  written: InlineEndpoint,
  port: number,
  details: { labels: Readonly<Record<string, string>>; workload: string; workloadName?: string; ready?: boolean },
): Endpoint {
  const locality = toLocality(written.locality, details.labels);
  const labels = withTopologyLabels(details.labels, { locality, network: written.network ?? "" });
  const unix = written.address?.startsWith("unix://") === true;
  return Object.freeze({
    address: written.address ?? "",
    port: unix ? 0 : port,
    labels,
    weight: written.weight === undefined || written.weight === 0 ? 1 : written.weight,
    locality,
    ready: details.ready ?? true,
    network: written.network ?? "",
    serviceAccount: written.serviceAccount ?? "",
    workload: details.workload,
    workloadName: details.workloadName ?? "",
    mtls: false,
  });
}

/** WorkloadEntry labels of the resource and of the spec count; the spec's win. */
export const labelsOfEntry: (resource: Resource<WorkloadEntrySpec>) => Readonly<Record<string, string>> = (resource) => ({
  ...resource.metadata.labels,
  ...resource.spec.labels,
});

function ofEntryResource({ labels, resource }: Extract<Selectable, { kind: "entry" }>): {
  labels: Readonly<Record<string, string>>;
  workload: string;
  workloadName: string;
  ready: boolean;
} {
  const { namespace, name } = resource.metadata;
  return {
    labels,
    workload: `${namespace}/${name}`,
    workloadName: workloadNameOfEntry(resource.metadata),
    ready: isHealthyEntry(resource),
  };
}

function ofKubernetes(spec: ServiceSpec, port: ServicePortSpec, chosen: readonly Selectable[], service: Service): Endpoint[] {
  // Near endpoints are preferred while they are healthy, so callers must know of the sick ones.
  const anyState = service.publishNotReadyAddresses || service.trafficDistribution !== undefined;
  const target = port.targetPort ?? port.port;
  if (service.resolution === "ALIAS") return [];
  const found: Endpoint[] = [];
  for (const item of chosen) {
    if (item.kind === "pod") {
      if (!anyState && !item.pod.status.ready) continue;
      const number = meshPort(item.pod, target);
      if (number !== undefined) found.push(podEndpoint(item.pod, number));
      continue;
    }
    const { spec: entry } = item.resource;
    if (!anyState && !isHealthyEntry(item.resource)) continue;
    const number = entry.ports?.[port.name ?? ""] ?? (typeof target === "number" ? target : entry.ports?.[target]);
    if (number === undefined) continue;
    found.push(writtenEndpoint(entry, number, ofEntryResource(item)));
  }
  return found;
}

function ofEntry(resource: Resource<ServiceEntrySpec>, service: Service, port: EntryPort, chosen: readonly Selectable[]): Endpoint[] {
  const { hostname, trafficDistribution } = service;
  const { spec, metadata } = resource;
  const target = port.targetPort || port.number;
  const workload = `${metadata.namespace}/${metadata.name}`;
  const found: Endpoint[] = [];
  for (const item of chosen) {
    if (item.kind === "pod") {
      const number = item.pod.status.ready || trafficDistribution !== undefined ? meshPort(item.pod, target) : undefined;
      if (number !== undefined) found.push(podEndpoint(item.pod, number));
    } else {
      const { spec: entry } = item.resource;
      if (trafficDistribution === undefined && !isHealthyEntry(item.resource)) continue;
      const number = entry.ports?.[port.name] ?? target;
      found.push(writtenEndpoint(entry, number, ofEntryResource(item)));
    }
  }
  for (const written of spec.endpoints ?? []) {
    found.push(writtenEndpoint(written, written.ports?.[port.name] ?? target, { labels: written.labels ?? {}, workload }));
  }
  const byName = spec.resolution === "DNS" || spec.resolution === "DNS_ROUND_ROBIN";
  if (byName && found.length === 0 && spec.workloadSelector === undefined && !isWildcardHost(hostname)) {
    found.push(writtenEndpoint({ address: hostname }, target, { labels: {}, workload }));
  }
  return found;
}

/** What a resource selects: pods and workload entries of its namespace. */
export function selectorOf(resource: Resource): Readonly<Record<string, string>> | undefined {
  if (resource.kind === "Service") return (resource.spec as ServiceSpec).selector;
  return (resource.spec as ServiceEntrySpec).workloadSelector?.labels;
}

/** Endpoints belong to the service's ports by name, where they are looked up by DNS by number: that shows where several entries share a host. */
export function buildServiceEndpoints(
  service: Service,
  parts: readonly { resource: Resource; chosen: readonly Selectable[] }[],
): ServiceEndpoints {
  const byPort = new Map<number, readonly Endpoint[]>();
  const byNumber = service.resolution === "DNS" || service.resolution === "DNS_ROUND_ROBIN";
  const put = (written: { readonly number: number; readonly name: string }, all: readonly Endpoint[]): void => {
    // Names are resolved for DNS alone.
    const endpoints = byNumber ? all : all.filter(({ address }) => isIP(address) !== 0 || address.startsWith("unix://"));
    for (const port of service.ports) {
      if (byNumber ? port.number !== written.number : port.name !== written.name) continue;
      const before = byPort.get(port.number);
      byPort.set(port.number, before === undefined ? endpoints : [...before, ...endpoints]);
    }
  };
  for (const { resource, chosen } of parts) {
    if (resource.kind === "Service") {
      const spec = resource.spec as ServiceSpec;
      for (const port of spec.ports ?? []) {
        put({ number: port.port, name: port.name ?? "" }, ofKubernetes(spec, port, chosen, service));
      }
    } else {
      const entry = resource as Resource<ServiceEntrySpec>;
      for (const port of entry.spec.ports ?? []) put(port, ofEntry(entry, service, port, chosen));
    }
  }
  for (const port of service.ports) if (!byPort.has(port.number)) byPort.set(port.number, []);
  return Object.freeze({ byPort });
}

const inline = memoByIdentity2((service: Service, resource: Resource) => buildServiceEndpoints(service, [{ resource, chosen: [] }]));

/** Endpoints of a service that one resource writes down and no selector adds to. */
export function inlineEndpoints(service: Service, resource: Resource): ServiceEndpoints {
  return inline(service, resource);
}
