// What MeshConfig decides by the labels of namespaces: which are discovered at all, and how far their ServiceEntries are seen
// (Istio pkg/kube/namespace/filter.go, pilot/pkg/model/serviceentry_visibility.go).
import { memoByIdentity } from "../kit/index.ts";
import type { LabelSelector, MeshSettings, Service, Visibility } from "../model/index.ts";
import type { Resource } from "../resources/index.ts";

type Labels = Readonly<Record<string, string>>;

const NO_LABELS: Labels = Object.freeze({});

/** Kubernetes' rule: a label that is not there is in no set, and not in any. */
export function matchesSelector({ matchLabels, matchExpressions }: LabelSelector, labels: Labels): boolean {
  const valueOf = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.entries(matchLabels).every(([key, value]) => valueOf(key) === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      const value = valueOf(key);
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
      }
    })
  );
}

const labelsByName = memoByIdentity(
  (namespaces: readonly Resource[]): ReadonlyMap<string, Labels> =>
    new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels])),
);

/** A namespace that nobody wrote down is not discovered where there are selectors; what stands in none always is. */
export function discoveredIn(settings: MeshSettings, namespaces: readonly Resource[]): ((namespace: string) => boolean) | undefined {
  const { discoverySelectors } = settings;
  if (discoverySelectors.length === 0) return undefined;
  const chosen = new Set(
    namespaces
      .filter(({ metadata }) => discoverySelectors.some((selector) => matchesSelector(selector, metadata.labels)))
      .map(({ metadata }) => metadata.name),
  );
  return (namespace) => namespace === "" || chosen.has(namespace);
}

/** The first policy that fits, else the default. */
export function visibilityIn(settings: MeshSettings, namespaces: readonly Resource[]): (namespace: string) => Visibility {
  const rules = settings.serviceEntryVisibility;
  if (rules === undefined) return () => "PUBLIC";
  const labels = labelsByName(namespaces);
  return (namespace) => {
    const own = labels.get(namespace) ?? NO_LABELS;
    const policy = rules.policies.find(({ selectors }) => selectors.every((one) => one !== undefined && matchesSelector(one, own)));
    return policy?.visibility ?? rules.defaultVisibility;
  };
}

const NOWHERE: readonly string[] = Object.freeze(["~"]);
const narrowed: (service: Service) => Partial<Record<Visibility, Service>> = memoByIdentity(() => ({}));

/** exportTo, as far as the namespace's visibility lets it. */
export function narrowService(service: Service, visibility: Visibility): Service {
  if (visibility === "PUBLIC") return service;
  const { exportTo, namespace } = service;
  const own = visibility === "NAMESPACE" && (exportTo.includes("*") || exportTo.includes(namespace));
  return (narrowed(service)[visibility] ??= Object.freeze({ ...service, exportTo: own ? [namespace] : NOWHERE }));
}
