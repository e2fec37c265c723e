// All services that a sidecar has clusters for: those its listeners import, and those that the VirtualServices of the listeners send to
// (Istio pilot/pkg/model/sidecar.go collectImportedServices).
import type { Service, SidecarEgress, VirtualService } from "../../model/index.ts";
import { isVisible } from "../names.ts";
import { namedDestinations } from "../virtual-services/virtual-service-index.ts";
import { type ImportedService, portFilter, trimToPort } from "./imports.ts";

export interface ListenerImports {
  readonly listener: SidecarEgress;
  readonly services: readonly ImportedService[];
  readonly virtualServices: readonly VirtualService[];
}

/** Destinations of all VirtualServices by host with the ports they name; undefined: the whole service. */
function destinationPorts(virtualService: VirtualService, clientNamespace: string): ReadonlyMap<string, Set<number> | undefined> {
  const ports = new Map<string, Set<number> | undefined>();
  for (const { destination, sourceNamespaces } of namedDestinations(virtualService)) {
    if (sourceNamespaces !== undefined && !sourceNamespaces.has(clientNamespace)) continue;
    const before = ports.get(destination.host);
    if (destination.port === undefined) ports.set(destination.host, undefined);
    else if (before !== undefined) before.add(destination.port);
    else if (!ports.has(destination.host)) ports.set(destination.host, new Set([destination.port]));
  }
  return ports;
}

function trimToPorts(service: Service, ports: Set<number> | undefined): ImportedService | undefined {
  if (ports === undefined) return { service, ports: undefined };
  const usable = service.ports.map((port) => port.number).filter((number) => ports.has(number));
  if (usable.length === 0) return undefined;
  return { service, ports: usable.length === service.ports.length ? undefined : usable };
}

/** The own namespace's service, else a Kubernetes one, else the oldest that the client may see. */
function pickService(candidates: readonly Service[], clientNamespace: string): Service | undefined {
  const own = candidates.find((service) => service.namespace === clientNamespace);
  if (own !== undefined) return own;
  const visible = candidates.filter((service) => isVisible(service.exportTo, clientNamespace));
  return visible.find((service) => service.registry === "Kubernetes") ?? visible[0];
}

function unitePorts(a: readonly number[] | undefined, b: readonly number[] | undefined, service: Service): readonly number[] | undefined {
  if (a === undefined || b === undefined) return undefined;
  const all = service.ports.map((port) => port.number).filter((number) => a.includes(number) || b.includes(number));
  return all.length === service.ports.length ? undefined : all;
}

export function collectServices(
  listeners: readonly ListenerImports[],
  byHost: ReadonlyMap<string, readonly Service[]>,
  clientNamespace: string,
): readonly ImportedService[] {
  const found = new Map<string, ImportedService>();

  function add(imported: ImportedService): void {
    const { service, ports } = imported;
    const before = found.get(service.hostname);
    if (before === undefined) found.set(service.hostname, imported);
    else if (before.service === service) {
      const united = unitePorts(before.ports, ports, service);
      if (united?.length !== before.ports?.length) found.set(service.hostname, { service, ports: united });
    } else if (before.service.registry !== "Kubernetes" && service.registry === "Kubernetes") found.set(service.hostname, imported);
  }

  for (const { listener, services, virtualServices } of listeners) {
    for (const imported of services) add(imported);
    const port = portFilter(listener);
    for (const virtualService of virtualServices) {
      for (const [host, ports] of destinationPorts(virtualService, clientNamespace)) {
        const before = found.get(host);
        if (before !== undefined && before.ports === undefined && before.service.registry === "Kubernetes") continue;
        const service = pickService(byHost.get(host) ?? [], clientNamespace);
        const imported = service === undefined ? undefined : port === undefined ? trimToPorts(service, ports) : trimToPort(service, port);
        if (imported !== undefined) add(imported);
      }
    }
  }
  return [...found.values()];
}
