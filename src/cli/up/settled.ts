// Whether what was applied runs, and what is missing when it does not.
import type { ApplyResponse, RuntimeState } from "../../admin-api/index.ts";

export function isSettled(state: RuntimeState, response: ApplyResponse | undefined): boolean {
  const applied = (response?.results ?? []).filter((result) => result.key.kind === "Deployment");
  for (const { key, action } of applied) {
    if (!state.deployments.some((one) => one.namespace === key.namespace && one.name === key.name)) return false;
    if (action === "configured" && Number(state.resourceVersion) < (response?.revision ?? 0)) return false;
  }
  return (
    state.deployments.every((one) => one.updatedReady === one.desired && one.current === one.desired) &&
    state.pods.some((pod) => pod.owner === undefined) &&
    state.pods.every((pod) => pod.owner !== undefined || pod.ready)
  );
}

/** One line for each thing that is not ready. */
export function unsettled(state: RuntimeState): string[] {
  const lines: string[] = [];
  if (state.controlPlane.state !== "running") lines.push(`control plane: ${state.controlPlane.reason ?? state.controlPlane.state}`);
  for (const { namespace, name, desired, updatedReady } of state.deployments) {
    if (updatedReady < desired) lines.push(`Deployment ${namespace}/${name}: ${updatedReady} of ${desired} pods are ready`);
  }
  for (const pod of state.pods) {
    if (pod.ready || pod.stopping) continue;
    const broken = [...pod.containers, ...(pod.sidecar === undefined ? [] : [pod.sidecar])].filter((p) => p.reason !== undefined);
    const reasons = broken.map((p) => `${p.name}: ${p.reason ?? ""}${p.restarts > 0 ? ` (${p.restarts} restarts)` : ""}`);
    lines.push(`pod ${pod.namespace}/${pod.name}: ${pod.message ?? (reasons.length > 0 ? reasons.join("; ") : "not ready")}`);
  }
  return lines;
}
