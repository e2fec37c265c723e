// Checks of EnvoyFilters: each patch by itself, as whoever knows Envoy's messages judges it.
import type { Issue } from "../../kit/index.ts";
import type { EnvoyPatch } from "../../model/index.ts";
import type { EnvoyFilterSpec, Resource } from "../../resources/index.ts";
import { toEnvoyFilter } from "../envoy-filters/to-envoy-filter.ts";
import { type Finding, toIssue } from "./report.ts";

/** undefined: nothing is wrong. `field` is a field of the patch. */
export type CheckPatch = (patch: EnvoyPatch) => (Omit<Finding, "path"> & { readonly field: string }) | undefined;

export function checkEnvoyFilter(resource: Resource<EnvoyFilterSpec>, checkPatch: CheckPatch): readonly Issue[] {
  return toEnvoyFilter(resource).patches.flatMap(({ patch }, index) => {
    const found = checkPatch(patch);
    if (found === undefined) return [];
    const { field, ...finding } = found;
    return [toIssue(resource, { ...finding, path: `spec.configPatches[${index}].${field}` })];
  });
}
