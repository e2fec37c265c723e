// A mesh from files alone, with nothing running: what `analyze` checks and `explain` asks.
import type { Issue } from "../kit/index.ts";
import type { MeshSnapshot } from "../model/index.ts";
import { parseSources, readMeshConfigFile } from "../resources/index.ts";
import { buildMesh, checkReferences } from "../translate/index.ts";
import { readDocuments } from "./documents.ts";
import { checkPatch } from "./own-proxy-patches.ts";

export interface OfflineMesh {
  readonly snapshot: MeshSnapshot;
  /** Of the documents and of how they fit together, in the order of the files. */
  readonly issues: readonly Issue[];
}

export function readOfflineMesh(options: { readonly paths: readonly string[]; readonly meshConfig?: string | undefined }): OfflineMesh {
  const sources = parseSources(readDocuments(options.paths));
  const meshConfig = options.meshConfig === undefined ? undefined : readMeshConfigFile(options.meshConfig);
  const snapshot = buildMesh({ resources: sources.resources, ...(meshConfig === undefined ? {} : { meshConfig: meshConfig.value }) });
  const issues = [...(meshConfig?.issues ?? []), ...sources.issues, ...checkReferences(snapshot, checkPatch)];
  return { snapshot, issues: sortIssues(issues) };
}

/** By place; those of no place last. */
export function sortIssues(issues: readonly Issue[]): readonly Issue[] {
  const place = (issue: Issue): string => (issue.line === 0 ? "\uffff" : issue.file);
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...issues].sort((a, b) => compare(place(a), place(b)) || a.line - b.line || a.column - b.column || compare(a.code, b.code));
}
