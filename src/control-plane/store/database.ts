// The SQLite file under the store: schema, durability settings and the few statements. Knows rows, not Kubernetes semantics.
// WAL with synchronous=FULL: a commit returns after the log is on disk, so neither kill -9 nor a power cut takes back an answered write.
import { DatabaseSync } from "node:sqlite";
import { SerinError } from "../../kit/index.ts";
import type { StoredResource, WatchEvent } from "../../admin-api/index.ts";

/** Who wrote a resource: the API, or a file under --config. */
export type Origin = "api" | `file:${string}`;

export interface ResourceRow {
  readonly object: StoredResource;
  readonly origin: Origin;
}

export interface Database {
  readonly revision: number;
  /** Events up to here are gone. */
  compactedRevision(): number;
  load(): ResourceRow[];
  readCell(name: string): string | undefined;
  eventsAfter(revision: number): WatchEvent[];
  /** One durable transaction. */
  commit(write: Commit): void;
  close(): void;
}

export interface Commit {
  readonly revision: number;
  readonly puts: readonly ResourceRow[];
  readonly deletes: readonly StoredResource[];
  readonly events: readonly WatchEvent[];
  readonly cells?: readonly (readonly [name: string, value: string])[];
}

const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE resource (
    kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    origin TEXT NOT NULL, object TEXT NOT NULL,
    PRIMARY KEY (kind, namespace, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE event (revision INTEGER PRIMARY KEY, event TEXT NOT NULL) STRICT;
  CREATE TABLE cell (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** `:memory:` keeps nothing. `history` is how many events a watch can go back. */
export function openDatabase(options: { readonly file: string; readonly history: number }): Database {
  const db = open(options.file);
  const insertResource = db.prepare("INSERT OR REPLACE INTO resource (kind, namespace, name, origin, object) VALUES (?, ?, ?, ?, ?)");
  const deleteResource = db.prepare("DELETE FROM resource WHERE kind = ? AND namespace = ? AND name = ?");
  const insertEvent = db.prepare("INSERT INTO event (revision, event) VALUES (?, ?)");
  const trimEvents = db.prepare("DELETE FROM event WHERE revision <= ?");
  const selectEvents = db.prepare("SELECT event FROM event WHERE revision > ? ORDER BY revision");
  const insertCell = db.prepare("INSERT OR REPLACE INTO cell (name, value) VALUES (?, ?)");
  const selectCell = db.prepare("SELECT value FROM cell WHERE name = ?");

  const readCell = (name: string) => selectCell.get(name)?.["value"] as string | undefined;
  const numberCell = (name: string) => Number(readCell(name) ?? 0);
  let compacted = numberCell("compacted");
  const revision = numberCell("revision");

  function write(commit: Commit): void {
    for (const { object, origin } of commit.puts) {
      insertResource.run(object.kind, object.metadata.namespace, object.metadata.name, origin, JSON.stringify(object));
    }
    for (const { kind, metadata } of commit.deletes) deleteResource.run(kind, metadata.namespace, metadata.name);
    for (const event of commit.events) insertEvent.run(Number(event.resourceVersion), JSON.stringify(event));
    for (const [name, value] of commit.cells ?? []) insertCell.run(name, value);
    insertCell.run("revision", String(commit.revision));
  }

  return {
    revision,
    compactedRevision: () => compacted,
    load: () =>
      db
        .prepare("SELECT origin, object FROM resource")
        .all()
        .map((row) => ({ origin: row["origin"] as Origin, object: JSON.parse(row["object"] as string) as StoredResource })),
    readCell,
    eventsAfter: (after) => selectEvents.all(after).map((row) => JSON.parse(row["event"] as string) as WatchEvent),
    commit(commit) {
      // Trimmed in blocks: a delete for each write would double its cost.
      const trimTo = commit.revision - options.history;
      const trim = trimTo - compacted > options.history / 4;
      try {
        db.exec("BEGIN IMMEDIATE");
        write(commit);
        if (trim) {
          trimEvents.run(trimTo);
          insertCell.run("compacted", String(trimTo));
        }
        db.exec("COMMIT");
      } catch (cause) {
        if (db.isTransaction) db.exec("ROLLBACK");
        throw new SerinError("STORE_WRITE_FAILED", `the store cannot write ${options.file}: ${(cause as Error).message}`, {
          cause,
          fix: "Free space on the disk or mend its permissions; nothing of this write was kept.",
        });
      }
      if (trim) compacted = trimTo;
    },
    close: () => db.close(),
  };
}

function open(file: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 1000 });
    // Exclusive: two control planes on one folder would hand out the same revisions.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE; COMMIT");
    const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (version === 0) db.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`);
    else if (version !== SCHEMA_VERSION) {
      throw new SerinError("STORE_VERSION", `${file} has schema ${version}, this Serin reads ${SCHEMA_VERSION}`, {
        fix: "Start the Serin that wrote it, or give another --state folder.",
      });
    }
    return db;
  } catch (cause) {
    if (db?.isOpen === true) db.close();
    if (cause instanceof SerinError) throw cause;
    const { message, errcode } = cause as Error & { errcode?: number };
    if (errcode === 5) {
      throw new SerinError("STORE_LOCKED", `${file} is in use by another control plane`, {
        cause,
        fix: "Stop the other one, or give another --state folder.",
      });
    }
    throw new SerinError("STORE_OPEN_FAILED", `the store ${file} cannot be opened: ${message}`, {
      cause,
      fix: "Mend its permissions, or move the file away to start with an empty store.",
    });
  }
}
