// One plain value → a Resource, or the issues why not. Invalid in one place is invalid as a whole: nothing is half-applied.
import type { Issue, ResourceRef } from "../kit/index.ts";
import { extendPath } from "./field-path.ts";
import type { KindRow } from "./kind.ts";
import { findKind, KINDS, versionsOf } from "./kinds.ts";
import { reportIgnored } from "./kubernetes/report-ignored.ts";
import { withSelector } from "./kubernetes/deployment.ts";
import { DEFAULT_LIMITS, FORBIDDEN_KEYS } from "./limits.ts";
import { metadataSchema, toObjectMeta } from "./metadata.ts";
import { reportNotYet } from "./not-yet/report-not-yet.ts";
import { CODE, type CollectedReport, createReport, type Report } from "./report.ts";
import type { Locate, ObjectMeta, Resource } from "./resource.ts";
import { readValue } from "./schema/read.ts";
import { suggest } from "./schema/suggest.ts";

export interface ParsedObject {
  readonly resource: Resource | undefined;
  readonly issues: readonly Issue[];
}

export interface ParseObjectOptions {
  /** For the issues. */
  readonly locate: Locate;
  /** For the resource, when it is another one than for the issues. */
  readonly resourceLocate?: Locate;
  readonly issueLimit?: number;
}

/** Parses an object that is already a value, e.g. from the store. */
export function parseObject(value: unknown, file: string): ParsedObject {
  const locate: Locate = () => ({ file, line: 0, column: 0 });
  const forbidden = findForbiddenKey(value);
  if (forbidden !== undefined) {
    const report = createReport({ ref: () => ({ kind: "", namespace: "", name: "" }), locate, limit: 1 });
    report.error("", forbidden, "Use another name, or flatten it.");
    return { resource: undefined, issues: report.issues };
  }
  return parseLocatedObject(value, { locate });
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refOfValue(value: unknown): ResourceRef {
  const fields = isFields(value) ? value : {};
  const metadata = isFields(fields["metadata"]) ? fields["metadata"] : {};
  const text = (entry: unknown): string => (typeof entry === "string" ? entry : "");
  const kind = text(fields["kind"]);
  const clusterScoped = findKind(text(fields["apiVersion"]), kind)?.clusterScoped === true;
  const name = text(metadata["name"]);
  return { kind, namespace: clusterScoped || name === "" ? "" : text(metadata["namespace"]) || "default", name };
}

export function parseLocatedObject(value: unknown, options: ParseObjectOptions): ParsedObject {
  const report = createReport({ ref: () => refOfValue(value), locate: options.locate, limit: options.issueLimit ?? DEFAULT_LIMITS.issues });
  const resource = read(value, options, report);
  return { resource: report.failed() ? undefined : resource, issues: report.issues };
}

function read(value: unknown, options: ParseObjectOptions, report: CollectedReport): Resource | undefined {
  if (!isFields(value))
    return void report.add("error", {
      code: CODE.noResource,
      path: "",
      message: "the document is no resource but a plain value or list",
      fix: "Write apiVersion, kind, metadata and spec.",
    });
  const { apiVersion, kind } = value;
  for (const field of ["apiVersion", "kind"] as const) {
    if (typeof value[field] === "string" && value[field] !== "") continue;
    report.add("error", {
      code: CODE.noResource,
      path: field,
      message: `the document is no resource: ${field} is missing or no text`,
      fix: `Add ${field}.`,
    });
  }
  if (report.failed() || typeof apiVersion !== "string" || typeof kind !== "string") return undefined;
  const row = findKind(apiVersion, kind);
  if (row === undefined) return void reportUnknownKind(apiVersion, kind, report);
  reportUnknownFields(value, row, report);
  const at = { path: "metadata", report };
  const metadata =
    value["metadata"] === undefined || value["metadata"] === null
      ? void report.error("metadata", "metadata is required", "Add metadata.name.")
      : readValue(metadataSchema, value["metadata"], at);
  const spec = readSpec(value, row, report);
  if (report.failed() || metadata === undefined || spec === undefined) return undefined;
  return build(
    { value: value as Fields & { readonly apiVersion: string }, row, meta: toObjectMeta(metadata, row.clusterScoped === true), spec },
    options,
    report,
  );
}

function build(
  parts: {
    readonly value: Fields & { readonly apiVersion: string };
    readonly row: KindRow;
    readonly meta: ObjectMeta;
    readonly spec: unknown;
  },
  options: ParseObjectOptions,
  report: Report,
): Resource | undefined {
  const { value, row, meta } = parts;
  const { apiVersion } = value;
  let { spec } = parts;
  const written = (isFields(value["metadata"]) ? value["metadata"] : {})["namespace"];
  if (row.clusterScoped === true && typeof written === "string" && written !== "")
    report.warning("metadata.namespace", `a ${row.kind} is in no namespace`, "Remove metadata.namespace.");
  const old = row.oldVersions?.find((version) => version.apiVersion === apiVersion);
  if (old !== undefined)
    report.add("info", {
      code: CODE.oldApiVersion,
      path: "apiVersion",
      message: `${apiVersion} is an old version of ${row.kind}: ${old.note}`,
      fix: `Write apiVersion: ${versionsOf(row.kind)[0]}.`,
    });
  row.check?.(spec as never, { metadata: meta, report });
  if (report.failed()) return undefined;
  if (row.kind === "Deployment") {
    spec = withSelector(spec, {
      required: old === undefined,
      missing: () =>
        report.warning("spec", "apps/v1 asks for spec.selector; the template's labels are taken", "Add spec.selector.matchLabels."),
    });
  }
  reportNotYet({ kind: row.kind, spec }, report);
  reportIgnored({ kind: row.kind, schema: row.schema, spec, base: row.body === "spec" ? "spec" : "" }, report);
  const status = value["status"];
  return Object.freeze({
    apiVersion,
    kind: row.kind,
    metadata: meta,
    spec,
    ...(status === undefined || status === null ? {} : { status }),
    locate: options.resourceLocate ?? options.locate,
  });
}

const ROOT = ["apiVersion", "kind", "metadata", "status"];

/** Fields beside metadata of kinds without `spec`. */
function flatBody(value: Fields): Fields {
  // A store that keeps everything under spec gives it back so.
  const spec = value["spec"];
  if (isFields(spec)) return spec;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !ROOT.includes(name)));
}

