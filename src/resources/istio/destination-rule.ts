// DestinationRule in v1, v1beta1, v1alpha3 (https://istio.io/latest/docs/reference/config/networking/destination-rule/).
import { labels, must, wildcardDomain } from "../checks/fields.ts";
import { isDnsLabel } from "../checks/names.ts";
import { pathOf } from "../field-path.ts";
import type { ResourceCheck } from "../kind.ts";
import { list, obj, req, str } from "../schema/schema.ts";
import { checkExportTo, exportTo } from "./export-to.ts";
import { matchLabelsSelector } from "./selectors.ts";
import { trafficPolicy } from "./traffic-policy.ts";

const name = str({
  check: must(
    (text: string) => (isDnsLabel(text) ? undefined : `${JSON.stringify(text)} is no subset name`),
    "Use letters, digits and dashes, 63 at most.",
  ),
});

export const destinationRuleSchema = obj({
  host: req(wildcardDomain),
  trafficPolicy,
  subsets: list(obj({ name: req(name), labels: labels(), trafficPolicy })),
  exportTo,
  workloadSelector: matchLabelsSelector,
});

interface DestinationRuleShape {
  readonly subsets?: readonly { readonly name: string }[];
  readonly exportTo?: readonly string[];
  readonly workloadSelector?: unknown;
}

export const checkDestinationRule: ResourceCheck<DestinationRuleShape> = (spec, { metadata, report }) => {
  const subsets = spec.subsets ?? [];
  for (const [index, subset] of subsets.entries()) {
    if (subsets.slice(0, index).some((other) => other.name === subset.name)) {
      report.error(pathOf("spec", "subsets", index, "name"), `the subset ${subset.name} stands twice`, "Rename or remove one of them.");
    }
  }
  checkExportTo(
    spec.exportTo,
    { namespace: metadata.namespace, ownNamespaceOnly: spec.workloadSelector !== undefined },
    { path: "spec.exportTo", report },
  );
};
