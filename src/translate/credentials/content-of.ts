// What a proxy of a namespace gets under an SDS name (Istio pilot/pkg/xds/sds.go filterAuthorizedResources).
import { type CaContent, type CertificateContent, parseSecretName, type SecretIndex } from "../../model/index.ts";

export interface Asked {
  /** The proxy's. */
  readonly namespace: string;
  readonly secrets: SecretIndex;
  /** Names that a Gateway of the proxy's own namespace stands for. */
  readonly verified: ReadonlySet<string>;
}

/** undefined: there is none, or it may not have it. */
export function contentOf(resource: string, { namespace, secrets, verified }: Asked): CertificateContent | CaContent | undefined {
  const parsed = parseSecretName(resource, namespace);
  if (parsed === undefined) return undefined;
  const { scheme, name, caOf } = parsed;
  if (scheme === "configmap") return secrets.ca("ConfigMap", parsed.namespace, caOf === "" ? name : caOf);
  if (parsed.namespace !== namespace || (scheme === "kubernetes-gateway" && !verified.has(resource))) return undefined;
  if (caOf === "") return secrets.certificate(namespace, name);
  return secrets.ca("Secret", namespace, secrets.has(namespace, name) ? name : caOf);
}
