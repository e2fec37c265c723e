// `exportTo`: who may see a resource (istio pkg/config/visibility and validateExportTo).
import { isDnsLabel } from "../checks/names.ts";
import { joinPath } from "../field-path.ts";
import type { Report } from "../report.ts";
import { list, str } from "../schema/schema.ts";

export const exportTo = list(str());

export interface ExportToOptions {
  readonly namespace: string;
  /** ServiceEntries may be exported to nobody. */
  readonly nobody?: boolean;
  /** A DestinationRule for some workloads stays in its namespace. */
  readonly ownNamespaceOnly?: boolean;
}

export function checkExportTo(
  entries: readonly string[] | undefined,
  options: ExportToOptions,
  at: { readonly path: string; readonly report: Report },
): void {
  if (entries === undefined || entries.length === 0) return;
  const { path, report } = at;
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const key = entry === "." ? options.namespace : entry;
    const place = joinPath(path, index);
    if (seen.has(key))
      report.error(place, entry === key ? `${entry} stands twice` : `. and ${key} are the same namespace`, "Remove one of the two.");
    else if (entry === "~" && options.nobody !== true)
      report.error(place, "~ (nobody) is only for ServiceEntry and Service", "Use `.` for the own namespace, or remove exportTo.");
    else if (entry !== "*" && entry !== "~" && !isDnsLabel(key))
      report.error(place, `${JSON.stringify(entry)} is no namespace`, "Use `.`, `*` or the name of a namespace.");
    seen.add(key);
  }
  if (entries.length > 1 && seen.has("*")) report.error(path, "* (everybody) stands beside others", "Keep * alone, or remove it.");
  if (entries.length > 1 && seen.has("~")) report.error(path, "~ (nobody) stands beside others", "Keep ~ alone, or remove it.");
  if (options.ownNamespaceOnly === true && !(seen.size === 1 && seen.has(options.namespace))) {
    report.error(path, "a DestinationRule with a workloadSelector is exported to its own namespace only", 'Write exportTo: ["."].');
  }
}
