// Checks of gateways, services, sidecars and namespaces, and of VirtualServices against each other.
import type { Issue } from "../../kit/index.ts";
import type { Gateway, MeshSettings, Sidecar, VirtualService } from "../../model/index.ts";
import type { DeploymentSpec, GatewaySpec, Resource, ServiceSpec, VirtualServiceSpec } from "../../resources/index.ts";
import { toGateway } from "../gateways/to-gateway.ts";
import { mergeServers } from "../gateways/merge-servers.ts";
import { MESH_GATEWAY, selects } from "../names.ts";
import { protocolOfServicePort } from "../protocol.ts";
import { toVirtualService } from "../virtual-services/to-virtual-service.ts";
import type { WorkloadInput } from "../workload.ts";
import { notFound, toIssue } from "./report.ts";

/** The ingress gateway that exists by default without a Deployment. */
/** Those that `serin up` runs, and Istio's profiles. */
export const DEFAULT_GATEWAYS = [
  { namespace: "istio-system", labels: { istio: "ingressgateway", app: "istio-ingressgateway" } },
  { namespace: "istio-system", labels: { istio: "egressgateway", app: "istio-egressgateway" } },
];

/** What carries labels that a selector may mean. */
export interface Running {
  readonly workloads: readonly WorkloadInput[];
  readonly deployments: readonly Resource[];
  readonly services: readonly Resource[];
}

function describe(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}

export function checkGatewaySelectors(gateways: readonly Resource[], running: Running): readonly Issue[] {
  const labelSets = [
    ...DEFAULT_GATEWAYS.map(({ labels }) => labels),
    ...running.workloads.map((workload) => workload.labels),
    ...running.deployments.map((deployment) => (deployment.spec as DeploymentSpec).template.metadata.labels),
    ...running.services.map((service) => (service.spec as ServiceSpec).selector ?? {}),
  ];
  return gateways.flatMap((resource) => {
    const model = toGateway(resource as Resource<GatewaySpec>);
    if (labelSets.some((labels) => selects(model.selector, labels))) return [];
    return [
      toIssue(
        resource,
        notFound("selector", describe(model.selector), {
          path: "spec.selector",
          fix: `The default gateways have the labels ${DEFAULT_GATEWAYS.map(({ labels }) => describe(labels)).join(" and ")}.`,
          severity: "warning",
        }),
      ),
    ];
  });
}

/** Servers that the merge drops: for Gateways with one selector, which is what they meet on. */
export function checkGatewayConflicts(gateways: readonly Resource[], models: readonly Gateway[]): readonly Issue[] {
  const bySelector = new Map<string, Gateway[]>();
  for (const model of models) {
    const key = describe(model.selector);
    const group = bySelector.get(key);
    if (group === undefined) bySelector.set(key, [model]);
    else group.push(model);
  }
  const issues: Issue[] = [];
  for (const group of bySelector.values()) {
    for (const { server, reason } of mergeServers(group, (port) => port).dropped) {
      const { name, namespace } = server.gateway;
      const resource = gateways.find((one) => one.metadata.name === name && one.metadata.namespace === namespace);
      const model = group.find((one) => one.name === name && one.namespace === namespace);
      if (resource === undefined || model === undefined) continue;
      issues.push(
        toIssue(resource, {
          code: "IST0145",
          severity: "error",
          message: `Server ${server.port.name} on port ${server.port.number} is dropped: ${reason}.`,
          fix: "Use another port, or hosts that no older Gateway of the same workload serves there.",
          path: `spec.servers[${model.servers.indexOf(server)}]`,
        }),
      );
    }
  }
  return issues;
}

function seeEachOther(a: VirtualService, b: VirtualService): boolean {
  return a.exportTo.includes("*") || b.exportTo.includes("*") || a.exportTo.some((namespace) => b.exportTo.includes(namespace));
}

