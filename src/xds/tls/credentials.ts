// Secrets as resources (Istio pilot/pkg/xds/sds.go toEnvoyTLSSecret, toEnvoyCaSecret).
import { create, type DataSource, DataSourceSchema, type Secret, SecretSchema } from "../../envoy-api/index.ts";
import type { XdsResource } from "../../kit/index.ts";
import type { Credential } from "../../model/index.ts";
import { toResource } from "../encode.ts";

const inline = (value: Uint8Array): DataSource => create(DataSourceSchema, { specifier: { case: "inlineBytes", value } });

function toSecret({ name, content }: Credential): Secret {
  if (content.kind === "ca") {
    const { certificates, crl } = content;
    const value = { trustedCa: inline(certificates), ...(crl === undefined ? {} : { crl: inline(crl) }) };
    return create(SecretSchema, { name, type: { case: "validationContext", value } });
  }
  const { chain, privateKey, ocspStaple } = content;
  const value = {
    certificateChain: inline(chain),
    privateKey: inline(privateKey),
    ...(ocspStaple === undefined ? {} : { ocspStaple: inline(ocspStaple) }),
  };
  return create(SecretSchema, { name, type: { case: "tlsCertificate", value } });
}

const known = new WeakMap<Credential["content"], Map<string, XdsResource>>();

/** The same resource for the same secret under the same name. */
export function toSecretResource(credential: Credential): XdsResource {
  const { name, content } = credential;
  let byName = known.get(content);
  if (byName === undefined) known.set(content, (byName = new Map()));
  let resource = byName.get(name);
  if (resource === undefined) byName.set(name, (resource = toResource(SecretSchema, toSecret(credential), { name })));
  return resource;
}
