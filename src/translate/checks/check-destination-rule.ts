// What a DestinationRule refers to: its host, and pods behind its subsets.
import { type Issue, memoByIdentity } from "../../kit/index.ts";
import type { EndpointIndex, MeshSettings, Service } from "../../model/index.ts";
import { hostCovers, isWildcardHost, serviceKey } from "../../model/index.ts";
import type { DeploymentSpec, DestinationRuleSpec, Resource } from "../../resources/index.ts";
import { createLabelIndex } from "../label-index.ts";
import { selects } from "../names.ts";
import { toDestinationRule } from "../destination-rules/to-destination-rule.ts";
import type { KnownNames } from "./known-names.ts";
import { notFound, toIssue } from "./report.ts";

export interface DestinationRuleContext {
  readonly settings: MeshSettings;
  readonly names: KnownNames;
  readonly services: readonly Service[];
  readonly endpoints: EndpointIndex;
  readonly deployments: readonly Resource[];
}

export function checkDestinationRule(resource: Resource<DestinationRuleSpec>, context: DestinationRuleContext): readonly Issue[] {
  const rule = toDestinationRule(resource, context.settings);
  const service = isWildcardHost(rule.host)
    ? context.services.find((one) => hostCovers(rule.host, one.hostname))
    : context.names.service(rule.host);
  if (service === undefined) {
    const similar = context.names.similarHosts(rule.host);
    const fix = similar.length > 0 ? `Did you mean ${similar.join(" or ")}?` : "Create the Service or ServiceEntry, or correct the host.";
    return [toIssue(resource, notFound("host", rule.host, { path: "spec.host", fix, severity: "warning" }))];
  }
  const issues: Issue[] = [];
  // Hosts that requests name have no labels, so that no subset of them has any.
  const named = context.services.some((one) => one.hostname === rule.host && one.resolution === "DYNAMIC_DNS");
  if (named || !isWildcardHost(rule.host)) {
    for (const [index, subset] of (resource.spec.subsets ?? []).entries()) {
      if (selectsSomething(service, subset.labels ?? {}, context)) continue;
      issues.push(
        toIssue(resource, {
          code: "IST0173",
          severity: "warning",
          message: `The Subset ${subset.name} defined in DestinationRule does not select any pods.`,
          fix: `Check its labels against those of the pods behind ${rule.host}.`,
          path: `spec.subsets[${index}].labels`,
        }),
      );
    }
  }
  const tls = resource.spec.trafficPolicy?.tls;
  const verifies = (tls?.caCertificates ?? "") !== "" || (tls?.credentialName ?? "") !== "" || tls?.insecureSkipVerify === true;
  if (tls !== undefined && (tls.mode === "SIMPLE" || tls.mode === "MUTUAL") && !verifies) {
    issues.push(
      toIssue(resource, {
        code: "IST0128",
        severity: "warning",
        message: `DestinationRule ${rule.namespace}/${rule.name} in namespace ${rule.namespace} has TLS mode set to ${tls.mode} but no caCertificates are set to validate server identity for host: ${rule.host}`,
        fix: "Set caCertificates or credentialName.",
        path: "spec.trafficPolicy.tls",
      }),
    );
  }
  return issues;
}

function selectsSomething(service: Service, labels: Readonly<Record<string, string>>, context: DestinationRuleContext): boolean {
  for (const endpoints of context.endpoints.get(serviceKey(service))?.byPort.values() ?? []) {
    if (endpoints.some((endpoint) => selects(labels, endpoint.labels))) return true;
  }
  // Pods that do not run now still come from their Deployments.
  const { selector } = service;
  if (selector === undefined) return false;
  return deploymentIndex(context.deployments)
    .select({ ...selector, ...labels })
    .some((deployment) => deployment.metadata.namespace === service.namespace && selects(selector, templateLabels(deployment)));
}

function templateLabels(deployment: Resource): Readonly<Record<string, string>> {
  return (deployment.spec as DeploymentSpec).template.metadata.labels;
}

const deploymentIndex = memoByIdentity((deployments: readonly Resource[]) => createLabelIndex(deployments, templateLabels));
