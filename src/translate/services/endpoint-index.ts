// The endpoints of the whole mesh. Only services whose pods or resources changed get a new entry; nothing changed: the same index.
import type { EndpointIndex, Service, ServiceEndpoints } from "../../model/index.ts";
import { serviceKey } from "../../model/index.ts";
import type { Resource, WorkloadEntrySpec } from "../../resources/index.ts";
import { memoByIdentity } from "../../kit/index.ts";
import { createLabelIndex } from "../label-index.ts";
import { selects } from "../names.ts";
import type { MtlsIndex } from "../peer-authentications/mtls-index.ts";
import { sameElements } from "../stable.ts";
import type { WorkloadInput } from "../workload.ts";
import { withMtls } from "./endpoint-mtls.ts";
import { buildServiceEndpoints, inlineEndpoints, labelsOfEntry, type Selectable, selectorOf } from "./endpoints.ts";
import type { ServiceRegistry, ServiceSource } from "./registry.ts";

interface Built {
  readonly source: ServiceSource;
  /** What was selected for each of the source's resources. */
  readonly chosen: readonly (readonly Selectable[])[];
  /** Before mutual TLS is considered. */
  readonly written: ServiceEndpoints;
  readonly endpoints: ServiceEndpoints;
}

export interface EndpointState {
  readonly index: EndpointIndex;
  readonly registry: ServiceRegistry;
  readonly selectables: ReadonlyMap<string, NamespaceWorkloads>;
  readonly built: ReadonlyMap<string, Built>;
}

interface NamespaceWorkloads {
  /** The pods and entries themselves, to see whether anything changed. */
  readonly members: readonly object[];
  select(selector: Readonly<Record<string, string>>): readonly Selectable[];
}

export function buildEndpoints(
  input: {
    readonly registry: ServiceRegistry;
    readonly workloads: readonly WorkloadInput[];
    readonly workloadEntries: readonly Resource[];
    readonly mtls: MtlsIndex;
  },
  previous: EndpointState | undefined,
): EndpointState {
  const { registry } = input;
  const selectables = groupByNamespace(input.workloads, input.workloadEntries, previous?.selectables);
  const built = new Map<string, Built>();
  let changed = previous === undefined || previous.built.size !== registry.services.length;
  for (const service of registry.services) {
    const key = serviceKey(service);
    const source = registry.sources.get(key);
    if (source === undefined) continue;
    const before = previous?.built.get(key);
    const next = buildOne(source, before, {
      now: selectables.get(service.namespace),
      before: previous?.selectables.get(service.namespace),
    });
    const endpoints = withMtls(next.written, input.mtls);
    built.set(key, endpoints === next.endpoints ? next : { ...next, endpoints });
    if (before?.endpoints !== endpoints) changed = true;
  }
  if (!changed && previous !== undefined) return { index: previous.index, registry, selectables, built };
  const index = new Map<string, ServiceEndpoints>();
  for (const [key, one] of built) index.set(key, one.endpoints);
  return { index, registry, selectables, built };
}

const NOTHING: readonly Selectable[] = [];

function buildOne(
  source: ServiceSource,
  before: Built | undefined,
  workloads: { readonly now: NamespaceWorkloads | undefined; readonly before: NamespaceWorkloads | undefined },
): Built {
  const sameSource =
    before !== undefined && before.source.service === source.service && sameElements(before.source.resources, source.resources);
  if (sameSource && workloads.now === workloads.before) return before;
  const chosen = source.resources.map((resource) => {
    const selector = selectorOf(resource);
    return selector === undefined || Object.keys(selector).length === 0 ? NOTHING : (workloads.now?.select(selector) ?? NOTHING);
  });
  if (sameSource && before.chosen.every((list, index) => sameElements(list, chosen[index] ?? NOTHING))) return before;
  const [only] = source.resources;
  const plain = source.resources.length === 1 && only !== undefined && selectorOf(only) === undefined;
  const endpoints = plain
    ? inlineEndpoints(source.service, only)
    : buildServiceEndpoints(
        source.service,
        source.resources.map((resource, index) => ({ resource, chosen: chosen[index] ?? NOTHING })),
      );
  return { source, chosen, written: endpoints, endpoints };
}

const podSelectable = new WeakMap<WorkloadInput, Selectable>();
const entrySelectable = new WeakMap<Resource, Selectable>();

function selectableOfPod(pod: WorkloadInput): Selectable {
  let item = podSelectable.get(pod);
  if (item === undefined) podSelectable.set(pod, (item = { kind: "pod", labels: pod.labels, pod }));
  return item;
}

function selectableOfEntry(resource: Resource<WorkloadEntrySpec>): Selectable {
  let item = entrySelectable.get(resource);
  if (item === undefined) entrySelectable.set(resource, (item = { kind: "entry", labels: labelsOfEntry(resource), resource }));
  return item;
}

/** Pods that have ended are no endpoints, ready or not. */
function isAlive(pod: WorkloadInput): boolean {
  return (pod.status.phase === "Running" || pod.status.phase === "Pending") && pod.status.podIP !== "";
}

function groupByNamespace(
  workloads: readonly WorkloadInput[],
  entries: readonly Resource[],
  previous: ReadonlyMap<string, NamespaceWorkloads> | undefined,
): ReadonlyMap<string, NamespaceWorkloads> {
  const groups = new Map<string, Selectable[]>();
  const add = (namespace: string, item: Selectable): void => {
    const group = groups.get(namespace);
    if (group === undefined) groups.set(namespace, [item]);
    else group.push(item);
  };
  for (const pod of workloads) if (isAlive(pod)) add(pod.namespace, selectableOfPod(pod));
  for (const resource of entries) add(resource.metadata.namespace, selectableOfEntry(resource as Resource<WorkloadEntrySpec>));
  const result = new Map<string, NamespaceWorkloads>();
  for (const [namespace, members] of groups) {
    const before = previous?.get(namespace);
    result.set(namespace, before !== undefined && sameElements(before.members, members) ? before : createNamespaceWorkloads(members));
  }
  return result;
}

function createNamespaceWorkloads(members: readonly Selectable[]): NamespaceWorkloads {
  const index = createLabelIndex(members, (item) => item.labels);
  return { members, select: (selector) => index.select(selector) };
}

const selectingServices = memoByIdentity((registry: ServiceRegistry): ReadonlyMap<string, readonly Service[]> =>
  Map.groupBy(
    registry.services.filter((service) => service.selector !== undefined),
    (service) => service.namespace,
  ),
);

/** The services of a namespace whose selector chooses these labels, oldest first. */
export function servicesSelecting(
  registry: ServiceRegistry,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): readonly Service[] {
  const services = selectingServices(registry).get(namespace) ?? [];
  return services.filter((service) => service.selector !== undefined && selects(service.selector, labels));
}
