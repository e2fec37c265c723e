// One step of a Deployment as Kubernetes' rolling update takes it with maxUnavailable 0: new pods first, old ones go when new ones are ready.
export interface RolloutPod {
  readonly name: string;
  readonly hash: string;
  readonly ready: boolean;
  readonly startedAt: number;
}

export interface RolloutStep {
  readonly create: number;
  readonly stop: readonly string[];
}

/** `pods` without those that are being stopped. */
export function planRollout(desired: {
  readonly replicas: number;
  readonly hash: string;
  readonly strategy: "RollingUpdate" | "Recreate";
  readonly pods: readonly RolloutPod[];
}): RolloutStep {
  const { replicas, hash, pods } = desired;
  const current = pods.filter((pod) => pod.hash === hash);
  const old = pods.filter((pod) => pod.hash !== hash);
  if (replicas === 0) return { create: 0, stop: pods.map((pod) => pod.name) };
  if (old.length === 0) {
    const surplus = current.length - replicas;
    return surplus > 0 ? { create: 0, stop: leastUseful(current, surplus) } : { create: -surplus, stop: [] };
  }
  if (desired.strategy === "Recreate") return { create: 0, stop: old.map((pod) => pod.name) };

  const surge = Math.max(1, Math.ceil(replicas / 4));
  const stop = old.filter((pod) => !pod.ready).map((pod) => pod.name);
  const readyOld = old.filter((pod) => pod.ready);
  const spare = current.filter((pod) => pod.ready).length + readyOld.length - replicas;
  if (spare > 0) stop.push(...leastUseful(readyOld, Math.min(spare, readyOld.length)));
  const left = pods.length - stop.length;
  const create = Math.max(0, Math.min(replicas - current.length, replicas + surge - left));
  const surplus = current.length - replicas;
  if (surplus > 0) stop.push(...leastUseful(current, surplus));
  return { create, stop };
}

/** Not ready before ready, young before old. */
function leastUseful(pods: readonly RolloutPod[], count: number): string[] {
  return [...pods]
    .sort((a, b) => Number(a.ready) - Number(b.ready) || b.startedAt - a.startedAt || (a.name < b.name ? -1 : 1))
    .slice(0, count)
    .map((pod) => pod.name);
}
