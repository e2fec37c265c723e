// The outbound clusters of a service, encoded once for all proxies that see it the same way, and what their endpoints are chosen by.
import { type Cluster, ClusterSchema } from "../../envoy-api/index.ts";
import { memoByIdentity2, type XdsResource } from "../../kit/index.ts";
import {
  type ConfigView,
  type Endpoint,
  type EndpointIndex,
  localityText,
  type MeshSettings,
  NOWHERE,
  type ServiceEndpoints,
  serviceKey,
  type ServiceView,
} from "../../model/index.ts";
import { toResource } from "../encode.ts";
import { chooseEndpoints, type EndpointChoice } from "../endpoints/load-assignment.ts";
import type { CallerPlace, LocalityRule } from "../endpoints/locality.ts";
import { isUdp } from "../protocols.ts";
import { accountsOf, allTakeMtls, someTakeMtls } from "./identities.ts";
import { buildOutboundCluster, localityRuleOf, usesEds } from "./outbound.ts";

const NO_ENDPOINTS: readonly Endpoint[] = [];
const NO_ACCOUNTS: readonly string[] = [];
export const NO_SERVICE_ENDPOINTS: ServiceEndpoints = { byPort: new Map() };

/** One cluster of a service, and what its endpoints are chosen by. */
export interface ClusterPart {
  readonly message: Cluster;
  readonly resource: XdsResource;
  readonly eds: boolean;
  readonly service: string;
  readonly port: number;
  readonly choice: EndpointChoice;
  /** undefined: callers everywhere get the same endpoints. */
  readonly locality: LocalityRule | undefined;
  /** Parts with equal keys have equal endpoints for a caller. */
  readonly key: string;
}

const ANYWHERE: CallerPlace = { locality: NOWHERE, labels: {} };

export function toClusterResource(cluster: Cluster): XdsResource {
  return toResource(ClusterSchema, cluster, { name: cluster.name });
}

interface Variant {
  readonly mesh: MeshSettings;
  readonly router: boolean;
  readonly secretServer: boolean;
  readonly accounts: readonly string[];
  /** Some endpoint of the service takes the mesh's TLS. While none does, its clusters ask for no identity, so that a mesh without one works. */
  readonly someMtls: boolean;
  /** Only for clusters that carry their endpoints. */
  readonly place: CallerPlace;
  /** For AUTO_PASSTHROUGH. */
  readonly forSni: boolean;
}

/** What a rule says of TLS holds for all endpoints; otherwise each speaks for itself. */
function markOf(view: ServiceView, port: number, subset: string): EndpointChoice["mtls"] {
  const mode = view.destinationRule?.writtenTlsMode(port, subset);
  return mode === undefined ? "each" : mode === "ISTIO_MUTUAL" ? "all" : "none";
}

function isPassthrough({ service, destinationRule }: ServiceView, port: number, subset: string): boolean {
  return service.resolution === "NONE" || destinationRule?.policyFor(port, subset).loadBalancer?.simple === "PASSTHROUGH";
}

function partsOf(view: ServiceView, variant: Variant, endpoints: ServiceEndpoints): ClusterPart[] {
  const { service, destinationRule } = view;
  const ports = service.ports.filter((p) => !isUdp(p.protocol) && (view.ports === undefined || view.ports.includes(p.number)));
  // What a request names has no labels.
  const named = service.resolution === "DYNAMIC_DNS";
  const subsets = [{ name: "", labels: {} }, ...(named ? [] : (destinationRule?.subsets ?? []))];
  return ports.flatMap((port) =>
    subsets.flatMap(({ name, labels }) => {
      const choice: EndpointChoice = { labels, mtls: markOf(view, port.number, name), mtlsOnly: variant.forSni };
      const chosen = chooseEndpoints(endpoints.byPort.get(port.number) ?? NO_ENDPOINTS, choice);
      const autoMtls =
        view.autoMtls && variant.someMtls && (!isPassthrough(view, port.number, name) || allTakeMtls(endpoints, port.number));
      const cluster = buildOutboundCluster({ ...variant, view, port, subset: name, endpoints: chosen, autoMtls });
      // A cluster that carries its endpoints and has none is not there: its callers are told that it is missing.
      if (cluster.loadAssignment !== undefined && chosen.length === 0) return [];
      const locality = localityRuleOf({ view, port, subset: name, mesh: variant.mesh });
      return [
        {
          message: cluster,
          resource: toClusterResource(cluster),
          eds: usesEds(cluster),
          service: serviceKey(service),
          port: port.number,
          choice,
          locality,
          key: `${cluster.name}\n${JSON.stringify([choice, locality])}`,
        },
      ];
    }),
  );
}

