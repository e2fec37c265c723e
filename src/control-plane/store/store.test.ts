import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { WatchEvent } from "../../admin-api/index.ts";
import { systemClock } from "../../kit/index.ts";
import { type Change, openStore, type Store, type StoreObject } from "./store.ts";

const KEY = { kind: "VirtualService", namespace: "test1", name: "demo4" };

function object(weight: number, extra: Partial<StoreObject["metadata"]> = {}): StoreObject {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: KEY.kind,
    metadata: { name: KEY.name, namespace: KEY.namespace, ...extra },
    body: { spec: { weight } },
  };
}

const put = (o: StoreObject, ifVersion?: string): Change => ({ op: "put", object: o, ifVersion });
const named = (name: string): StoreObject => object(1, { name });

let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "serin-store-"));
  store = reopen();
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

function reopen(options: { history?: number } = {}): Store {
  return openStore({ file: path.join(folder, "store.db"), clock: { ...systemClock, wall: () => 1_700_000_000_123 }, ...options });
}

describe("write", () => {
  test("sets version, generation, uid and time; keeps them as Kubernetes does", () => {
    const [created] = store.write([put(object(1))], "api").results;
    expect(created?.action).toBe("created");
    expect(created?.object.metadata).toMatchObject({ resourceVersion: "1", generation: 1, creationTimestamp: "2023-11-14T22:13:20Z" });

    const [relabelled] = store.write([put(object(1, { labels: { a: "b" } }))], "api").results;
    expect(relabelled?.action).toBe("configured");
    expect(relabelled?.object.metadata).toMatchObject({ resourceVersion: "2", generation: 1, uid: created?.object.metadata.uid });

    const [changed] = store.write([put(object(2, { labels: { a: "b" } }))], "api").results;
    expect(changed?.object.metadata).toMatchObject({ resourceVersion: "3", generation: 2, creationTimestamp: "2023-11-14T22:13:20Z" });
  });

  test("an equal value changes nothing, whatever the order of its keys", () => {
    store.write([put({ ...object(1), body: { spec: { a: 1, b: [{ c: 1, d: 2 }] } } })], "api");
    const seen: WatchEvent[] = [];
    store.watch(1, (event) => seen.push(event));
    const result = store.write([put({ ...object(1), body: { spec: { b: [{ d: 2, c: 1 }], a: 1 } } })], "api");
    expect(result).toMatchObject({ revision: 1, results: [{ action: "unchanged" }] });
    expect(seen).toEqual([]);
  });

  test("the document's own creationTimestamp is kept", () => {
    const result = store.write([put(object(1, { creationTimestamp: "2020-01-01T00:00:00Z" }))], "api");
    expect(result.results[0]?.object.metadata.creationTimestamp).toBe("2020-01-01T00:00:00Z");
  });

  test.each<[string, (s: Store) => void, string]>([
    ["stale version", (s) => s.write([put(object(9), "7")], "api"), "STORE_CONFLICT"],
    ["a version, but no object", (s) => s.write([put(named("other"), "1")], "api"), "STORE_CONFLICT"],
    ["delete with a stale version", (s) => s.write([{ op: "delete", key: KEY, ifVersion: "7" }], "api"), "STORE_CONFLICT"],
    ["delete of what is not there", (s) => s.write([{ op: "delete", key: { ...KEY, name: "x" } }], "api"), "RESOURCE_NOT_FOUND"],
    ["status of what is not there", (s) => s.putStatus({ ...KEY, name: "x" }, {}), "RESOURCE_NOT_FOUND"],
    ["status with a stale version", (s) => s.putStatus(KEY, {}, "7"), "STORE_CONFLICT"],
    [
      "one stale among many: nothing is kept",
      (s) => s.write([put(named("a")), put(object(9), "7"), put(named("b"))], "api"),
      "STORE_CONFLICT",
    ],
  ])("refused: %s", (_name, act, code) => {
    store.write([put(object(1))], "api");
    expect(() => act(store)).toThrow(expect.objectContaining({ code }));
    expect(store.revision()).toBe(1);
    expect(store.list().map((o) => o.metadata.name)).toEqual(["demo4"]);
  });

  test("the right version is accepted", () => {
    store.write([put(object(1))], "api");
    expect(store.write([put(object(2), "1")], "api").results[0]?.object.metadata.resourceVersion).toBe("2");
  });
});

test("status changes the version, never the generation, and a spec write keeps it", () => {
  store.write([put(object(1))], "api");
  expect(store.putStatus(KEY, { ready: true }).metadata).toMatchObject({ resourceVersion: "2", generation: 1 });
  expect(store.putStatus(KEY, { ready: true }).metadata.resourceVersion).toBe("2");
  store.write([put(object(2))], "api");
  expect(store.get(KEY)).toMatchObject({ spec: { weight: 2 }, status: { ready: true }, metadata: { generation: 2 } });
});

describe("watch", () => {
  const collect = (since: number) => {
    const seen: string[] = [];
    const stop = store.watch(since, (e) => seen.push(`${e.type} ${e.object?.metadata.name} ${e.resourceVersion}`));
    return { seen, stop };
  };

  test("past events from a version, then new ones, without a gap, over a restart too", () => {
    store.write([put(named("a")), put(named("b"))], "api");
    store.close();
    store = reopen();
    const { seen, stop } = collect(1);
    store.write([{ op: "delete", key: { ...KEY, name: "a" } }, put(named("c"))], "api");
    stop();
    store.write([put(named("d"))], "api");
    expect(seen).toEqual(["ADDED b 2", "DELETED a 3", "ADDED c 4"]);
  });

  test("what is compacted, or not yet there, is refused", () => {
    store.close();
    store = reopen({ history: 8 });
    for (let i = 1; i <= 20; i++) store.write([put(object(i))], "api");
    expect(() => store.watch(2, () => {})).toThrow(expect.objectContaining({ code: "STORE_COMPACTED" }));
    expect(() => store.watch(21, () => {})).toThrow(expect.objectContaining({ code: "STORE_COMPACTED" }));
    expect(collect(12).seen).toHaveLength(8);
  });
});

test("everything is there after a restart: objects, origins, revision, cells", () => {
  store.write([put(object(1))], "file:a.yaml");
  store.writeCell("pods", "[1]");
  expect(store.writeCell("pods", "[1]")).toBe(2);
  const before = store.list();
  store.close();
  store = reopen();
  expect(store.list()).toEqual(before);
  expect(store.originOf(KEY)).toBe("file:a.yaml");
  expect(store.readCell("pods")).toBe("[1]");
  expect(store.revision()).toBe(2);
});

test("a second store on the same file is refused", () => {
  expect(() => reopen()).toThrow(expect.objectContaining({ code: "STORE_LOCKED" }));
});
