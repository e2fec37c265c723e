// View → encoded resources. Sees nothing but the view; every part is remembered by the objects it was made from, so equal inputs give the
// same objects and a change costs what it changes.
import { type Cluster, ClusterLoadAssignmentSchema, ListenerSchema, TypedExtensionConfigSchema } from "../envoy-api/index.ts";
import { memoByIdentity, memoByIdentity2, type ResourceSet, TYPE_URL, type XdsResource, type XdsResources } from "../kit/index.ts";
import {
  type ConfigView,
  type InboundPortView,
  type InboundView,
  type MeshSettings,
  type PeersView,
  type ProxyView,
  type ServiceEndpoints,
} from "../model/index.ts";
import { buildAllowAnyDynamic } from "./clusters/dynamic.ts";
import { buildBlackHole, buildInboundPassthrough, buildPassthrough } from "./clusters/fixed.ts";
import { buildInboundCluster } from "./clusters/inbound.ts";
import { usesEds } from "./clusters/outbound.ts";
import { buildParts, type ClusterPart, NO_SERVICE_ENDPOINTS, toClusterResource } from "./clusters/parts.ts";
import { toResource, toSet } from "./encode.ts";
import { type Patcher, patcherOf } from "./envoy-filter/index.ts";
import { buildLoadAssignment, chooseEndpoints } from "./endpoints/load-assignment.ts";
import { type CallerPlace, groupByLocality, groupsFor, placeKey } from "./endpoints/locality.ts";
import { buildGatewayListeners } from "./listeners/gateway.ts";
import { buildInboundListeners } from "./listeners/inbound.ts";
import type { BuiltListener } from "./listeners/built-listener.ts";
import { buildOutboundListeners } from "./listeners/outbound.ts";
import { type PodAddresses, podsOf } from "./listeners/pod-addresses.ts";
import { toSecretResource } from "./tls/credentials.ts";
import { buildTables } from "./routes/tables.ts";

const allowAnyDynamic = {
  withSecrets: memoByIdentity((mesh: MeshSettings) => toFixed(buildAllowAnyDynamic(mesh, true))),
  without: memoByIdentity((mesh: MeshSettings) => toFixed(buildAllowAnyDynamic(mesh, false))),
};

function toFixed(message: Cluster): FixedCluster {
  return { message, inbound: undefined, resource: toClusterResource(message) };
}

/** Gateways have no traffic to unknown hosts. */
function dynamicClusters({ mesh, scope, outboundTrafficPolicy }: ConfigView): readonly FixedCluster[] {
  if (scope.type === "router" || outboundTrafficPolicy !== "ALLOW_ANY_DYNAMIC_DNS") return [];
  return [scope.secretServer ? allowAnyDynamic.withSecrets(mesh) : allowAnyDynamic.without(mesh)];
}

interface FixedCluster {
  readonly message: Cluster;
  readonly resource: XdsResource;
  readonly inbound: "passthrough" | undefined;
}

const fixedClusters = memoByIdentity((mesh: MeshSettings): readonly FixedCluster[] =>
  [
    { message: buildBlackHole(mesh), inbound: undefined },
    { message: buildPassthrough(mesh), inbound: undefined },
    { message: buildInboundPassthrough(mesh), inbound: "passthrough" as const },
  ].map((one) => ({ ...one, resource: toClusterResource(one.message) })),
);

const assignments = new WeakMap<ServiceEndpoints, Map<string, XdsResource>>();

function assignmentOf(part: ClusterPart, endpoints: ServiceEndpoints, place: CallerPlace): XdsResource {
  let known = assignments.get(endpoints);
  if (known === undefined) assignments.set(endpoints, (known = new Map()));
  const { name } = part.resource;
  const key = part.locality === undefined ? part.key : `${part.key}\n${placeKey(part.locality, place)}`;
  let resource = known.get(key);
  if (resource === undefined) {
    const chosen = chooseEndpoints(endpoints.byPort.get(part.port) ?? [], part.choice);
    const groups = groupsFor(chosen, { rule: part.locality, place });
    resource = toResource(ClusterLoadAssignmentSchema, buildLoadAssignment(name, groups), { name });
    known.set(key, resource);
  }
  return resource;
}

/** A cluster of the bootstrap's (Istio's agent, ENABLE_SELF_DISCOVERY): its endpoints are weighed, never called. */
function ownCluster(peers: PeersView, endpoints: ServiceEndpoints): XdsResource {
  const name = "local_cluster";
  const alike = (endpoints.byPort.get(peers.port) ?? []).filter(
    ({ workloadName, locality, labels }) =>
      workloadName === peers.workloadName &&
      locality.region === peers.region &&
      Object.entries(peers.labels).every(([label, value]) => (labels[label] ?? "") === value),
  );
  return toResource(ClusterLoadAssignmentSchema, buildLoadAssignment(name, groupByLocality(alike)), { name });
}

/** Patched clusters by the cluster they were made from. */
const patchedParts = new WeakMap<Patcher, WeakMap<Cluster, { readonly message: Cluster; readonly resource: XdsResource } | null>>();

/** The same resource while cluster and patches are the same; undefined = removed. */
function patchedCluster(
  part: { readonly message: Cluster; readonly resource: XdsResource },
  patcher: Patcher,
  inbound?: InboundPortView | "passthrough",
): { readonly message: Cluster; readonly resource: XdsResource } | undefined {
  let known = patchedParts.get(patcher);
  if (known === undefined) patchedParts.set(patcher, (known = new WeakMap()));
  let patched = known.get(part.message);
  if (patched === undefined) {
    const message = patcher.cluster(part.message, inbound);
    patched = message === undefined ? null : message === part.message ? part : { message, resource: toClusterResource(message) };
    known.set(part.message, patched);
  }
  return patched ?? undefined;
}

