// What a Sidecar's egress listener imports: services and VirtualServices by `namespace/host` (Istio pilot/pkg/model/sidecar.go selectServices,
// SelectVirtualServices).
import type { EgressHost, Service, SidecarEgress, VirtualService } from "../../model/index.ts";
import { hostCovers, hostsOverlap } from "../../model/index.ts";
import { aliasesOnly } from "../services/aliases.ts";

/** A service with the ports of it that may be used; undefined: all. */
export interface ImportedService {
  readonly service: Service;
  readonly ports: readonly number[] | undefined;
}

interface HostSet {
  readonly exact: ReadonlySet<string>;
  readonly all: readonly string[];
}

/** Hosts by the namespace they are taken from; `*` is any. */
export type Imports = { readonly added: ReadonlyMap<string, HostSet>; readonly removed: ReadonlyMap<string, HostSet> };

export function toImports(hosts: readonly EgressHost[], clientNamespace: string): Imports {
  const collect = (excluded: boolean): ReadonlyMap<string, HostSet> => {
    const byNamespace = new Map<string, { exact: Set<string>; all: string[] }>();
    for (const entry of hosts) {
      if (entry.excluded !== excluded) continue;
      const namespace = entry.namespace === "." ? clientNamespace : entry.namespace;
      let set = byNamespace.get(namespace);
      if (set === undefined) byNamespace.set(namespace, (set = { exact: new Set(), all: [] }));
      set.all.push(entry.host);
      if (!entry.host.startsWith("*")) set.exact.add(entry.host);
    }
    return byNamespace;
  };
  return { added: collect(false), removed: collect(true) };
}

/** Every host of every namespace and nothing taken away: the default. */
export function importsEverything(imports: Imports): boolean {
  return imports.removed.size === 0 && imports.added.get("*")?.all.includes("*") === true;
}

function inSet(set: HostSet | undefined, host: string, test: (pattern: string, host: string) => boolean): boolean {
  return set !== undefined && (set.exact.has(host) || set.all.some((pattern) => test(pattern, host)));
}

function inMap(map: ReadonlyMap<string, HostSet>, namespace: string, matches: (set: HostSet | undefined) => boolean): boolean {
  return map.size > 0 && (matches(map.get(namespace)) || matches(map.get("*")));
}

/** Listeners with a port take only services with that port; an explicit proxy (HTTP_PROXY) takes all. */
export function portFilter(listener: SidecarEgress): number | undefined {
  const { port } = listener;
  return port === undefined || port.number === 0 || port.protocol === "HTTP_PROXY" ? undefined : port.number;
}

export function trimToPort(service: Service, port: number): ImportedService | undefined {
  if (!service.ports.some((servicePort) => servicePort.number === port)) return undefined;
  return { service, ports: service.ports.length === 1 ? undefined : [port] };
}

/** Of one host in several namespaces: the client's own, else a Kubernetes Service, else the first. */
function onePerHost(services: readonly ImportedService[], clientNamespace: string): readonly ImportedService[] {
  const chosen = new Map<string, Service>();
  for (const { service } of services) {
    const before = chosen.get(service.hostname);
    if (before === undefined || service.namespace === clientNamespace) chosen.set(service.hostname, service);
    else if (before.registry !== "Kubernetes" && service.registry === "Kubernetes" && before.namespace !== clientNamespace) {
      chosen.set(service.hostname, service);
    }
  }
  return chosen.size === services.length ? services : services.filter(({ service }) => chosen.get(service.hostname) === service);
}

function importsHost(imports: Imports, namespace: string, host: string): boolean {
  const covered = (set: HostSet | undefined): boolean => inSet(set, host, hostCovers);
  return inMap(imports.added, namespace, covered) && !inMap(imports.removed, namespace, covered);
}

/** Other names of a service are imported one by one. */
function importAliases(service: Service, wanted: (alias: string) => boolean): Service {
  const { aliases = [] } = service;
  return aliases.every(wanted) ? service : aliasesOnly(service, aliases.filter(wanted));
}

export function importServices(visible: readonly Service[], listener: SidecarEgress, clientNamespace: string): readonly ImportedService[] {
  const imports = toImports(listener.hosts, clientNamespace);
  const everything = importsEverything(imports);
  const port = portFilter(listener);
  const found: ImportedService[] = [];
  for (const service of visible) {
    if (!everything && !importsHost(imports, service.namespace, service.hostname)) continue;
    const trimmed = everything ? service : importAliases(service, (alias) => importsHost(imports, service.namespace, alias));
    const imported = port === undefined ? { service: trimmed, ports: undefined } : trimToPort(trimmed, port);
    if (imported !== undefined) found.push(imported);
  }
  return onePerHost(found, clientNamespace);
}

/** A VirtualService applies when its namespace is imported with any of its hosts. */
export function importVirtualServices(
  visible: readonly VirtualService[],
  listener: SidecarEgress,
  clientNamespace: string,
): readonly VirtualService[] {
  const imports = toImports(listener.hosts, clientNamespace);
  if (importsEverything(imports)) return visible;
  return visible.filter((one) =>
    one.hosts.some((host) => {
      const wanted = inMap(imports.added, one.namespace, (set) => inSet(set, host, hostsOverlap));
      return wanted && !inMap(imports.removed, one.namespace, (set) => inSet(set, host, hostCovers));
    }),
  );
}
