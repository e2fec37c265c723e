// Texts → resources and issues. A document that is broken is reported and does not stop the next one; `kind: List` is its items.
import type { Issue } from "../kit/index.ts";
import { DEFAULT_LIMITS, type ParseLimits } from "./limits.ts";
import { parseLocatedObject } from "./parse-object.ts";
import { CODE } from "./report.ts";
import { type Locate, refOf, type Resource } from "./resource.ts";
import { createLocate, locateIn } from "./yaml/locate.ts";
import { readDocument } from "./yaml/read-document.ts";
import { type DocumentText, splitDocuments } from "./yaml/split-documents.ts";

export interface Source {
  /** What issues call it. */
  readonly file: string;
  readonly text: string;
}

export interface ParsedSources {
  readonly resources: readonly Resource[];
  readonly issues: readonly Issue[];
}

interface Collected {
  readonly resources: Resource[];
  readonly issues: Issue[];
}

export function parseSources(sources: readonly Source[], options: { readonly limits?: Partial<ParseLimits> } = {}): ParsedSources {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const found: Collected = { resources: [], issues: [] };
  for (const source of sources) parseSource(source, limits, found);
  return withoutDuplicates(found);
}

const NOBODY = Object.freeze({ kind: "", namespace: "", name: "" });

function parseSource(source: Source, limits: ParseLimits, found: Collected): void {
  const { documents, more } = splitDocuments(source.text, limits.documentsPerFile);
  for (const document of documents) parseDocumentText(document, { file: source.file, limits, found });
  if (more) {
    const line = (documents.at(-1)?.linesBefore ?? 0) + 1;
    found.issues.push({
      code: CODE.tooMany,
      severity: "error",
      message: `the file has more than ${limits.documentsPerFile} documents; the rest is not read`,
      fix: "Split it into files.",
      resource: NOBODY,
      path: "",
      file: source.file,
      line,
      column: 1,
    });
  }
}

interface Place {
  readonly file: string;
  readonly limits: ParseLimits;
  readonly found: Collected;
}

function parseDocumentText(text: DocumentText, place: Place): void {
  const { file, limits, found } = place;
  const document = readDocument(text, limits);
  for (const { message, fix, line, column } of document.problems) {
    found.issues.push({ code: CODE.yaml, severity: "error", message, fix, resource: NOBODY, path: "", file, line, column });
  }
  if (document.problems.length > 0 || document.value === null || document.value === undefined) return;
  const items = listItems(document.value);
  const parse = (value: unknown, prefix: readonly (string | number)[]): void => {
    const parsed = parseLocatedObject(value, {
      locate: locateIn(document, { file, limits, prefix }),
      resourceLocate: createLocate(text, { file, limits, prefix }),
      issueLimit: limits.issues,
    });
    found.issues.push(...parsed.issues);
    if (parsed.resource !== undefined) found.resources.push(parsed.resource);
  };
  if (items === undefined) parse(document.value, []);
  else for (const [index, item] of items.entries()) parse(item, ["items", index]);
}

/** The items of `kind: List` (what `kubectl get -o yaml` prints), also of the typed lists such as ServiceList. */
function listItems(value: unknown): readonly unknown[] | undefined {
  const { kind, items } = value as { readonly kind?: unknown; readonly items?: unknown };
  return typeof kind === "string" && kind.endsWith("List") && Array.isArray(items) ? items : undefined;
}

/** The first document of a name counts; the others are errors. */
function withoutDuplicates(found: Collected): ParsedSources {
  const first = new Map<string, Locate>();
  const resources: Resource[] = [];
  const issues = [...found.issues];
  for (const resource of found.resources) {
    const { kind, namespace, name } = refOf(resource);
    const key = `${kind}/${namespace}/${name}`;
    const twin = first.get(key);
    if (twin === undefined) {
      first.set(key, resource.locate);
      resources.push(resource);
      continue;
    }
    const at = twin("");
    issues.push({
      code: CODE.duplicate,
      severity: "error",
      message: `${kind} ${namespace === "" ? name : `${namespace}/${name}`} stands twice: first in ${at.file}:${at.line}`,
      fix: "Remove one of the two; the first one is used.",
      resource: { kind, namespace, name },
      path: "",
      ...resource.locate(""),
    });
  }
  return { resources, issues };
}
