// Kubernetes Service and ServiceEntry → Service (Istio pilot/pkg/serviceregistry/kube/conversion.go and serviceentry/conversion.go).
import { memoByIdentity2 } from "../../kit/index.ts";
import type { MeshSettings, Resolution, Service, ServicePart, ServicePort } from "../../model/index.ts";
import type { Resource, ServiceEntrySpec, ServiceSpec } from "../../resources/index.ts";
import { partsOf } from "../../model/index.ts";
import { resolveExportTo } from "../names.ts";
import { parseProtocol, protocolOfServicePort } from "../protocol.ts";

const EXPORT_TO = "networking.istio.io/exportTo";

const TRAFFIC_DISTRIBUTION = "networking.istio.io/traffic-distribution";
const DISTRIBUTIONS: ReadonlyMap<string, "zone" | "node"> = new Map([
  ["preferclose", "zone"],
  ["prefersamezone", "zone"],
  ["prefersamenode", "node"],
]);

/** The field, else the annotation, whose case does not matter. */
function trafficDistribution(
  field: string | undefined,
  annotations: Readonly<Record<string, string>>,
): Pick<Service, "trafficDistribution"> {
  const found =
    DISTRIBUTIONS.get((field ?? "").toLowerCase()) ?? DISTRIBUTIONS.get((annotations[TRAFFIC_DISTRIBUTION] ?? "").toLowerCase());
  return found === undefined ? {} : { trafficDistribution: found };
}

function exportAnnotation(annotations: Readonly<Record<string, string>>): readonly string[] | undefined {
  const text = annotations[EXPORT_TO];
  return text === undefined
    ? undefined
    : text
        .split(",")
        .map((entry) => entry.trim())
        .filter((entry) => entry !== "");
}

export const toService: (resource: Resource<ServiceSpec>, settings: MeshSettings) => Service = memoByIdentity2((resource, settings) => {
  const { metadata, spec } = resource;
  const headless = spec.clusterIP === "None";
  const external = spec.type === "ExternalName" && (spec.externalName ?? "") !== "";
  const address = spec.clusterIP;
  return Object.freeze({
    hostname: `${metadata.name}.${metadata.namespace}.svc.${settings.domain}`,
    name: metadata.name,
    namespace: metadata.namespace,
    registry: "Kubernetes" as const,
    createdAt: metadata.creationTimestamp,
    labels: metadata.labels,
    ports: (spec.ports ?? []).map((port): ServicePort => ({
      number: port.port,
      name: port.name ?? "",
      protocol: protocolOfServicePort(port),
      ...(typeof port.targetPort === "number"
        ? { targetPort: port.targetPort }
        : port.targetPort === undefined
          ? { targetPort: port.port }
          : {}),
    })),
    addresses: headless || external || address === undefined || address === "" ? [] : [address],
    resolution: external ? ("ALIAS" as const) : headless ? ("NONE" as const) : ("STATIC" as const),
    meshExternal: external,
    headless,
    exportTo: resolveExportTo(exportAnnotation(metadata.annotations), metadata.namespace, settings.defaultServiceExportTo),
    subjectAltNames: [],
    publishNotReadyAddresses: spec.publishNotReadyAddresses === true,
    ...trafficDistribution(spec.trafficDistribution, metadata.annotations),
    ...(external ? { aliasOf: (spec.externalName ?? "").replace(/\.$/, "").toLowerCase() } : {}),
    ...(!external && spec.selector !== undefined && Object.keys(spec.selector).length > 0 ? { selector: spec.selector } : {}),
  });
});

/** One Service per host. Only `protocol` decides what a port speaks; its name decides nothing. */
export const toServicesOfEntry: (resource: Resource<ServiceEntrySpec>, settings: MeshSettings) => readonly Service[] = memoByIdentity2(
  (resource, settings) => {
    const { metadata, spec } = resource;
    const ports = (spec.ports ?? []).map((port): ServicePort => ({
      number: port.number,
      name: port.name,
      protocol: parseProtocol(port.protocol),
      targetPort: port.targetPort || port.number,
      ...((spec.resolution ?? "NONE") === "NONE" && port.targetPort ? { passthroughPort: port.targetPort } : {}),
    }));
    const selector = spec.workloadSelector?.labels;
    const addresses = (spec.addresses ?? []).filter((address) => address !== "0.0.0.0" && address !== "::");
    const exportTo = resolveExportTo(spec.exportTo, metadata.namespace, settings.defaultServiceExportTo);
    return spec.hosts.map((host) =>
      Object.freeze({
        hostname: host.toLowerCase(),
        name: host.toLowerCase(),
        namespace: metadata.namespace,
        registry: "External" as const,
        createdAt: metadata.creationTimestamp,
        labels: metadata.labels,
        ports,
        addresses,
        ...(addresses.length > 1 ? { parts: addresses.map((address): ServicePart => ({ addresses: [address], ports })) } : {}),
        resolution: (spec.resolution ?? "NONE") satisfies Resolution,
        meshExternal: spec.location !== "MESH_INTERNAL",
        headless: false,
        exportTo,
        subjectAltNames: spec.subjectAltNames ?? [],
        publishNotReadyAddresses: false,
        ...trafficDistribution(undefined, metadata.annotations),
        ...(selector !== undefined ? { selector } : {}),
      }),
    );
  },
);

/** Equal in all that makes two entries of one host one service; otherwise only the older has clusters. */
function canUnite(a: Service, b: Service): boolean {
  const same = (x: unknown, y: unknown): boolean => JSON.stringify(x) === JSON.stringify(y);
  return a.resolution === b.resolution && same(a.labels, b.labels) && same(a.selector, b.selector) && same(a.exportTo, b.exportTo);
}

/** Two entries of one host in one namespace are one service with the ports of both; what the older says of a port stands. */
export const uniteServices: (older: Service, younger: Service) => Service = memoByIdentity2((older, younger) => {
  const numbers = new Set(older.ports.map((port) => port.number));
  const more = canUnite(older, younger) ? younger.ports.filter((port) => !numbers.has(port.number)) : [];
  const addresses = younger.addresses.filter((address) => !older.addresses.includes(address));
  return Object.freeze({
    ...older,
    ports: [...older.ports, ...more],
    addresses: [...older.addresses, ...addresses],
    parts: [...partsOf(older), ...partsOf(younger)],
  });
});