/** Several VirtualServices of one host on the mesh: a sidecar uses the first only. */
export function checkConflictingHosts(resources: readonly Resource[], settings: MeshSettings): readonly Issue[] {
  const byHost = new Map<string, { resource: Resource; model: VirtualService; index: number }[]>();
  for (const resource of resources) {
    const model = toVirtualService(resource as Resource<VirtualServiceSpec>, settings);
    if (!model.gateways.includes(MESH_GATEWAY)) continue;
    for (const [index, host] of model.hosts.entries()) {
      const group = byHost.get(host);
      if (group === undefined) byHost.set(host, [{ resource, model, index }]);
      else group.push({ resource, model, index });
    }
  }
  const issues: Issue[] = [];
  for (const [host, group] of byHost) {
    if (group.length < 2) continue;
    for (const one of group) {
      const others = group.filter((other) => other !== one && other.resource !== one.resource && seeEachOther(one.model, other.model));
      if (others.length === 0) continue;
      const names = [one, ...others].map(({ model }) => `${model.namespace}/${model.name}`).sort();
      issues.push(
        toIssue(one.resource, {
          code: "IST0109",
          severity: "error",
          message: `The VirtualServices ${names.join(",")} associated with mesh gateway define the same host ${host} which can lead to undefined behavior. This can be fixed by merging the conflicting VirtualServices into a single resource.`,
          fix: "Merge them into one VirtualService; a sidecar uses only the first of them.",
          path: `spec.hosts[${one.index}]`,
        }),
      );
    }
  }
  return issues;
}

export function checkServicePorts(services: readonly Resource[]): readonly Issue[] {
  return services.flatMap((resource) => {
    const { ports = [] } = resource.spec as ServiceSpec;
    return ports.flatMap((port, index) => {
      if (protocolOfServicePort(port) !== "UNSUPPORTED" || port.protocol === "SCTP") return [];
      return [
        toIssue(resource, {
          code: "IST0118",
          severity: "info",
          message: `Port name ${port.name ?? ""} (port: ${port.port}, targetPort: ${port.targetPort ?? port.port}) doesn't follow the naming convention of Istio port.`,
          fix: "Begin the name with the protocol (http, http2, grpc, tcp, tls …), or set appProtocol.",
          path: `spec.ports[${index}]${port.name === undefined ? "" : ".name"}`,
        }),
      ];
    });
  });
}

export function checkSidecars(resources: readonly Resource[], models: readonly Sidecar[]): readonly Issue[] {
  const byNamespace = Map.groupBy(
    models.filter((model) => model.workloadSelector === undefined),
    (model) => model.namespace,
  );
  return resources.flatMap((resource) => {
    const group = byNamespace.get(resource.metadata.namespace) ?? [];
    if (group.length < 2 || !group.some((model) => model.name === resource.metadata.name)) return [];
    const names = group.map((model) => model.name).join(", ");
    return [
      toIssue(resource, {
        code: "IST0111",
        severity: "error",
        message: `The Sidecars ${names} in namespace "${resource.metadata.namespace}" have no workload selector, this can lead to undefined behavior.`,
        fix: "Keep one Sidecar without workloadSelector per namespace; the oldest is used.",
        path: "",
      }),
    ];
  });
}

export function checkNamespaces(namespaces: readonly Resource[]): readonly Issue[] {
  return namespaces.flatMap((resource) => {
    const { labels, name } = resource.metadata;
    if (labels["istio-injection"] === undefined || labels["istio.io/rev"] === undefined) return [];
    return [
      toIssue(resource, {
        code: "IST0123",
        severity: "warning",
        message: `Namespace ${name} has both new and legacy injection labels. Run 'kubectl label namespace ${name} istio.io/rev-' or 'kubectl label namespace ${name} istio-injection-'`,
        fix: "Keep one of the two labels; istio-injection wins.",
        path: "metadata.labels",
      }),
    ];
  });
}
