// The one table of kinds: which apiVersion and kind is read by which schema and checks.
import { authorizationPolicySchema, checkAuthorizationPolicy } from "./istio/authorization-policy.ts";
import { checkDestinationRule, destinationRuleSchema } from "./istio/destination-rule.ts";
import { envoyFilterSchema } from "./istio/envoy-filter.ts";
import { checkGateway, gatewaySchema } from "./istio/gateway.ts";
import { peerAuthenticationSchema } from "./istio/peer-authentication.ts";
import { proxyConfigSchema } from "./istio/proxy-config.ts";
import { requestAuthenticationSchema } from "./istio/request-authentication.ts";
import { checkServiceEntry, serviceEntrySchema } from "./istio/service-entry.ts";
import { checkSidecar, sidecarSchema } from "./istio/sidecar.ts";
import { telemetrySchema } from "./istio/telemetry.ts";
import { checkVirtualService } from "./istio/virtual-service-checks.ts";
import { virtualServiceSchema } from "./istio/virtual-service.ts";
import { wasmPluginSchema } from "./istio/wasm-plugin.ts";
import { checkWorkloadEntry, workloadEntrySchema } from "./istio/workload-entry.ts";
import { workloadGroupSchema } from "./istio/workload-group.ts";
import type { KindRow } from "./kind.ts";
import { checkConfigMap, checkSecret, configMapSchema, namespaceSchema, secretSchema, serviceAccountSchema } from "./kubernetes/data.ts";
import { checkDeployment, deploymentSchema, OLD_DEPLOYMENT } from "./kubernetes/deployment.ts";
import { podSpec } from "./kubernetes/pod.ts";
import { checkService, serviceSchema } from "./kubernetes/service.ts";

const NETWORKING = { group: "networking.istio.io", versions: ["v1", "v1beta1", "v1alpha3"], body: "spec" } as const;
const SECURITY = { group: "security.istio.io", versions: ["v1", "v1beta1"], body: "spec" } as const;
const CORE = { group: "", versions: ["v1"], body: "spec" } as const;

export const KINDS: readonly KindRow[] = [
  { kind: "Namespace", ...CORE, clusterScoped: true, schema: namespaceSchema },
  { kind: "Service", ...CORE, specRequired: true, schema: serviceSchema, check: checkService },
  { kind: "Pod", ...CORE, specRequired: true, schema: podSpec },
  { kind: "ServiceAccount", ...CORE, body: "flat", schema: serviceAccountSchema },
  { kind: "ConfigMap", ...CORE, body: "flat", schema: configMapSchema, check: checkConfigMap },
  { kind: "Secret", ...CORE, body: "flat", schema: secretSchema, check: checkSecret },
  {
    kind: "Deployment",
    group: "apps",
    versions: ["v1"],
    oldVersions: OLD_DEPLOYMENT,
    body: "spec",
    specRequired: true,
    schema: deploymentSchema,
    check: checkDeployment,
  },
  { kind: "VirtualService", ...NETWORKING, schema: virtualServiceSchema, check: checkVirtualService },
  { kind: "DestinationRule", ...NETWORKING, specRequired: true, schema: destinationRuleSchema, check: checkDestinationRule },
  { kind: "Gateway", ...NETWORKING, schema: gatewaySchema, check: checkGateway },
  { kind: "ServiceEntry", ...NETWORKING, specRequired: true, schema: serviceEntrySchema, check: checkServiceEntry },
  { kind: "WorkloadEntry", ...NETWORKING, specRequired: true, schema: workloadEntrySchema, check: checkWorkloadEntry },
  { kind: "WorkloadGroup", ...NETWORKING, specRequired: true, schema: workloadGroupSchema },
  { kind: "Sidecar", ...NETWORKING, schema: sidecarSchema, check: checkSidecar },
  { kind: "EnvoyFilter", ...NETWORKING, versions: ["v1alpha3"], schema: envoyFilterSchema },
  { kind: "ProxyConfig", ...NETWORKING, versions: ["v1beta1"], schema: proxyConfigSchema },
  { kind: "PeerAuthentication", ...SECURITY, schema: peerAuthenticationSchema },
  { kind: "RequestAuthentication", ...SECURITY, schema: requestAuthenticationSchema },
  { kind: "AuthorizationPolicy", ...SECURITY, schema: authorizationPolicySchema, check: checkAuthorizationPolicy },
  { kind: "Telemetry", group: "telemetry.istio.io", versions: ["v1", "v1alpha1"], body: "spec", schema: telemetrySchema },
  { kind: "WasmPlugin", group: "extensions.istio.io", versions: ["v1alpha1"], body: "spec", specRequired: true, schema: wasmPluginSchema },
];

const BY_NAME: ReadonlyMap<string, KindRow> = new Map(
  KINDS.flatMap((row) => [
    ...row.versions.map((version): [string, KindRow] => [`${row.group === "" ? "" : `${row.group}/`}${version} ${row.kind}`, row]),
    ...(row.oldVersions ?? []).map(({ apiVersion }): [string, KindRow] => [`${apiVersion} ${row.kind}`, row]),
  ]),
);

export function findKind(apiVersion: string, kind: string): KindRow | undefined {
  return BY_NAME.get(`${apiVersion} ${kind}`);
}

/** apiVersions under which a kind of this name is known. */
export function versionsOf(kind: string): readonly string[] {
  return KINDS.filter((row) => row.kind === kind).flatMap((row) =>
    row.versions.map((version) => (row.group === "" ? version : `${row.group}/${version}`)),
  );
}
