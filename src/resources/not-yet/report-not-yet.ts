// Warns about what a resource asks for and does not get yet: once per row of the table and resource, at the first place.
import { joinPath } from "../field-path.ts";
import { CODE, type Report } from "../report.ts";
import type { Kind } from "../resource.ts";
import { NOT_YET } from "./table.ts";

export function reportNotYet(resource: { readonly kind: Kind; readonly spec: unknown }, report: Report): void {
  for (const row of NOT_YET) {
    if (row.kind !== resource.kind) continue;
    const place = row.paths.map((path) => find(resource, path, row.when ?? (() => true))).find((found) => found !== undefined);
    if (place === undefined) continue;
    report.add("warning", {
      code: CODE.notYet,
      path: place,
      message: `${row.what} has no effect yet${row.note === undefined ? "" : `. ${row.note}`}`.replace(/\.$/, ""),
      fix: place === "" ? "Remove the resource if it must not be left out silently." : "Remove it, or expect it to be left out.",
    });
  }
}

/** The path of the first value at the pattern that the test takes. */
function find(root: unknown, pattern: string, test: (value: unknown) => boolean): string | undefined {
  const steps = pattern === "" ? [] : pattern.split(".").flatMap((part) => (part.endsWith("[]") ? [part.slice(0, -2), "[]"] : [part]));
  return step(root, steps, "");

  function step(value: unknown, rest: readonly string[], path: string): string | undefined {
    if (value === undefined || value === null) return undefined;
    const [next, ...others] = rest;
    if (next === undefined) return test(value) ? path : undefined;
    if (next !== "[]") return step((value as Readonly<Record<string, unknown>>)[next], others, joinPath(path, next));
    for (const [index, entry] of (value as readonly unknown[]).entries()) {
      const found = step(entry, others, joinPath(path, index));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
