// Deployments → pods: every change of a Deployment or a pod ends in one step towards what the Deployment asks for.
import type { DeploymentState, PodReport, PodState } from "../admin-api/index.ts";
import type { Rng } from "../kit/index.ts";
import { needsSidecar } from "./injection.ts";
import { planRollout } from "./plan-rollout.ts";
import { createPodName } from "./pod-name.ts";
import type { PodHost } from "./pod-host.ts";
import { createPod, type Pod } from "./pod.ts";
import type { ResourceCache } from "./resource-cache.ts";
import { toWorkload, type Workload } from "./workload.ts";

export interface Workloads {
  /** Takes one step for every Deployment. */
  reconcile(): void;
  reports(): readonly PodReport[];
  pods(): readonly PodState[];
  deployments(): readonly DeploymentState[];
  /** Everything at once. */
  stop(graceMs: number): Promise<void>;
}

export interface WorkloadsOptions {
  /** undefined until the control plane answers for the first time. */
  readonly cache: () => ResourceCache | undefined;
  readonly host: PodHost;
  readonly rng: Rng;
  /** Resolves when the proxies know that a pod is gone. */
  readonly unpublished: () => Promise<void>;
  readonly onChange: () => void;
}

export function createWorkloads(options: WorkloadsOptions): Workloads {
  const { host, rng } = options;
  const pods = new Map<string, Pod>();
  /** Pods whose ports are being found, by Deployment. */
  const creating = new Map<string, number>();
  let stopped = false;

  function podsOf(workload: { readonly namespace: string; readonly name: string }): Pod[] {
    return [...pods.values()].filter((pod) => pod.namespace === workload.namespace && pod.workload === workload.name);
  }

  function reconcile(): void {
    const cache = options.cache();
    if (stopped || cache === undefined || cache.version() === "") return;
    const workloads = cache.list("Deployment").map(toWorkload);
    for (const workload of workloads) reconcileOne(workload);
    const wanted = new Set(workloads.map(keyOf));
    for (const pod of pods.values()) {
      if (!pod.stopping() && !wanted.has(`${pod.namespace}/${pod.workload}`)) stopPod(pod);
    }
  }

  function reconcileOne(workload: Workload): void {
    // The next step is taken when they are there.
    if ((creating.get(keyOf(workload)) ?? 0) > 0) return;
    const all = podsOf(workload);
    const live = all.filter((pod) => !pod.stopping());
    const step = planRollout({
      ...workload,
      pods: live.map((pod) => ({ name: pod.name, hash: pod.hash, ready: pod.ready(), startedAt: pod.startedAt })),
    });
    const stop = new Set(step.stop);
    for (const pod of live) if (stop.has(pod.name)) stopPod(pod);
    // Recreate: the old ones must be gone, not only going.
    if (workload.strategy === "Recreate" && all.some((pod) => pod.stopping())) return;
    for (let i = 0; i < step.create; i++) void startPod(workload);
  }

  async function startPod(workload: Workload): Promise<void> {
    const key = keyOf(workload);
    creating.set(key, (creating.get(key) ?? 0) + 1);
    try {
      const namespace = options.cache()?.find("Namespace", "", workload.namespace);
      const sidecar = needsSidecar({
        namespace: workload.namespace,
        namespaceLabels: namespace?.metadata.labels ?? {},
        podLabels: workload.template.labels,
        podAnnotations: workload.template.annotations,
      });
      const name = createPodName({ workload: workload.name, hash: workload.hash, rng });
      const pod = await createPod({ name, workload, sidecar, host });
      pods.set(`${pod.namespace}/${pod.name}`, pod);
      if (stopped) await pod.kill(0);
    } catch (error) {
      host.onEvent(`pod of Deployment ${key}: ${(error as Error).message}`);
    } finally {
      creating.set(key, (creating.get(key) ?? 1) - 1);
      options.onChange();
    }
  }

  function stopPod(pod: Pod): void {
    void pod.stop(options.unpublished).then(() => {
      pods.delete(`${pod.namespace}/${pod.name}`);
      options.onChange();
    });
  }

  return {
    reconcile,
    reports: () => [...pods.values()].filter((pod) => !pod.stopping()).map((pod) => pod.report()),
    pods: () => [...pods.values()].map((pod) => pod.state()),
    deployments() {
      return (options.cache()?.list("Deployment") ?? []).map((resource) => {
        const workload = toWorkload(resource);
        const live = podsOf(workload).filter((pod) => !pod.stopping());
        const updated = live.filter((pod) => pod.hash === workload.hash);
        return {
          name: workload.name,
          namespace: workload.namespace,
          desired: workload.replicas,
          current: live.length,
          ready: live.filter((pod) => pod.ready()).length,
          updated: updated.length,
          updatedReady: updated.filter((pod) => pod.ready()).length,
        };
      });
    },
    async stop(graceMs) {
      stopped = true;
      await Promise.all([...pods.values()].map((pod) => pod.kill(graceMs)));
    },
  };
}

function keyOf(workload: { readonly namespace: string; readonly name: string }): string {
  return `${workload.namespace}/${workload.name}`;
}
