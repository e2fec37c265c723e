// Certificates that Gateways and DestinationRules name: are they there, and are they any (Istio pkg/config/analysis/analyzers/gateway secret.go,
// certificate.go). A Secret is looked for where the gateway runs, which need not be the Gateway's own namespace.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { type Issue, memoByIdentity } from "../../kit/index.ts";
import {
  type CaContent,
  caSecret,
  type CertificateContent,
  certificateSecret,
  clientCa,
  clientSecrets,
  type Gateway,
  parseSecretName,
  type SecretIndex,
  type ServerTls,
} from "../../model/index.ts";
import type { DeploymentSpec, GatewaySpec, Resource } from "../../resources/index.ts";
import { contentOf } from "../credentials/content-of.ts";
import { toGateway } from "../gateways/to-gateway.ts";
import { selects } from "../names.ts";
import { type ClientTlsSpec, toClientTls } from "../tls.ts";
import { DEFAULT_GATEWAYS, type Running } from "./check-others.ts";
import { type Finding, notFound, toIssue } from "./report.ts";

function isCertificate(pem: Uint8Array): boolean {
  try {
    return new X509Certificate(pem).serialNumber !== "";
  } catch {
    return false;
  }
}

/** Whether Envoy would take it. Expiry is not asked for: it comes without anybody writing anything. */
const isUsable: (content: CertificateContent | CaContent) => boolean = memoByIdentity((content) => {
  if (content.kind === "ca") return isCertificate(content.certificates);
  try {
    return new X509Certificate(content.chain).checkPrivateKey(createPrivateKey(Buffer.from(content.privateKey)));
  } catch {
    return false;
  }
});

interface Use {
  /** As written. */
  readonly name: string;
  readonly resource: string | undefined;
  readonly path: string;
}

function usesOf(tls: ServerTls, path: string, named: "credentialName" | "credentialNames"): readonly Use[] {
  if (tls.mode !== "SIMPLE" && tls.mode !== "MUTUAL" && tls.mode !== "OPTIONAL_MUTUAL") return [];
  const pathAt = (index: number): string => (named === "credentialNames" ? `${path}.credentialNames[${index}]` : `${path}.credentialName`);
  const certificates = tls.credentialNames.map((name, index) => ({ name, resource: certificateSecret(name), path: pathAt(index) }));
  const ca = clientCa(tls);
  if (ca === undefined || tls.mode === "SIMPLE") return certificates;
  const caPath = tls.caCertCredentialName === "" ? pathAt(0) : `${path}.caCertCredentialName`;
  return [...certificates, { name: ca, resource: caSecret(ca), path: caPath }];
}

interface Place {
  /** Where the gateway runs. */
  readonly namespace: string;
  readonly secrets: SecretIndex;
  readonly gateway: Gateway;
}

function judge({ name, resource, path }: Use, { namespace, secrets, gateway }: Place): Finding | undefined {
  if (resource === undefined) return undefined;
  const verified = new Set(gateway.namespace === namespace ? [resource] : []);
  const content = contentOf(resource, { namespace, secrets, verified });
  if (content !== undefined && isUsable(content)) return undefined;
  const parsed = parseSecretName(resource, namespace);
  const wantsCa = parsed?.caOf !== "";
  const isThere = parsed !== undefined && [parsed.name, parsed.caOf].some((one) => secrets.has(namespace, one));
  if (content === undefined && (parsed?.namespace !== namespace || !isThere)) {
    const fix = `Create the Secret in ${namespace}, where the gateway runs: it is given no other namespace's.`;
    return notFound("credentialName", name, { path, fix });
  }
  return {
    code: "IST0161",
    severity: "error",
    message: `The credential referenced by the Gateway ${gateway.name} in namespace ${namespace} is invalid, which can cause the traffic not to work as expected.`,
    fix: wantsCa ? "It needs ca.crt (or cacert) in PEM." : "It needs tls.crt and the tls.key that fits it (or cert and key) in PEM.",
    path,
  };
}

