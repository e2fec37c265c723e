// Which certificates a proxy is given (Istio pilot/pkg/xds/sds.go): those that its own gateways and rules name, out of its own namespace and
// no other (CVE-2021-34824). CAs in ConfigMaps are no secret. A name that may not be had is treated like one that is not there.
import type { Credential, EnvoyPatch, GatewayListenerView, ProxyScope, SecretIndex, ServiceView } from "../../model/index.ts";
import { memoByIdentity } from "../../kit/index.ts";
import { serverSecrets } from "../../model/index.ts";
import type { Lineage } from "../stable.ts";
import { contentOf } from "./content-of.ts";

export interface CredentialUsers {
  readonly gateways: readonly GatewayListenerView[];
  readonly clusters: readonly ServiceView[];
  readonly patches: readonly EnvoyPatch[];
}

const NO_CREDENTIALS: readonly Credential[] = Object.freeze([]);

/** Secrets that an EnvoyFilter's own TLS contexts ask us for. */
const patchSecrets: (patch: EnvoyPatch) => readonly string[] = memoByIdentity((patch) => {
  const found: string[] = [];
  const look = (value: unknown): void => {
    if (typeof value === "string" && /^(?:kubernetes|configmap):\/\//.test(value)) found.push(value);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(look);
  };
  look(patch.value);
  return found;
});

/** Rules name secrets for gateways, and for sidecars only where they choose their workloads; anybody may have a CA out of a ConfigMap. */
const ruleSecrets: (clusters: readonly ServiceView[]) => { readonly router: readonly string[]; readonly sidecar: readonly string[] } =
  memoByIdentity((clusters) => {
    const router = new Set<string>();
    const sidecar = new Set<string>();
    for (const { destinationRule } of clusters) {
      if (destinationRule === undefined) continue;
      for (const name of destinationRule.secrets) {
        router.add(name);
        if (destinationRule.workloadSelector !== undefined || name.startsWith("configmap://")) sidecar.add(name);
      }
    }
    return { router: [...router], sidecar: [...sidecar] };
  });

/** The same list while the same secrets are in it. */
export function credentialsFor(
  scope: ProxyScope,
  users: CredentialUsers,
  of: { readonly secrets: SecretIndex; readonly lineage: Lineage; readonly key: string },
): readonly Credential[] {
  const router = scope.type === "router";
  const servers = users.gateways.flatMap((place) => place.servers.map(({ server }) => server));
  const verified = new Set(servers.filter(({ gateway }) => gateway.namespace === scope.namespace).flatMap(({ tls }) => serverSecrets(tls)));
  const rules = ruleSecrets(users.clusters);
  const names = new Set([
    ...servers.flatMap(({ tls }) => serverSecrets(tls)),
    ...(router ? rules.router : rules.sidecar),
    ...(router ? users.patches.flatMap(patchSecrets) : []),
  ]);
  if (names.size === 0) return NO_CREDENTIALS;
  const found: Credential[] = [];
  for (const name of names) {
    const content = contentOf(name, { namespace: scope.namespace, secrets: of.secrets, verified });
    if (content !== undefined) found.push(Object.freeze({ name, content }));
  }
  const parts = found.flatMap(({ name, content }) => [name, content]);
  return of.lineage.value(`credentials ${of.key}`, parts, () => Object.freeze(found));
}
