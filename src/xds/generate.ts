// View → encoded resources. Sees nothing but the view; every part is remembered by the objects it was made from, so equal inputs give the
// same objects and a change costs what it changes.
import { ClusterLoadAssignmentSchema, ClusterSchema, ListenerSchema } from "../envoy-api/index.ts";
import { memoByIdentity, memoByIdentity2, type ResourceSet, TYPE_URL, type XdsResource, type XdsResources } from "../kit/index.ts";
import {
  type ConfigView,
  type Endpoint,
  type EndpointIndex,
  type InboundPortView,
  type MeshSettings,
  type ProxyScope,
  type ProxyView,
  type ServiceEndpoints,
  serviceKey,
  type ServiceView,
} from "../model/index.ts";
import { buildBlackHole, buildInboundPassthrough, buildPassthrough } from "./clusters/fixed.ts";
import { buildInboundCluster } from "./clusters/inbound.ts";
import { buildOutboundCluster, usesEds } from "./clusters/outbound.ts";
import { toResource, toSet } from "./encode.ts";
import { buildLoadAssignment, ofSubset } from "./endpoints/load-assignment.ts";
import { buildGatewayListeners } from "./listeners/gateway.ts";
import { buildInboundListeners } from "./listeners/inbound.ts";
import type { BuiltListener } from "./listeners/built-listener.ts";
import { buildOutboundListeners } from "./listeners/outbound.ts";
import { isUdp } from "./protocols.ts";
import { buildTables } from "./routes/tables.ts";

const NO_ENDPOINTS: readonly Endpoint[] = [];

/** One cluster of a service: what its endpoints are chosen by. */
interface ClusterPart {
  readonly resource: XdsResource;
  readonly eds: boolean;
  readonly service: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
}

interface ServiceKind {
  readonly mesh: MeshSettings;
  readonly router: boolean;
}

function partsOf(view: ServiceView, kind: ServiceKind, endpoints: ServiceEndpoints | undefined): ClusterPart[] {
  const { service, destinationRule } = view;
  const ports = service.ports.filter((p) => !isUdp(p.protocol) && (view.ports === undefined || view.ports.includes(p.number)));
  const subsets = [{ name: "", labels: {} }, ...(destinationRule?.subsets ?? [])];
  return ports.flatMap((port) =>
    subsets.flatMap((subset) => {
      const chosen = ofSubset(endpoints?.byPort.get(port.number) ?? NO_ENDPOINTS, subset.labels);
      const cluster = buildOutboundCluster({ view, port, subset: subset.name, mesh: kind.mesh, router: kind.router, endpoints: chosen });
      const eds = usesEds(cluster);
      // A cluster that carries its endpoints and has none is not there: its callers are told that it is missing.
      if (cluster.loadAssignment !== undefined && chosen.length === 0) return [];
      const resource = toResource(ClusterSchema, cluster, { name: cluster.name });
      return [{ resource, eds, service: serviceKey(service), port: port.number, labels: subset.labels }];
    }),
  );
}

const isDns = (view: ServiceView): boolean => view.service.resolution === "DNS" || view.service.resolution === "DNS_ROUND_ROBIN";

const routerParts = memoByIdentity2((view: ServiceView, mesh: MeshSettings) => partsOf(view, { mesh, router: true }, undefined));
const sidecarParts = memoByIdentity2((view: ServiceView, mesh: MeshSettings) => partsOf(view, { mesh, router: false }, undefined));

const fixedClusters = memoByIdentity((mesh: MeshSettings) =>
  [buildBlackHole(mesh), buildPassthrough(mesh), buildInboundPassthrough(mesh)].map((c) => toResource(ClusterSchema, c, { name: c.name })),
);

const dnsParts = memoByIdentity2((view: ServiceView, mesh: MeshSettings) =>
  memoByIdentity((endpoints: ServiceEndpoints) => partsOf(view, { mesh, router: false }, endpoints)),
);

const NONE: ServiceEndpoints = { byPort: new Map() };