interface Known {
  readonly endpoints: ServiceEndpoints;
  readonly parts: readonly ClusterPart[];
}

const knownParts = memoByIdentity2((_view: ServiceView, _mesh: MeshSettings) => new Map<string, Known>());
/** Of one service and mesh; more come only while identities change. */
const MAX_VARIANTS = 16;

function carriesEndpoints({ service }: ServiceView): boolean {
  return service.resolution === "DNS" || service.resolution === "DNS_ROUND_ROBIN";
}

/** The clusters themselves, and not only their EDS, depend on the endpoints. */
function dependsOnEndpoints(view: ServiceView, variant: Variant): boolean {
  const { ports } = view.service;
  if (carriesEndpoints(view)) return true;
  if (!view.autoMtls || !variant.secretServer) return false;
  const subsets = ["", ...(view.destinationRule?.subsets ?? []).map((subset) => subset.name)];
  return ports.some((port) => subsets.some((subset) => isPassthrough(view, port.number, subset)));
}

function cachedParts(view: ServiceView, variant: Variant, endpoints: ServiceEndpoints): readonly ClusterPart[] {
  const known = knownParts(view, variant.mesh);
  const key = `${variant.router} ${variant.secretServer} ${variant.someMtls} ${variant.forSni} ${localityText(variant.place.locality)} ${variant.accounts.join()}`;
  const hit = known.get(key);
  if (hit !== undefined && (hit.endpoints === endpoints || !dependsOnEndpoints(view, variant))) return hit.parts;
  if (known.size >= MAX_VARIANTS) known.clear();
  const parts = partsOf(view, variant, endpoints);
  known.set(key, { endpoints, parts });
  return parts;
}

function passesTlsOn(config: ConfigView): boolean {
  return config.gateways.some((place) => place.servers.some(({ server }) => server.tls?.mode === "AUTO_PASSTHROUGH"));
}

/** All outbound clusters of a proxy. */
export function buildParts(config: ConfigView, endpoints: EndpointIndex): readonly ClusterPart[] {
  const { mesh, scope } = config;
  const kind = { mesh, router: scope.type === "router", secretServer: scope.secretServer };
  const forSni = passesTlsOn(config);
  return config.clusters.flatMap((view) => {
    // The service that it means has the clusters.
    if (view.service.resolution === "ALIAS") return [];
    const behind = endpoints.get(serviceKey(view.service)) ?? NO_SERVICE_ENDPOINTS;
    // Nobody asks who is behind a service that has no rule and no mutual TLS.
    const asked = (view.autoMtls && kind.secretServer) || view.destinationRule !== undefined;
    const accounts = asked ? accountsOf(view.service, behind, mesh) : NO_ACCOUNTS;
    const place = carriesEndpoints(view) ? scope : ANYWHERE;
    const someMtls = view.autoMtls && kind.secretServer && someTakeMtls(behind);
    const parts = cachedParts(view, { ...kind, accounts, someMtls, place, forSni: false }, behind);
    if (!forSni || view.service.meshExternal) return parts;
    return [...parts, ...cachedParts(view, { ...kind, accounts: NO_ACCOUNTS, someMtls, place, forSni: true }, behind)];
  });
}
