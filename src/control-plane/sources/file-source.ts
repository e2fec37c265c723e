// Keeps the store equal to the files under --config. A document with an error keeps its last good version, a file that is no YAML keeps
// all of its documents, a removed file takes its documents with it; one bad document stops no other.
import type { Issue } from "../../kit/index.ts";
import { refOf, type Resource } from "../../resources/index.ts";
import { admit } from "../admission.ts";
import type { Origin } from "../store/database.ts";
import { type Change, keyOf, type Store, storeKey } from "../store/store.ts";
import type { SourceFile } from "./file-watch.ts";

export interface Parsed {
  readonly resources: readonly Resource[];
  readonly issues: readonly Issue[];
}

export interface FileSource {
  /** Brings the store to what these files say. */
  follow(files: readonly SourceFile[]): void;
  issues(): readonly Issue[];
}

export function createFileSource(options: {
  readonly store: Store;
  readonly parse: (file: SourceFile) => Parsed;
  /** The parsed documents as they stand now, for their places. */
  readonly onParsed: (resources: readonly Resource[]) => void;
}): FileSource {
  const { store } = options;
  const parsedFiles = new WeakMap<SourceFile, Parsed>();
  let issues: readonly Issue[] = [];

  function parse(file: SourceFile): Parsed {
    let parsed = parsedFiles.get(file);
    if (parsed === undefined) parsedFiles.set(file, (parsed = options.parse(file)));
    return parsed;
  }

  return {
    issues: () => issues,
    follow(files) {
      const found = files.map((file) => ({ file: file.file, ...parse(file) }));
      const origins = new Map<Resource, Origin>(
        found.flatMap(({ file, resources }) => resources.map((resource) => [resource, `file:${file}`])),
      );
      const admission = admit([...origins.keys()], { store, originOf: (resource) => origins.get(resource) ?? "api" });
      options.onParsed(admission.admitted);
      store.write(
        [...admission.changes, ...findGone({ store, found, defined: new Set([...origins.keys()].map((r) => storeKey(refOf(r)))) })],
        "api",
      );
      issues = [...found.flatMap((file) => file.issues), ...admission.issues];
    },
  };
}

/** What came from files and stands in none any more, but for what an error hides. */
function findGone(options: {
  readonly store: Store;
  readonly found: readonly (Parsed & { readonly file: string })[];
  readonly defined: ReadonlySet<string>;
}): Change[] {
  const { store, found, defined } = options;
  const errors = found.flatMap(({ file, issues }) =>
    issues.filter((issue) => issue.severity === "error").map((issue) => ({ file, resource: issue.resource })),
  );
  const keptFiles = new Set(errors.filter(({ resource }) => resource.name === "").map(({ file }) => `file:${file}`));
  const keptKeys = new Set(errors.map(({ resource }) => storeKey(resource)));
  return store.list().flatMap((object): Change[] => {
    const key = keyOf(object);
    const origin = store.originOf(key) ?? "api";
    if (origin === "api" || defined.has(storeKey(key)) || keptKeys.has(storeKey(key)) || keptFiles.has(origin)) return [];
    return [{ op: "delete", key }];
  });
}
