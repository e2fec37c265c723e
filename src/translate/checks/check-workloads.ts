// Workloads that two resources claim in contradicting ways: Sidecars with overlapping selectors, Services that give one port two protocols.
import type { Issue } from "../../kit/index.ts";
import type { Sidecar } from "../../model/index.ts";
import type { DeploymentSpec, Resource, ServiceSpec } from "../../resources/index.ts";
import { createLabelIndex } from "../label-index.ts";
import { selects } from "../names.ts";
import { protocolOfServicePort } from "../protocol.ts";
import type { WorkloadInput } from "../workload.ts";
import { toIssue } from "./report.ts";

interface Claimed {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Running {
  readonly workloads: readonly WorkloadInput[];
  readonly deployments: readonly Resource[];
  readonly services: readonly Resource[];
}

function templateOf(deployment: Resource): Claimed {
  const { name, namespace } = deployment.metadata;
  return { name, namespace, labels: (deployment.spec as DeploymentSpec).template.metadata.labels };
}

export function checkSidecarSelectors(resources: readonly Resource[], models: readonly Sidecar[], running: Running): readonly Issue[] {
  const byNamespace = Map.groupBy(
    models.filter((model) => model.workloadSelector !== undefined),
    (model) => model.namespace,
  );
  const claimed: readonly Claimed[] = [...running.deployments.map(templateOf), ...running.workloads];
  const issues: Issue[] = [];
  for (const [namespace, group] of byNamespace) {
    if (group.length < 2) continue;
    const members = claimed.filter((one) => one.namespace === namespace);
    for (const resource of resources) {
      const model = group.find((one) => one.namespace === resource.metadata.namespace && one.name === resource.metadata.name);
      if (model === undefined) continue;
      const shared = members.find((one) => choosing(group, one).length > 1 && choosing(group, one).includes(model));
      if (shared === undefined) continue;
      const names = choosing(group, shared)
        .map((one) => one.name)
        .sort()
        .join(", ");
      issues.push(
        toIssue(resource, {
          code: "IST0110",
          severity: "error",
          message: `The Sidecars ${names} in namespace "${namespace}" select the same workload pod "${shared.name}", which can lead to undefined behavior.`,
          fix: "Make their workloadSelectors exclude each other; the oldest is used.",
          path: "spec.workloadSelector",
        }),
      );
    }
  }
  return issues;
}

function choosing(sidecars: readonly Sidecar[], workload: Claimed): readonly Sidecar[] {
  return sidecars.filter((sidecar) => sidecar.workloadSelector !== undefined && selects(sidecar.workloadSelector, workload.labels));
}

/** The oldest Service decides how an inbound port is read; another that says otherwise is not heard. */
export function checkServiceProtocols(running: Running): readonly Issue[] {
  const deployments = createLabelIndex(running.deployments, (deployment) => templateOf(deployment).labels);
  const ports = new Map<Resource, Map<string, { readonly service: string; readonly protocol: string }>>();
  const issues: Issue[] = [];
  for (const resource of running.services) {
    const spec = resource.spec as ServiceSpec;
    if (spec.selector === undefined || Object.keys(spec.selector).length === 0) continue;
    for (const deployment of deployments.select(spec.selector)) {
      if (deployment.metadata.namespace !== resource.metadata.namespace) continue;
      let known = ports.get(deployment);
      if (known === undefined) ports.set(deployment, (known = new Map()));
      for (const [index, port] of (spec.ports ?? []).entries()) {
        const target = String(port.targetPort ?? port.port);
        const protocol = protocolOfServicePort(port);
        const before = known.get(target);
        if (before === undefined) known.set(target, { service: resource.metadata.name, protocol });
        else if (before.protocol !== protocol) {
          issues.push(
            toIssue(resource, {
              code: "IST0116",
              severity: "warning",
              message: `This deployment ${deployment.metadata.namespace}/${deployment.metadata.name} is associated with multiple services using port ${target} but different protocols: ${before.protocol} (${before.service}), ${protocol} (${resource.metadata.name}).`,
              fix: "Give the port the same protocol in both Services.",
              path: `spec.ports[${index}]`,
            }),
          );
        }
      }
    }
  }
  return issues;
}
