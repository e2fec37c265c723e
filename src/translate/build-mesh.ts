// All resources → one snapshot. Every part is memoised by the identity of what it is made from, so the work follows the change:
// a kind whose resources are the same objects as before keeps its whole index.
import type {
  EnvoyFilter,
  Gateway,
  MeshConfiguration,
  MeshSettings,
  MeshSnapshot,
  Service,
  Sidecar,
  VirtualService,
} from "../model/index.ts";
import type {
  DestinationRuleSpec,
  EnvoyFilterSpec,
  GatewaySpec,
  Kind,
  Resource,
  SidecarSpec,
  VirtualServiceSpec,
} from "../resources/index.ts";
import { buildSecretIndex, isCredential } from "./credentials/secret-index.ts";
import { buildRuleIndex, type RuleIndex } from "./destination-rules/rule-index.ts";
import { toDestinationRule } from "./destination-rules/to-destination-rule.ts";
import { toEnvoyFilter } from "./envoy-filters/to-envoy-filter.ts";
import { toGateway } from "./gateways/to-gateway.ts";
import { type IstiodSettings, toMeshSettings } from "./mesh-settings.ts";
import { agedBy, byAge } from "./names.ts";
import { discoveredIn, visibilityIn } from "./namespaces.ts";
import { buildEndpoints, type EndpointState } from "./services/endpoint-index.ts";
import { buildServiceRegistry, type ServiceRegistry } from "./services/registry.ts";
import { toSidecar } from "./sidecars/to-sidecar.ts";
import { buildMtlsIndex, type MtlsIndex } from "./peer-authentications/mtls-index.ts";
import { toPeerAuthentication } from "./peer-authentications/to-peer-authentication.ts";
import { createLineage, type Lineage } from "./stable.ts";
import { mergeDelegates } from "./virtual-services/delegates.ts";
import { toVirtualService } from "./virtual-services/to-virtual-service.ts";
import { buildVirtualServiceIndex, type VirtualServiceIndex } from "./virtual-services/virtual-service-index.ts";
import { type WorkloadInput, workloadOfPod } from "./workload.ts";

export interface MeshInput {
  /** All kinds; those that are not translated are passed over. Pod resources with a status count as workloads. */
  readonly resources: readonly Resource[];
  /** Istio's MeshConfig as parsed YAML; undefined = defaults. */
  readonly meshConfig?: unknown;
  readonly istiod?: IstiodSettings;
  /** Running pods that are not among the resources (the admin API's PodReports). */
  readonly workloads?: readonly WorkloadInput[];
}

/** What a snapshot knows beside the model: indexes for views, and where things were written for checks. */
export interface Internals {
  readonly input: MeshInput;
  readonly byKind: ReadonlyMap<Kind, readonly Resource[]>;
  /** In namespaces that are not discovered. */
  readonly passedOver: readonly Resource[];
  readonly registry: ServiceRegistry;
  readonly rules: RuleIndex;
  readonly virtualServiceIndex: VirtualServiceIndex;
  readonly mtls: MtlsIndex;
  readonly settings: MeshSettings;
  readonly workloads: readonly WorkloadInput[];
  readonly endpointState: EndpointState;
  readonly lineage: Lineage;
}

const internals = new WeakMap<MeshSnapshot, Internals>();

export function internalsOf(snapshot: MeshSnapshot): Internals {
  const found = internals.get(snapshot);
  if (found === undefined) throw new TypeError("a snapshot is made by buildMesh only");
  return found;
}

function groupByKind(resources: readonly Resource[], lineage: Lineage): ReadonlyMap<Kind, readonly Resource[]> {
  const groups = new Map<Kind, Resource[]>();
  for (const resource of resources) {
    const group = groups.get(resource.kind);
    if (group === undefined) groups.set(resource.kind, [resource]);
    else group.push(resource);
  }
  const stable = new Map<Kind, readonly Resource[]>();
  for (const [kind, group] of groups) stable.set(kind, lineage.list(`kind ${kind}`, group));
  return stable;
}

const NONE: readonly Resource[] = Object.freeze([]);

interface Discovered {
  readonly counted: readonly Resource[];
  readonly passedOver: readonly Resource[];
  readonly isDiscovered: (namespace: string) => boolean;
}

function discover(resources: readonly Resource[], settings: MeshSettings): Discovered {
  const namespaces = (): readonly Resource[] => resources.filter(({ kind }) => kind === "Namespace");
  const isDiscovered = settings.discoverySelectors.length === 0 ? undefined : discoveredIn(settings, namespaces());
  if (isDiscovered === undefined) return { counted: resources, passedOver: NONE, isDiscovered: () => true };
  const counts = ({ kind, metadata }: Resource): boolean => kind === "Namespace" || isDiscovered(metadata.namespace);
  return { counted: resources.filter(counts), passedOver: resources.filter((one) => !counts(one)), isDiscovered };
}

