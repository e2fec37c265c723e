// Resources with Kubernetes' API semantics: one revision for all, resourceVersion and generation per object, optimistic concurrency,
// status apart from spec, watch from a version. Reads come from memory; a write is on disk before it is answered or seen by anyone.
import { randomUUID } from "node:crypto";
import type { ResourceKey, StoredResource, WatchEvent } from "../../admin-api/index.ts";
import { type Clock, SerinError } from "../../kit/index.ts";
import { toCanonicalJson } from "./canonical.ts";
import { type Commit, openDatabase, type Origin, type ResourceRow } from "./database.ts";

/** A document to keep: what the server sets (uid, version, generation) is not the writer's. */
export interface StoreObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    /** RFC 3339; the time of the first write when absent. */
    readonly creationTimestamp?: string;
  };
  /** Everything beside apiVersion, kind, metadata and status: `spec`, or `data` and the like. */
  readonly body: Readonly<Record<string, unknown>>;
}

export type Change =
  | { readonly op: "put"; readonly object: StoreObject; readonly ifVersion?: string | undefined; readonly origin?: Origin }
  | { readonly op: "delete"; readonly key: ResourceKey; readonly ifVersion?: string | undefined };

export interface WriteResult {
  readonly revision: number;
  readonly results: readonly {
    readonly key: ResourceKey;
    readonly action: "created" | "configured" | "unchanged" | "deleted";
    readonly object: StoredResource;
  }[];
}

export interface StoreFilter {
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
}

export interface Store {
  revision(): number;
  get(key: ResourceKey): StoredResource | undefined;
  originOf(key: ResourceKey): Origin | undefined;
  list(filter?: StoreFilter): StoredResource[];
  /** All or nothing, in one transaction; each changed object gets a revision of its own. */
  write(changes: readonly Change[], origin: Origin): WriteResult;
  /** What `write` would answer, without writing. */
  preview(changes: readonly Change[]): WriteResult["results"];
  putStatus(key: ResourceKey, status: unknown, ifVersion?: string): StoredResource;
  /** Events after `since`, first the past ones, then as they come. Throws STORE_COMPACTED when some are gone. */
  watch(since: number, onEvent: (event: WatchEvent) => void): () => void;
  /** A named text beside the resources (the runtime's pods), as durable as they are. Moves the revision when it differs. */
  readCell(name: string): string | undefined;
  writeCell(name: string, value: string): number;
  close(): void;
}

export function storeKey(key: ResourceKey): string {
  return `${key.kind}/${key.namespace}/${key.name}`;
}

export function keyOf(object: {
  readonly kind: string;
  readonly metadata: { readonly namespace: string; readonly name: string };
}): ResourceKey {
  return { kind: object.kind, namespace: object.metadata.namespace, name: object.metadata.name };
}

export function openStore(options: { readonly file: string; readonly clock: Clock; readonly history?: number }): Store {
  const db = openDatabase({ file: options.file, history: options.history ?? 4096 });
  const rows = new Map<string, ResourceRow>(db.load().map((row) => [storeKey(keyOf(row.object)), row]));
  const watchers = new Set<(event: WatchEvent) => void>();
  let revision = db.revision;

  function persist(commit: Commit): void {
    db.commit(commit);
    revision = commit.revision;
    for (const row of commit.puts) rows.set(storeKey(keyOf(row.object)), row);
    for (const object of commit.deletes) rows.delete(storeKey(keyOf(object)));
    for (const event of commit.events) for (const watcher of watchers) watcher(event);
  }

  return {
    revision: () => revision,
    get: (key) => rows.get(storeKey(key))?.object,
    originOf: (key) => rows.get(storeKey(key))?.origin,
    list: (filter = {}) => [...rows.values()].map((row) => row.object).filter((object) => matchFilter(object, filter)),
    write(changes, origin) {
      const draft = draftWrite({ changes, origin, rows, revision, wall: options.clock.wall() });
      if (draft.commit.revision !== revision || draft.commit.puts.length > 0) persist(draft.commit);
      return { revision, results: draft.results };
    },
    preview: (changes) => draftWrite({ changes, origin: "api", rows, revision, wall: options.clock.wall() }).results,
    putStatus(key, status, ifVersion) {
      const row = rows.get(storeKey(key));
      if (row === undefined) throw notFound(key);
      checkVersion(row.object, key, ifVersion);
      if (toCanonicalJson(row.object.status) === toCanonicalJson(status)) return row.object;
      const next = revision + 1;
      const object: StoredResource = { ...row.object, metadata: { ...row.object.metadata, resourceVersion: String(next) }, status };
      persist({ revision: next, puts: [{ object, origin: row.origin }], deletes: [], events: [eventOf("MODIFIED", object)] });
      return object;
    },
    watch(since, onEvent) {
      // A version from the future belongs to a store that is no more.
      if (since < db.compactedRevision() || since > revision) {
        throw new SerinError("STORE_COMPACTED", `version ${since} is outside the kept history (${db.compactedRevision()}–${revision})`, {
          fix: "List again, and watch from the list's version.",
        });
      }
      for (const event of db.eventsAfter(since)) onEvent(event);
      watchers.add(onEvent);
      return () => watchers.delete(onEvent);
    },
    readCell: (name) => db.readCell(`cell:${name}`),
    writeCell(name, value) {
      if (db.readCell(`cell:${name}`) !== value) {
        persist({ revision: revision + 1, puts: [], deletes: [], events: [], cells: [[`cell:${name}`, value]] });
      }
      return revision;
    },
    close: () => db.close(),
  };
}