function readSpec(value: Fields, row: KindRow, report: Report): unknown {
  if (row.body === "flat") return readValue(row.schema, flatBody(value), { path: "", report });
  const spec = value["spec"];
  if (spec === undefined || spec === null) {
    if (row.specRequired !== true) return readValue(row.schema, {}, { path: "spec", report });
    return void report.error("spec", "spec is required", "Add spec.");
  }
  return readValue(row.schema, spec, { path: "spec", report });
}

function reportUnknownFields(value: Fields, row: KindRow, report: Report): void {
  if (row.body === "flat") return;
  const known = [...ROOT, "spec"];
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    const near = suggest(name, known);
    report.error(
      extendPath("", name),
      `unknown field \`${name}\`${near === undefined ? "" : `, did you mean \`${near}\`?`}`,
      near === undefined ? "Move it under spec, or remove it." : `Rename it to ${near}.`,
    );
  }
}

function reportUnknownKind(apiVersion: string, kind: string, report: Report): void {
  const versions = versionsOf(kind);
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  const sameGroup = KINDS.some((row) => row.kind === kind && row.group === group);
  if (sameGroup) {
    report.add("error", {
      code: CODE.unknownKind,
      path: "apiVersion",
      message: `${kind} is not known in ${apiVersion}`,
      fix: `Write apiVersion: ${versions[0]}.`,
    });
    return;
  }
  const near = suggest(kind, new Set(KINDS.filter((row) => row.group === group).map((row) => row.kind)));
  const hint = near === undefined ? (versions.length > 0 ? `; ${kind} is known in ${versions.join(", ")}` : "") : `, did you mean ${near}?`;
  report.add("warning", {
    code: CODE.unknownKind,
    path: "kind",
    message: `the kind ${kind} of ${apiVersion} is not known and has no effect${hint}`,
    fix: near === undefined ? "Remove it if it is not meant for something else." : `Write kind: ${near}.`,
  });
}

/** Values that did not come through the YAML reader are checked for what it would have refused. */
function findForbiddenKey(value: unknown): string | undefined {
  const stack: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  let nodes = 0;
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (++nodes > DEFAULT_LIMITS.nodes) return `the object has more than ${DEFAULT_LIMITS.nodes} values`;
    if (top.depth > DEFAULT_LIMITS.depth) return `the object nests deeper than ${DEFAULT_LIMITS.depth} levels`;
    if (typeof top.value !== "object" || top.value === null) continue;
    for (const [key, entry] of Object.entries(top.value)) {
      if (FORBIDDEN_KEYS.has(key)) return `the key ${JSON.stringify(key)} is not allowed`;
      stack.push({ value: entry, depth: top.depth + 1 });
    }
  }
  return undefined;
}
