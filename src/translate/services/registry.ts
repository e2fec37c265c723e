// All services of the mesh in Istio's order, one per host and namespace, and who may see them (push_context.go initServiceRegistry).
import type { MeshSettings, Service, Visibility } from "../../model/index.ts";
import { serviceKey } from "../../model/index.ts";
import type { Resource, ServiceEntrySpec, ServiceSpec } from "../../resources/index.ts";
import { compareText } from "../names.ts";
import { narrowService } from "../namespaces.ts";
import { resolveAliases } from "./aliases.ts";
import { toService, toServicesOfEntry, uniteServices } from "./to-service.ts";

/** Where the endpoints of a service come from: the resources that name its host in its namespace, oldest first. */
export interface ServiceSource {
  readonly service: Service;
  readonly resources: readonly Resource[];
}

export interface ServiceRegistry {
  /** Oldest first. */
  readonly services: readonly Service[];
  readonly sources: ReadonlyMap<string, ServiceSource>;
  readonly byHost: ReadonlyMap<string, readonly Service[]>;
  /** What proxies of this namespace can see: private first, then exported to it by name, then public. Same list while unchanged. */
  visibleTo(namespace: string): readonly Service[];
}

/** Istio's tie: `name.namespace`. */
function inOrder(a: Service, b: Service): number {
  return a.createdAt - b.createdAt || compareText(`${a.name}.${a.namespace}`, `${b.name}.${b.namespace}`);
}

interface Draft {
  readonly service: Service;
  readonly resource: Resource;
}

export function buildServiceRegistry(
  kubernetes: readonly Resource[],
  entries: readonly Resource[],
  options: {
    readonly settings: MeshSettings;
    readonly previous: ServiceRegistry | undefined;
    /** How far ServiceEntries of a namespace are seen. */
    readonly visibility: (namespace: string) => Visibility;
  },
): ServiceRegistry {
  const { settings, previous, visibility } = options;
  const drafts: Draft[] = kubernetes.map((resource) => ({ service: toService(resource as Resource<ServiceSpec>, settings), resource }));
  for (const resource of entries) {
    const seen = visibility(resource.metadata.namespace);
    for (const service of toServicesOfEntry(resource as Resource<ServiceEntrySpec>, settings))
      drafts.push({ service: narrowService(service, seen), resource });
  }
  drafts.sort((a, b) => inOrder(a.service, b.service));

  const sources = new Map<string, { service: Service; resources: Resource[] }>();
  for (const { service, resource } of drafts) {
    const key = serviceKey(service);
    const found = sources.get(key);
    if (found === undefined) {
      sources.set(key, { service, resources: [resource] });
      continue;
    }
    found.resources.push(resource);
    // A Kubernetes Service owns its host; entries beside it only add endpoints.
    if (found.service.registry !== service.registry) {
      if (service.registry === "Kubernetes") found.service = service;
    } else found.service = uniteServices(found.service, service);
  }
  for (const service of resolveAliases([...sources.values()].map((source) => source.service))) {
    const source = sources.get(serviceKey(service));
    if (source !== undefined) source.service = service;
  }
  // A resource may change without changing its service (its endpoints, an annotation): the service then stays the same object.
  for (const [key, source] of sources) {
    const before = previous?.sources.get(key)?.service;
    if (before !== undefined && before !== source.service && JSON.stringify(before) === JSON.stringify(source.service))
      source.service = before;
  }
  const services = [...sources.values()].map((source) => source.service);
  return { services, sources, byHost: groupByHost(services), visibleTo: createVisibility(services) };
}

function groupByHost(services: readonly Service[]): ReadonlyMap<string, readonly Service[]> {
  const groups = new Map<string, Service[]>();
  for (const service of services) {
    const group = groups.get(service.hostname);
    if (group === undefined) groups.set(service.hostname, [service]);
    else group.push(service);
  }
  return groups;
}

function createVisibility(services: readonly Service[]): (namespace: string) => readonly Service[] {
  const open: Service[] = [];
  const own = new Map<string, Service[]>();
  const named = new Map<string, Service[]>();
  const add = (map: Map<string, Service[]>, namespace: string, service: Service): void => {
    const list = map.get(namespace);
    if (list === undefined) map.set(namespace, [service]);
    else list.push(service);
  };
  for (const service of services) {
    if (service.exportTo.includes("*")) open.push(service);
    else if (!service.exportTo.includes("~")) {
      for (const namespace of new Set(service.exportTo)) add(namespace === service.namespace ? own : named, namespace, service);
    }
  }
  const memo = new Map<string, readonly Service[]>();
  return (namespace) => {
    const first = own.get(namespace);
    const second = named.get(namespace);
    if (first === undefined && second === undefined) return open;
    let list = memo.get(namespace);
    if (list === undefined) memo.set(namespace, (list = [...(first ?? []), ...(second ?? []), ...open]));
    return list;
  };
}
