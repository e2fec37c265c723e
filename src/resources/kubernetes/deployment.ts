// Deployment: apps/v1, and the beta versions that Kubernetes 1.16 dropped, where the selector may be left out and is then the template's labels
// (https://kubernetes.io/docs/reference/using-api/deprecation-guide/#v1-16).
import { labels } from "../checks/fields.ts";
import type { ResourceCheck } from "../kind.ts";
import { int, list, obj, req, str } from "../schema/schema.ts";
import { ignored } from "./ignored.ts";
import { podTemplate } from "./pod.ts";

const EMPTY = Object.freeze({});

export const deploymentSchema = obj({
  replicas: int({ min: 0, max: 10_000, default: 1 }),
  selector: obj({
    matchLabels: { ...labels(), default: EMPTY },
    matchExpressions: list(obj({ key: req(str()), operator: req(str()), values: list(str()) })),
  }),
  template: req(podTemplate),
  ...ignored("minReadySeconds", "paused", "progressDeadlineSeconds", "revisionHistoryLimit", "rollbackTo", "strategy"),
});

interface DeploymentShape {
  readonly selector?: { readonly matchLabels: Readonly<Record<string, string>>; readonly matchExpressions?: readonly unknown[] };
  readonly template: { readonly metadata: { readonly labels: Readonly<Record<string, string>> } };
}

export const OLD_DEPLOYMENT = [
  { apiVersion: "apps/v1beta1", note: "Kubernetes serves Deployments in apps/v1 since 1.16" },
  { apiVersion: "apps/v1beta2", note: "Kubernetes serves Deployments in apps/v1 since 1.16" },
  { apiVersion: "extensions/v1beta1", note: "Kubernetes serves Deployments in apps/v1 since 1.16" },
];

export const checkDeployment: ResourceCheck<DeploymentShape> = ({ selector, template }, { report }) => {
  if (selector === undefined) return;
  if ((selector.matchExpressions ?? []).length > 0) {
    report.error("spec.selector.matchExpressions", "matchExpressions are not supported yet", "Select by matchLabels.");
  }
  for (const [key, value] of Object.entries(selector.matchLabels)) {
    if (template.metadata.labels[key] !== value) {
      report.error(
        "spec.selector.matchLabels",
        `the selector ${key}=${value} does not select the Deployment's own pods`,
        `Add the label ${key}: ${value} to the template.`,
      );
      return;
    }
  }
};

/** The selector that a document without one has; apps/v1 asks for it. */
export function withSelector(spec: unknown, options: { readonly required: boolean; readonly missing: () => void }): unknown {
  const deployment = spec as DeploymentShape;
  if (deployment.selector !== undefined) return spec;
  if (options.required) options.missing();
  return Object.freeze({ ...deployment, selector: Object.freeze({ matchLabels: deployment.template.metadata.labels }) });
}
