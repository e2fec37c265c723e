// All that resources say about each other and that does not hold: as issues, in the order of the resources. Only what changed is checked again.
import { type Issue, memoByIdentity } from "../../kit/index.ts";
import type { MeshSnapshot, VirtualService } from "../../model/index.ts";
import { serviceKey } from "../../model/index.ts";
import type { DestinationRuleSpec, EnvoyFilterSpec, Kind, Resource, VirtualServiceSpec } from "../../resources/index.ts";
import { type Internals, internalsOf } from "../build-mesh.ts";
import { buildSecretIndex } from "../credentials/secret-index.ts";
import { toDestinationRule } from "../destination-rules/to-destination-rule.ts";
import { sameElements } from "../stable.ts";
import { toVirtualService } from "../virtual-services/to-virtual-service.ts";
import { checkEnvoyFilter, type CheckPatch } from "./check-envoy-filters.ts";
import { checkDestinationRule } from "./check-destination-rule.ts";
import {
  checkConflictingHosts,
  checkGatewayConflicts,
  checkGatewaySelectors,
  checkNamespaces,
  checkServicePorts,
  checkSidecars,
} from "./check-others.ts";
import { checkGatewayCredentials, checkRuleCredentials } from "./check-credentials.ts";
import { checkDuplicateCertificates, checkIngressTls, checkOverlappingServers } from "./check-tls.ts";
import { checkVirtualService, type VirtualServiceContext } from "./check-virtual-service.ts";
import { checkServiceProtocols, checkSidecarSelectors } from "./check-workloads.ts";
import { knownNames } from "./known-names.ts";
import { toIssue } from "./report.ts";

const NONE: readonly Resource[] = Object.freeze([]);

interface Checked {
  readonly parts: readonly unknown[];
  readonly issues: readonly Issue[];
}

const checked = new WeakMap<Resource, Checked>();

/** A resource is checked again only when it, or something it may refer to, is another object. */
function once(resource: Resource, parts: readonly unknown[], check: () => readonly Issue[]): readonly Issue[] {
  const before = checked.get(resource);
  if (before !== undefined && sameElements(before.parts, parts)) return before.issues;
  const issues = check();
  checked.set(resource, { parts, issues });
  return issues;
}

const notDiscovered: (resource: Resource) => Issue = memoByIdentity((resource) =>
  toIssue(resource, {
    code: "SERIN0213",
    severity: "info",
    message: `MeshConfig's discoverySelectors leave out the namespace ${resource.metadata.namespace}: this is passed over`,
    fix: "Give the namespace a label that one of them selects.",
    path: "metadata.namespace",
  }),
);

/** `checkPatch` judges the patches of EnvoyFilters: Envoy's messages are not known here. */
export function checkReferences(snapshot: MeshSnapshot, checkPatch: CheckPatch): readonly Issue[] {
  const inner = internalsOf(snapshot);
  const { settings, services, destinationRules, gateways, sidecars } = snapshot.config;
  const { lineage, workloads } = inner;
  const of = (kind: Kind): readonly Resource[] => inner.byKind.get(kind) ?? NONE;
  const names = knownNames(services, destinationRules);
  const context = virtualServiceContext(snapshot, inner);
  const issues: Issue[] = inner.passedOver.map(notDiscovered);
  const virtualServices = of("VirtualService") as readonly Resource<VirtualServiceSpec>[];
  const references = lineage.list<unknown>("check references", [names, context.gateways, context.delegates, settings]);
  for (const resource of virtualServices) issues.push(...once(resource, references, () => checkVirtualService(resource, context)));
  const whole = <T extends readonly unknown[]>(
    key: string,
    parts: readonly [...T],
    check: (...parts: NoInfer<T>) => readonly Issue[],
  ): void => {
    issues.push(...lineage.value(`check ${key}`, parts, () => check(...parts)));
  };
  const deployments = of("Deployment");
  const { endpoints } = snapshot;
  const rules = of("DestinationRule") as readonly Resource<DestinationRuleSpec>[];
  whole("destination rules", [rules, names, endpoints, deployments], () =>
    rules.flatMap((resource) => {
      const service = names.service(toDestinationRule(resource, settings).host);
      const behind = service === undefined ? undefined : endpoints.get(serviceKey(service));
      return once(resource, [names, behind, deployments, settings], () =>
        checkDestinationRule(resource, { settings, names, services, endpoints, deployments }),
      );
    }),
  );
  whole("conflicting hosts", [virtualServices, settings], checkConflictingHosts);
  const running = lineage.value("check running", [workloads, deployments, of("Service")], () => ({
    workloads,
    deployments,
    services: of("Service"),
  }));
  whole("gateway selectors", [of("Gateway"), running], checkGatewaySelectors);
  whole("gateway conflicts", [of("Gateway"), gateways], checkGatewayConflicts);
  whole("overlapping servers", [of("Gateway"), gateways], checkOverlappingServers);
  whole("duplicate certificates", [of("Gateway"), gateways, settings], checkDuplicateCertificates);
  const kept = lineage.value("check secrets", [of("Secret"), of("ConfigMap")], () =>
    buildSecretIndex([...of("Secret"), ...of("ConfigMap")]),
  );
  whole("gateway credentials", [of("Gateway"), kept, running], checkGatewayCredentials);
  whole("rule credentials", [rules, kept, of("Secret")], checkRuleCredentials);
  whole("ingress tls", [of("Sidecar"), sidecars, settings], checkIngressTls);
  whole("service ports", [of("Service")], checkServicePorts);
  whole("sidecars", [of("Sidecar"), sidecars], checkSidecars);
  whole("sidecar selectors", [of("Sidecar"), sidecars, running], checkSidecarSelectors);
  whole("service protocols", [running], checkServiceProtocols);
  whole("namespaces", [of("Namespace")], checkNamespaces);
  for (const resource of of("EnvoyFilter") as readonly Resource<EnvoyFilterSpec>[])
    issues.push(...once(resource, [checkPatch], () => checkEnvoyFilter(resource, checkPatch)));
  return lineage.list("issues", issues);
}

function virtualServiceContext(snapshot: MeshSnapshot, inner: Internals): VirtualServiceContext {
  const { settings, gateways, services, destinationRules } = snapshot.config;
  const { lineage } = inner;
  const resources = (inner.byKind.get("VirtualService") ?? NONE) as readonly Resource<VirtualServiceSpec>[];
  const leaves = lineage.list<VirtualService>(
    "delegates",
    resources.map((resource) => toVirtualService(resource, settings)).filter((model) => model.hosts.length === 0),
  );
  return {
    settings,
    names: knownNames(services, destinationRules),
    gateways: lineage.value(
      "gateways by name",
      [gateways],
      () => new Map(gateways.map((gateway) => [`${gateway.namespace}/${gateway.name}`, gateway])),
    ),
    delegates: lineage.value(
      "delegates by name",
      [leaves],
      () => new Map(leaves.map((model) => [`${model.namespace}/${model.name}`, model])),
    ),
  };
}