/** `previous`: the latest snapshot of this line; what has not changed is taken from it. A build that only asks "what if" passes none. */
export function buildMesh(input: MeshInput, previous?: MeshSnapshot): MeshSnapshot {
  const before = previous === undefined ? undefined : internalsOf(previous);
  const lineage = before?.lineage ?? createLineage();
  const settings = toMeshSettings(input.meshConfig, input.istiod);
  const { counted, passedOver, isDiscovered } = discover(input.resources, settings);
  const byKind = groupByKind(counted, lineage);
  const of = (kind: Kind): readonly Resource[] => byKind.get(kind) ?? NONE;

  const namespaces = settings.serviceEntryVisibility === undefined ? NONE : of("Namespace");
  const registry = lineage.value("registry", [of("Service"), of("ServiceEntry"), settings, namespaces], () =>
    buildServiceRegistry(of("Service"), of("ServiceEntry"), {
      settings,
      previous: before?.registry,
      visibility: visibilityIn(settings, namespaces),
    }),
  );
  const virtualServices = lineage.value("virtualServices", [of("VirtualService"), settings], () =>
    toVirtualServices(of("VirtualService") as readonly Resource<VirtualServiceSpec>[], settings),
  );
  const destinationRules = lineage.value("destinationRules", [of("DestinationRule"), settings], () =>
    (of("DestinationRule") as readonly Resource<DestinationRuleSpec>[])
      .map((resource) => toDestinationRule(resource, settings))
      .sort(byAge),
  );
  const gateways = lineage.value("gateways", [of("Gateway")], (): readonly Gateway[] =>
    (of("Gateway") as readonly Resource<GatewaySpec>[]).map(toGateway).sort(byAge),
  );
  const sidecars = lineage.value("sidecars", [of("Sidecar"), settings], (): readonly Sidecar[] =>
    (of("Sidecar") as readonly Resource<SidecarSpec>[]).map((resource) => toSidecar(resource, settings)).sort(byAge),
  );
  const envoyFilters = lineage.value("envoyFilters", [of("EnvoyFilter")], (): readonly EnvoyFilter[] =>
    (of("EnvoyFilter") as readonly Resource<EnvoyFilterSpec>[]).map(toEnvoyFilter).sort(byAge),
  );
  const credentials = lineage.list("credentials", [...of("Secret"), ...of("ConfigMap")].filter(isCredential));
  const secrets = lineage.value("secrets", [credentials], () => buildSecretIndex(credentials));
  const services = lineage.list<Service>("services", registry.services);
  const config = lineage.value(
    "config",
    [settings, services, virtualServices, destinationRules, gateways, sidecars, envoyFilters, secrets],
    (): MeshConfiguration =>
      Object.freeze({ settings, services, virtualServices, destinationRules, gateways, sidecars, envoyFilters, secrets }),
  );

  const pods = lineage.list(
    "pods",
    of("Pod")
      .map(workloadOfPod)
      .filter((workload) => workload !== undefined),
  );
  const reported = (input.workloads ?? []).filter(({ namespace }) => isDiscovered(namespace));
  const workloads = lineage.list<WorkloadInput>("workloads", [...reported, ...pods]);
  const mtls = lineage.value("mtls", [of("PeerAuthentication"), settings.rootNamespace], () =>
    buildMtlsIndex(of("PeerAuthentication").map(toPeerAuthentication).sort(byAge), settings.rootNamespace),
  );
  const endpointState = lineage.value("endpoints", [registry, workloads, of("WorkloadEntry"), mtls], () =>
    buildEndpoints({ registry, workloads, workloadEntries: of("WorkloadEntry"), mtls }, before?.endpointState),
  );

  const snapshot = lineage.value("snapshot", [config, endpointState.index, workloads], (): MeshSnapshot =>
    Object.freeze({ config, endpoints: endpointState.index }),
  );
  internals.set(snapshot, {
    input,
    byKind,
    passedOver,
    registry,
    rules: lineage.value("rules", [destinationRules, settings], () => buildRuleIndex(destinationRules, settings)),
    virtualServiceIndex: lineage.value("virtualServiceIndex", [virtualServices], () => buildVirtualServiceIndex(virtualServices)),
    mtls,
    settings,
    workloads,
    endpointState,
    lineage,
  });
  return snapshot;
}

function toVirtualServices(resources: readonly Resource<VirtualServiceSpec>[], settings: MeshSettings): readonly VirtualService[] {
  const inOrder = resources
    .map((resource) => ({ ...agedBy(resource.metadata), model: toVirtualService(resource, settings) }))
    .sort(byAge)
    .map(({ model }) => model);
  return mergeDelegates(inOrder);
}
