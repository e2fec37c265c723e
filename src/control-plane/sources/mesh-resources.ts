// The store's documents as Resources for the pipeline. A Resource keeps its identity while its spec and labels stand, whatever happens to
// its status, so that everything memoised on it holds; where its fields stand in the user's files is looked up when asked.
import type { StoredResource, WatchEvent } from "../../admin-api/index.ts";
import type { Locate, Resource } from "../../resources/index.ts";
import { refOf } from "../../resources/index.ts";
import { keyOf, type Store, storeKey } from "../store/store.ts";

export interface MeshResources {
  /** Oldest key first is not promised; the order is the order of first appearance. */
  all(): readonly Resource[];
  /** Remembers where these documents stand, for issues. */
  locate(resources: readonly Resource[]): void;
  stop(): void;
}

export function createMeshResources(options: {
  readonly store: Store;
  /** Reads a stored document again; undefined when this Serin does not know it. */
  readonly parse: (object: StoredResource) => Resource | undefined;
  readonly onChange: () => void;
}): MeshResources {
  const { store, parse } = options;
  const resources = new Map<string, { readonly generation: string; readonly resource: Resource }>();
  const places = new Map<string, Locate>();
  let list: readonly Resource[] | undefined;

  /** False when what the mesh is built from is the same. */
  function keep(object: StoredResource): boolean {
    const key = storeKey(keyOf(object));
    const { uid, generation, labels, annotations } = object.metadata;
    // Of a workload, its status says whether it is well.
    const status = object.kind === "WorkloadEntry" ? object.status : undefined;
    const stamp = JSON.stringify([uid, generation, object.apiVersion, labels, annotations, status]);
    if (resources.get(key)?.generation === stamp) return false;
    const parsed = parse(object);
    if (parsed === undefined) return resources.delete(key);
    const locate: Locate = (path) => (places.get(key) ?? parsed.locate)(path);
    resources.set(key, { generation: stamp, resource: Object.freeze({ ...parsed, locate }) });
    return true;
  }

  function onEvent(event: WatchEvent): void {
    if (event.object === undefined) return;
    const key = storeKey(keyOf(event.object));
    const changed = event.type === "DELETED" ? resources.delete(key) : keep(event.object);
    if (event.type === "DELETED") places.delete(key);
    if (!changed) return;
    list = undefined;
    options.onChange();
  }

  for (const object of store.list()) keep(object);
  const stop = store.watch(store.revision(), onEvent);

  return {
    all: () => (list ??= [...resources.values()].map((entry) => entry.resource)),
    locate(parsed) {
      for (const resource of parsed) places.set(storeKey(refOf(resource)), resource.locate);
    },
    stop,
  };
}