/** Namespaces of the pods that a Gateway selects, or would. */
function namespacesOf({ selector }: Gateway, { workloads, deployments }: Running): readonly string[] {
  const places = [
    ...workloads.map(({ namespace, labels }) => ({ namespace, labels })),
    ...deployments.map(({ metadata, spec }) => ({
      namespace: metadata.namespace,
      labels: (spec as DeploymentSpec).template.metadata.labels,
    })),
    ...DEFAULT_GATEWAYS,
  ];
  return [...new Set(places.filter(({ labels }) => selects(selector, labels)).map(({ namespace }) => namespace))];
}

/** `secrets`: all of them, also those without a certificate. */
export function checkGatewayCredentials(gateways: readonly Resource[], secrets: SecretIndex, running: Running): readonly Issue[] {
  return gateways.flatMap((resource) => {
    const gateway = toGateway(resource as Resource<GatewaySpec>);
    const namespaces = namespacesOf(gateway, running);
    return ((resource.spec as GatewaySpec).servers ?? []).flatMap((spec, index) => {
      const tls = gateway.servers[index]?.tls;
      if (tls === undefined) return [];
      const named = (spec.tls?.credentialNames ?? []).length > 0 ? "credentialNames" : "credentialName";
      return usesOf(tls, `spec.servers[${index}].tls`, named).flatMap((use) => {
        const found = namespaces.map((namespace) => judge(use, { namespace, secrets, gateway })).find((finding) => finding !== undefined);
        return found === undefined ? [] : [toIssue(resource, found)];
      });
    });
  });
}

interface PolicySpec {
  readonly tls?: ClientTlsSpec;
  readonly portLevelSettings?: readonly { readonly tls?: ClientTlsSpec }[];
}

/** Of a DestinationRule, what names credentials. */
interface RuleSpec {
  readonly workloadSelector?: object;
  readonly trafficPolicy?: PolicySpec;
  readonly subsets?: readonly { readonly trafficPolicy?: PolicySpec }[];
}

interface Client {
  readonly tls: ClientTlsSpec;
  readonly path: string;
}

function clientsIn(policy: PolicySpec | undefined, path: string): readonly Client[] {
  const levels = [
    { tls: policy?.tls, path: `${path}.tls` },
    ...(policy?.portLevelSettings ?? []).map(({ tls }, index) => ({ tls, path: `${path}.portLevelSettings[${index}].tls` })),
  ];
  return levels.flatMap((level) => (level.tls === undefined ? [] : [{ tls: level.tls, path: level.path }]));
}

function clientsOf({ trafficPolicy, subsets = [] }: RuleSpec): readonly Client[] {
  const ofSubsets = subsets.flatMap((subset, index) => clientsIn(subset.trafficPolicy, `spec.subsets[${index}].trafficPolicy`));
  return [...clientsIn(trafficPolicy, "spec.trafficPolicy"), ...ofSubsets];
}

/** `written`: the Secrets. Where the gateways run that will use a rule is not known: any of them will do. */
export function checkRuleCredentials(resources: readonly Resource[], secrets: SecretIndex, written: readonly Resource[]): readonly Issue[] {
  const namespaces = [...new Set(written.map(({ metadata }) => metadata.namespace))];
  return resources.flatMap((resource) => {
    const { metadata } = resource;
    const spec = resource.spec as RuleSpec;
    const near = spec.workloadSelector === undefined ? [metadata.namespace, ...namespaces] : [metadata.namespace];
    return clientsOf(spec).flatMap(({ tls, path }) => {
      const missing = clientSecrets(toClientTls(tls)).some((name) =>
        near.every((namespace) => contentOf(name, { namespace, secrets, verified: new Set() }) === undefined),
      );
      if (!missing) return [];
      const fix = "Create the Secret in the namespace of the workload that connects, with ca.crt, and for MUTUAL also tls.crt and tls.key.";
      return [
        toIssue(
          resource,
          notFound("credentialName", tls.credentialName ?? "", { path: `${path}.credentialName`, fix, severity: "warning" }),
        ),
      ];
    });
  });
}
