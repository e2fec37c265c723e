// POST /apply and /delete: texts → parsed, admitted, written in one transaction or refused as a whole, with every issue on the way.
import type { ApplyRequest, ApplyResponse, ResourceKey } from "../admin-api/index.ts";
import type { Issue } from "../kit/index.ts";
import { refOf, type Resource } from "../resources/index.ts";
import { admit, FROM_FILE } from "./admission.ts";
import type { Parsed } from "./sources/file-source.ts";
import { type Change, keyOf, type Store, storeKey } from "./store/store.ts";

export interface ApplyOptions {
  readonly store: Store;
  readonly parse: (documents: ApplyRequest["documents"]) => Parsed;
  /** Called before the write, so that the places are known when the store's events come. */
  readonly onParsed: (resources: readonly Resource[]) => void;
  /** The mesh's issues after the write, or as they would be with these resources (a dry run). */
  readonly meshIssues: (withResources?: readonly Resource[]) => readonly Issue[];
}

export function applyDocuments(request: ApplyRequest, options: ApplyOptions): ApplyResponse {
  const { store } = options;
  const parsed = options.parse(request.documents);
  const admission = admit(parsed.resources, { store, originOf: () => "api" });
  const issues = [...parsed.issues, ...admission.issues];
  if (issues.some((issue) => issue.severity === "error")) {
    const keys = new Map([...parsed.resources.map(refOf), ...issues.map((issue) => issue.resource)].map((key) => [storeKey(key), key]));
    const named = [...keys.values()].filter((key) => key.name !== "");
    return {
      revision: store.revision(),
      results: (named.length === 0 ? [NAMELESS] : named).map((key) => ({ key, action: "refused" })),
      issues,
    };
  }
  if (request.dryRun === true) {
    return {
      revision: store.revision(),
      results: dryRun(admission.changes, store),
      issues: merge(issues, options.meshIssues(parsed.resources), parsed.resources),
    };
  }
  options.onParsed(admission.admitted);
  const { revision, results } = store.write(admission.changes, "api");
  return {
    revision,
    results: results.map(({ key, action }) => ({ key, action })),
    issues: merge(issues, options.meshIssues(), parsed.resources),
  };
}

/** A document so broken that it has no name. */
const NAMELESS: ResourceKey = { kind: "", namespace: "", name: "" };

export function deleteResources(keys: readonly ResourceKey[], store: Store): ApplyResponse {
  const issues = keys.filter((key) => store.originOf(key)?.startsWith("file:") === true).map(toFileIssue);
  if (issues.length > 0) {
    return { revision: store.revision(), results: keys.map((key) => ({ key, action: "refused" })), issues };
  }
  const changes = keys.map((key): Change => ({ op: "delete", key }));
  const { revision, results } = store.write(changes, "api");
  return { revision, results: results.map(({ key, action }) => ({ key, action })), issues: [] };
}

/** Tried on a throw-away draft: conflicts are thrown as they would be by the write. */
function dryRun(changes: readonly Change[], store: Store): ApplyResponse["results"] {
  return store.preview(changes).map(({ key, action }) => ({ key, action }));
}

/** The mesh's issues that are about what was applied, beside those of the documents themselves, each once. */
function merge(own: readonly Issue[], mesh: readonly Issue[], resources: readonly Resource[]): readonly Issue[] {
  const applied = new Set(resources.map((resource) => storeKey(refOf(resource))));
  const idOf = (issue: Issue): string => [issue.code, storeKey(issue.resource), issue.path, issue.message].join("\n");
  const seen = new Set(own.map(idOf));
  return [...own, ...mesh.filter((issue) => applied.has(storeKey(issue.resource)) && !seen.has(idOf(issue)))];
}

function toFileIssue(key: ResourceKey): Issue {
  return {
    code: FROM_FILE,
    severity: "error",
    message: "it comes from a file of --config",
    fix: "Remove it from the file: it is followed.",
    resource: keyOf({ kind: key.kind, metadata: key }),
    path: "",
    file: "",
    line: 0,
    column: 0,
  };
}
