// The runtime's local pods as Pod resources. The last list is kept in the store: after a restart the endpoints are those of before the
// restart until the runtime publishes again, never none.
import type { PodList, PodReport } from "../../admin-api/index.ts";
import type { Resource } from "../../resources/index.ts";
import { toCanonicalJson } from "../store/canonical.ts";
import type { Store } from "../store/store.ts";

export interface PodCell {
  list(): PodList;
  /** One Resource per pod; the same object while the pod's report stands. */
  resources(): readonly Resource[];
  /** False when nothing changed. Durable when it returns. */
  publish(list: PodList): boolean;
}

const CELL = "pods";

interface Entry {
  readonly text: string;
  readonly resource: Resource;
}

export function createPodCell(store: Store): PodCell {
  let list: PodList = { pods: [] };
  let entries = new Map<string, Entry>();

  function replace(next: PodList): void {
    const kept = entries;
    entries = new Map();
    for (const pod of next.pods) {
      const key = `${pod.namespace}/${pod.name}`;
      const text = toCanonicalJson(pod);
      const before = kept.get(key);
      entries.set(key, before?.text === text ? before : { text, resource: toPodResource(pod) });
    }
    list = next;
  }

  const saved = store.readCell(CELL);
  if (saved !== undefined) replace(JSON.parse(saved) as PodList);

  return {
    list: () => list,
    resources: () => [...entries.values()].map((entry) => entry.resource),
    publish(next) {
      const before = store.revision();
      if (store.writeCell(CELL, JSON.stringify(next)) === before) return false;
      replace(next);
      return true;
    },
  };
}

function toPodResource(pod: PodReport): Resource {
  return Object.freeze({
    apiVersion: "v1",
    kind: "Pod" as const,
    metadata: { name: pod.name, namespace: pod.namespace, labels: pod.labels, annotations: pod.annotations, creationTimestamp: 0 },
    spec: { containers: [], serviceAccountName: pod.serviceAccount },
    status: pod.status,
    locate: () => ({ file: "", line: 0, column: 0 }),
  });
}