interface Draft {
  readonly commit: Commit;
  readonly results: WriteResult["results"];
}

/** What a write would do; pure, so that a refused change leaves nothing behind. */
function draftWrite(input: {
  readonly changes: readonly Change[];
  readonly origin: Origin;
  readonly rows: ReadonlyMap<string, ResourceRow>;
  readonly revision: number;
  readonly wall: number;
}): Draft {
  let revision = input.revision;
  const puts = new Map<string, ResourceRow>();
  const deletes = new Map<string, StoredResource>();
  const events: WatchEvent[] = [];
  const results: WriteResult["results"][number][] = [];

  for (const change of input.changes) {
    const key = change.op === "put" ? keyOf(change.object) : change.key;
    const id = storeKey(key);
    const before = puts.get(id)?.object ?? (deletes.has(id) ? undefined : input.rows.get(id)?.object);
    if (before !== undefined || change.ifVersion !== undefined) checkVersion(before, key, change.ifVersion);
    if (change.op === "delete") {
      if (before === undefined) throw notFound(key);
      const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(++revision) } };
      puts.delete(id);
      deletes.set(id, object);
      events.push(eventOf("DELETED", object));
      results.push({ key, action: "deleted", object });
      continue;
    }
    const origin = change.origin ?? input.origin;
    const after = toStored(change.object, before, { revision: revision + 1, wall: input.wall });
    if (after === before) {
      // Another owner is no event: only who may change it changes.
      if (input.rows.get(id)?.origin !== origin) puts.set(id, { object: after, origin });
      results.push({ key, action: "unchanged", object: after });
      continue;
    }
    revision += 1;
    deletes.delete(id);
    puts.set(id, { object: after, origin });
    events.push(eventOf(before === undefined ? "ADDED" : "MODIFIED", after));
    results.push({ key, action: before === undefined ? "created" : "configured", object: after });
  }
  return { commit: { revision, puts: [...puts.values()], deletes: [...deletes.values()], events }, results };
}

/** What an object was last found to say already: files are compared as a whole at each change of one of them. */
const found = new WeakMap<StoreObject, StoredResource>();

function toStored(object: StoreObject, before: StoredResource | undefined, at: { revision: number; wall: number }): StoredResource {
  if (before !== undefined && found.get(object) === before) return before;
  const stored = compareStored(object, before, at);
  found.set(object, stored);
  return stored;
}

function compareStored(object: StoreObject, before: StoredResource | undefined, at: { revision: number; wall: number }): StoredResource {
  const { name, namespace, labels, annotations } = object.metadata;
  const metadata = { name, namespace, ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) };
  const sameBody = before !== undefined && toCanonicalJson(bodyOf(before)) === toCanonicalJson(object.body);
  if (before !== undefined && sameBody && before.apiVersion === object.apiVersion && sameMetadata(before.metadata, metadata)) return before;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      ...metadata,
      creationTimestamp: before?.metadata.creationTimestamp ?? object.metadata.creationTimestamp ?? toTimestamp(at.wall),
      uid: before?.metadata.uid ?? randomUUID(),
      resourceVersion: String(at.revision),
      generation: before === undefined ? 1 : before.metadata.generation + (sameBody ? 0 : 1),
    },
    ...object.body,
    ...(before?.status === undefined ? {} : { status: before.status }),
  };
}

/** Whole seconds, as Kubernetes writes them: what one apply brings is of one age. */
function toTimestamp(wall: number): string {
  return new Date(Math.floor(wall / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

export function bodyOf(object: StoredResource): Readonly<Record<string, unknown>> {
  const { apiVersion: _a, kind: _k, metadata: _m, status: _s, ...body } = object as StoredResource & Record<string, unknown>;
  return body;
}

type Labelled = Pick<StoredResource["metadata"], "labels" | "annotations">;

function sameMetadata(a: Labelled, b: Labelled): boolean {
  return toCanonicalJson([a.labels ?? {}, a.annotations ?? {}]) === toCanonicalJson([b.labels ?? {}, b.annotations ?? {}]);
}

function checkVersion(object: StoredResource | undefined, key: ResourceKey, ifVersion: string | undefined): void {
  if (ifVersion === undefined || object?.metadata.resourceVersion === ifVersion) return;
  throw new SerinError("STORE_CONFLICT", `${storeKey(key)} is at version ${object?.metadata.resourceVersion ?? "none"}, not ${ifVersion}`, {
    fix: "Get it again, make the change on that, and write it again.",
  });
}

function notFound(key: ResourceKey): SerinError {
  return new SerinError("RESOURCE_NOT_FOUND", `there is no ${key.kind} ${key.namespace === "" ? "" : `${key.namespace}/`}${key.name}`);
}

function eventOf(type: "ADDED" | "MODIFIED" | "DELETED", object: StoredResource): WatchEvent {
  return { type, resourceVersion: object.metadata.resourceVersion, object };
}

function matchFilter(object: StoredResource, filter: StoreFilter): boolean {
  return (
    (filter.kind === undefined || object.kind === filter.kind) &&
    (filter.namespace === undefined || object.metadata.namespace === filter.namespace)
  );
}