function patchParts(parts: readonly ClusterPart[], patcher: Patcher): ClusterPart[] {
  return parts.flatMap((part) => {
    const patched = patchedCluster(part, patcher);
    return patched === undefined ? [] : [{ ...part, ...patched, eds: usesEds(patched.message) }];
  });
}

function toListener(built: BuiltListener): XdsResource {
  return toResource(ListenerSchema, built.message, { name: built.message.name, clusters: built.clusters });
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** What all proxies of one kind share. */
const sharedOf = memoByIdentity2((config: ConfigView, pods: PodAddresses) => {
  const outbound = config.scope.type === "router" ? { listeners: [], own: NO_NAMES, tables: [] } : buildOutboundListeners(config, pods);
  const gateway = buildGatewayListeners(config);
  const patcher = patcherOf(config);
  const tables = buildTables(config, { sidecar: outbound.tables, gateway: gateway.tables, patcher });
  const listeners =
    patcher === undefined
      ? [...outbound.listeners, ...gateway.listeners]
      : config.scope.type === "router"
        ? patcher.gateway(gateway.listeners)
        : patcher.outbound(outbound.listeners, outbound.own);
  return {
    patcher,
    listeners: listeners.map(toListener),
    routes: toSet(tables.routes),
    virtualHosts: toSet(tables.virtualHosts),
    extensions: toSet((patcher?.extensions ?? []).map((one) => toResource(TypedExtensionConfigSchema, one, { name: one.name }))),
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
const lasts = new Map<string, WeakMap<InboundView, Last>>();

const patchNumbers = new WeakMap<object, number>();
let patchLists = 0;

/** Lists of patches by number: the same list, the same number. */
function numberOf(patches: ConfigView["envoyPatches"]): number {
  let number = patchNumbers.get(patches);
  if (number === undefined) patchNumbers.set(patches, (number = patchLists += 1));
  return number;
}

function lastOf({ scope, envoyPatches }: ConfigView, inbound: InboundView): Last {
  const key = JSON.stringify(scope) + (envoyPatches.length === 0 ? "" : numberOf(envoyPatches));
  let byInbound = lasts.get(key);
  if (byInbound === undefined) lasts.set(key, (byInbound = new WeakMap()));
  let last = byInbound.get(inbound);
  if (last === undefined) byInbound.set(inbound, (last = { byType: new Map(), resources: undefined }));
  return last;
}

interface OwnSide {
  readonly listeners: readonly XdsResource[];
  readonly clusters: readonly XdsResource[];
}

const NO_OWN_SIDE: OwnSide = { listeners: [], clusters: [] };

/** A sidecar's inbound side. */
function ownSide({ config, inbound }: ProxyView, patcher: Patcher | undefined): OwnSide {
  const listeners = buildInboundListeners(config, inbound);
  const clusters = inbound.ports.map((port) => ({ port, message: buildInboundCluster(port, config.mesh) }));
  if (patcher === undefined)
    return { listeners: listeners.map(toListener), clusters: clusters.map(({ message }) => toClusterResource(message)) };
  return {
    listeners: patcher.inbound(listeners).map(toListener),
    clusters: clusters
      .map(({ port, message }) => patcher.cluster(message, port))
      .filter((message) => message !== undefined)
      .map(toClusterResource),
  };
}

function fixedResources(config: ConfigView, patcher: Patcher | undefined): readonly XdsResource[] {
  const fixed = [...fixedClusters(config.mesh), ...dynamicClusters(config)];
  if (patcher === undefined) return fixed.map(({ resource }) => resource);
  const patched = fixed.flatMap((one) => patchedCluster(one, patcher, one.inbound) ?? []);
  return [...patched.map(({ resource }) => resource), ...patcher.addedClusters.map(toClusterResource)];
}

export function generate(view: ProxyView): XdsResources {
  const { config, inbound, endpoints } = view;
  const shared = sharedOf(config, podsOf(config, endpoints));
  const { patcher } = shared;
  const made = buildParts(config, endpoints);
  const parts = patcher === undefined ? made : patchParts(made, patcher);
  const own = config.scope.type === "sidecar" ? ownSide(view, patcher) : NO_OWN_SIDE;
  const fresh = new Map<string, ResourceSet>([
    [TYPE_URL.listener, toSet([...shared.listeners, ...own.listeners])],
    [TYPE_URL.route, shared.routes],
    [TYPE_URL.virtualHost, shared.virtualHosts],
    [TYPE_URL.cluster, toSet([...parts.map((p) => p.resource), ...fixedResources(config, patcher), ...own.clusters])],
    [
      TYPE_URL.endpoint,
      toSet([
        ...parts.filter((p) => p.eds).map((p) => assignmentOf(p, endpoints.get(p.service) ?? NO_SERVICE_ENDPOINTS, config.scope)),
        ...(inbound.peers === undefined ? [] : [ownCluster(inbound.peers, endpoints.get(inbound.peers.service) ?? NO_SERVICE_ENDPOINTS)]),
      ]),
    ],
  ]);
  if (config.credentials.length > 0) fresh.set(TYPE_URL.secret, toSet(config.credentials.map(toSecretResource)));
  if (shared.extensions.size > 0) fresh.set(TYPE_URL.extensionConfig, shared.extensions);
  const last = lastOf(config, inbound);
  const byType = new Map([...fresh].map(([type, set]) => [type, stable(last.byType.get(type), set)]));
  const unchanged =
    last.resources !== undefined && last.byType.size === byType.size && [...byType].every(([type, set]) => last.byType.get(type) === set);
  if (!unchanged) {
    last.byType = byType;
    last.resources = { byType };
  }
  return last.resources ?? { byType };
}