function serviceParts(config: ConfigView, endpoints: EndpointIndex): ClusterPart[] {
  const router = config.scope.type === "router";
  return config.clusters.flatMap((view) => {
    if (isDns(view)) return dnsParts(view, config.mesh)(endpoints.get(serviceKey(view.service)) ?? NONE);
    return router ? routerParts(view, config.mesh) : sidecarParts(view, config.mesh);
  });
}

const assignments = new WeakMap<ServiceEndpoints, Map<string, XdsResource>>();

function assignmentOf(part: ClusterPart, endpoints: ServiceEndpoints): XdsResource {
  let known = assignments.get(endpoints);
  if (known === undefined) assignments.set(endpoints, (known = new Map()));
  const { name } = part.resource;
  const key = `${name}\n${JSON.stringify(part.labels)}`;
  let resource = known.get(key);
  if (resource === undefined) {
    const chosen = ofSubset(endpoints.byPort.get(part.port) ?? NO_ENDPOINTS, part.labels);
    resource = toResource(ClusterLoadAssignmentSchema, buildLoadAssignment(name, chosen), { name });
    known.set(key, resource);
  }
  return resource;
}

function toListener(built: BuiltListener): XdsResource {
  return toResource(ListenerSchema, built.message, { name: built.message.name, clusters: built.clusters });
}

/** What all proxies of one kind share. */
const sharedOf = memoByIdentity((config: ConfigView) => {
  const outbound = config.scope.type === "router" ? { listeners: [], tables: [] } : buildOutboundListeners(config);
  const gateway = buildGatewayListeners(config);
  const tables = buildTables(config, { sidecar: outbound.tables, gateway: gateway.tables });
  return {
    listeners: [...outbound.listeners, ...gateway.listeners].map(toListener),
    routes: toSet(tables.routes),
    virtualHosts: toSet(tables.virtualHosts),
  };
});

/** The same object as `last` when the same resources are in it. */
function stable(last: ResourceSet | undefined, next: ResourceSet): ResourceSet {
  if (last === undefined || last.size !== next.size) return next;
  for (const [name, resource] of next) if (last.get(name)?.version !== resource.version) return next;
  return last;
}

interface Last {
  byType: Map<string, ResourceSet>;
  resources: XdsResources | undefined;
}

/** What was generated last for a kind of proxy with these inbound ports. */
const lasts = new Map<string, WeakMap<readonly InboundPortView[], Last>>();

function lastOf(scope: ProxyScope, inbound: readonly InboundPortView[]): Last {
  const key = JSON.stringify(scope);
  let byInbound = lasts.get(key);
  if (byInbound === undefined) lasts.set(key, (byInbound = new WeakMap()));
  let last = byInbound.get(inbound);
  if (last === undefined) byInbound.set(inbound, (last = { byType: new Map(), resources: undefined }));
  return last;
}

export function generate(view: ProxyView): XdsResources {
  const { config, inbound, endpoints } = view;
  const shared = sharedOf(config);
  const parts = serviceParts(config, endpoints);
  const sidecar = config.scope.type === "sidecar";
  const inboundListeners = sidecar ? buildInboundListeners(config, inbound).map(toListener) : [];
  const inboundClusters = sidecar
    ? inbound.map((p) => buildInboundCluster(p, config.mesh)).map((c) => toResource(ClusterSchema, c, { name: c.name }))
    : [];
  const fresh = new Map<string, ResourceSet>([
    [TYPE_URL.listener, toSet([...shared.listeners, ...inboundListeners])],
    [TYPE_URL.route, shared.routes],
    [TYPE_URL.virtualHost, shared.virtualHosts],
    [TYPE_URL.cluster, toSet([...parts.map((p) => p.resource), ...fixedClusters(config.mesh), ...inboundClusters])],
    [TYPE_URL.endpoint, toSet(parts.filter((p) => p.eds).map((p) => assignmentOf(p, endpoints.get(p.service) ?? NONE)))],
  ]);
  const last = lastOf(config.scope, inbound);
  const byType = new Map([...fresh].map(([type, set]) => [type, stable(last.byType.get(type), set)]));
  const unchanged = last.resources !== undefined && [...byType].every(([type, set]) => last.byType.get(type) === set);
  if (!unchanged) {
    last.byType = byType;
    last.resources = { byType };
  }
  return last.resources ?? { byType };
}
