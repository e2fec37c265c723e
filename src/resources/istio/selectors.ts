// Which workloads or objects a resource is about: `selector.matchLabels`, `workloadSelector.labels`, `targetRef(s)`.
import { joinPath } from "../field-path.ts";
import type { Report } from "../report.ts";
import { list, map, type MapSchema, obj, type ObjectSchema, req, type Rule, str } from "../schema/schema.ts";

const SUBDOMAIN = /^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function checkSelector(selector: Readonly<Record<string, unknown>>, path: string, report: Report): void {
  for (const [key, value] of Object.entries(selector)) {
    const at = joinPath(path, key);
    if (key === "") report.error(at, "a label key must not be empty", "Write the label's name.");
    if (key.includes("*") || String(value).includes("*"))
      report.error(at, "wildcards are not supported in a selector", "Write the label and value in full.");
  }
}

function selectorLabels(max: number): MapSchema {
  return map(str({ max: 63 }), { max, check: checkSelector });
}

function warnEmpty(field: string) {
  return (value: Readonly<Record<string, unknown>>, path: string, report: Report): void => {
    const labels = value[field];
    if (labels === undefined || Object.keys(labels as object).length === 0) {
      report.warning(
        path,
        "a workload selector without labels selects every workload of the namespace",
        "Add labels, or remove the selector.",
      );
    }
  };
}

/** type.istio.io WorkloadSelector. */
export const matchLabelsSelector: ObjectSchema = obj({ matchLabels: selectorLabels(4096) }, { check: warnEmpty("matchLabels") });

/** networking.istio.io WorkloadSelector. */
export const labelsSelector: ObjectSchema = obj({ labels: selectorLabels(256) }, { check: warnEmpty("labels") });

const TARGETS = new Set([
  "/Service",
  "core/Service",
  "networking.istio.io/ServiceEntry",
  "gateway.networking.k8s.io/Gateway",
  "gateway.networking.k8s.io/GatewayClass",
]);

export const targetRef: ObjectSchema = obj<{ readonly group?: string; readonly kind: string }>(
  {
    group: str({ max: 253, pattern: SUBDOMAIN, patternName: "an API group" }),
    kind: req(str({ min: 1, max: 63, pattern: /^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/, patternName: "a kind" })),
    name: req(str({ min: 1, max: 253 })),
    namespace: str({
      check: (value, path, report) => {
        if (value !== "") report.error(path, "a targetRef stays in its own namespace", "Remove the namespace.");
      },
    }),
  },
  {
    check: (ref, path, report) => {
      if (!TARGETS.has(`${ref.group ?? ""}/${ref.kind}`)) {
        report.error(
          joinPath(path, "kind"),
          `a targetRef names a Service, ServiceEntry, Gateway (gateway.networking.k8s.io) or GatewayClass, not ${ref.group ?? ""}/${ref.kind}`,
        );
      }
    },
  },
);

export const targetRefs = list(targetRef, { max: 16 });

/** At most one of the ways to select (a CEL rule of the published schema). */
export function oneSelector(fields: readonly string[]): Rule {
  return {
    message: `only one of ${fields.join(", ")} can be set`,
    test: (self) => fields.filter((field) => self[field] !== undefined).length <= 1,
    field: fields[1] ?? "",
    fix: "Keep one of them.",
  };
}
