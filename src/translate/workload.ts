// Running workloads as the registry takes them in: the pods that src/runtime reports, by the admin API's PodReport or as Pod resources.
import { memoByIdentity } from "../kit/index.ts";
import type { PodStatus, Resource } from "../resources/index.ts";

/** What the admin API's PodReport has; the object's identity changes only when the pod does. */
export interface WorkloadInput {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly status: PodStatus;
}

export const workloadOfPod: (pod: Resource) => WorkloadInput | undefined = memoByIdentity((pod) => {
  if (pod.kind !== "Pod" || pod.status === undefined || pod.status === null) return undefined;
  const status = pod.status as PodStatus;
  if (typeof status.podIP !== "string" || !Array.isArray(status.ports)) return undefined;
  const spec = pod.spec as { readonly serviceAccountName?: string } | undefined;
  return {
    name: pod.metadata.name,
    namespace: pod.metadata.namespace,
    labels: pod.metadata.labels,
    serviceAccount: spec?.serviceAccountName ?? "default",
    status,
  };
});

/** What a pod is a copy of, by the name that its owner gave it. */
export function workloadNameOfPod({ name, labels }: Pick<WorkloadInput, "name" | "labels">): string {
  const hash = labels["pod-template-hash"];
  const end = hash === undefined ? -1 : name.lastIndexOf(`-${hash}-`);
  return end > 0 ? name.slice(0, end) : name;
}

/** Registered by a group, or named by a label (Istio pkg/config/labels WorkloadNameFromWorkloadEntry). */
export function workloadNameOfEntry({ name, annotations, labels }: Resource["metadata"]): string {
  return annotations?.["istio.io/autoRegistrationGroup"] ?? labels["service.istio.io/workload-name"] ?? name;
}

/** Where health is checked, not before it is said to be well (Istio serviceregistry/serviceentry isHealthy). */
export function isHealthyEntry({ metadata, status }: Resource): boolean {
  if (metadata.annotations?.["proxy.istio.io/health-checks-enabled"] !== "true") return true;
  const { conditions } = (status ?? {}) as { readonly conditions?: readonly { readonly type?: string; readonly status?: string }[] };
  return conditions?.some((condition) => condition.type === "Healthy" && condition.status === "True") === true;
}
