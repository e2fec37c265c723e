// Certificates in Secrets and CAs in ConfigMaps, by the keys Istio knows (pilot/pkg/credentials/kube/secrets.go): `cert`, `key`, `cacert`, `crl`
// of generic ones, else `tls.crt`, `tls.key`, `ca.crt`, `ca.crl` of Kubernetes' own type.
import { memoByIdentity } from "../../kit/index.ts";
import { CA_SUFFIX, type CaContent, type CertificateContent, type SecretIndex } from "../../model/index.ts";
import type { Resource } from "../../resources/index.ts";

interface Contents {
  readonly certificate: CertificateContent | undefined;
  readonly ca: CaContent | undefined;
}

type Read = (key: string) => Uint8Array | undefined;

interface Data {
  readonly data?: Readonly<Record<string, string>>;
  /** Of Secrets; wins over `data`. */
  readonly stringData?: Readonly<Record<string, string>>;
}

function readerOf({ kind, spec }: Resource): Read {
  const { data = {}, stringData = {} } = spec as Data;
  const encoding = kind === "Secret" ? "base64" : "utf8";
  return (key) => {
    const plain = stringData[key];
    if (plain !== undefined && kind === "Secret") return Buffer.from(plain, "utf8");
    const value = data[key];
    return value === undefined ? undefined : Buffer.from(value, encoding);
  };
}

const isFilled = (value: Uint8Array | undefined): value is Uint8Array => value !== undefined && value.length > 0;

function certificateOf(read: Read): CertificateContent | undefined {
  for (const [certificate, key, staple] of [
    ["cert", "key", undefined],
    ["tls.crt", "tls.key", "tls.ocsp-staple"],
  ] as const) {
    const chain = read(certificate);
    const privateKey = read(key);
    if (!isFilled(chain) || !isFilled(privateKey)) continue;
    return Object.freeze({ kind: "certificate", chain, privateKey, ocspStaple: staple === undefined ? undefined : read(staple) });
  }
  return undefined;
}

function caOf(read: Read): CaContent | undefined {
  for (const [ca, crl] of [
    ["cacert", "crl"],
    ["ca.crt", "ca.crl"],
  ] as const) {
    const certificates = read(ca);
    if (isFilled(certificates)) return Object.freeze({ kind: "ca", certificates, crl: read(crl) });
  }
  return undefined;
}

const contentsOf: (resource: Resource) => Contents = memoByIdentity((resource) => {
  const read = readerOf(resource);
  return { certificate: resource.kind === "Secret" ? certificateOf(read) : undefined, ca: caOf(read) };
});

/** Worth an index: it holds a certificate or a CA, or stands in the way of one. */
export function isCredential(resource: Resource): boolean {
  const { certificate, ca } = contentsOf(resource);
  return certificate !== undefined || ca !== undefined || (resource.kind === "Secret" && resource.metadata.name.endsWith(CA_SUFFIX));
}

const keyOf = (kind: string, namespace: string, name: string): string => `${kind} ${namespace}/${name}`;

export function buildSecretIndex(resources: readonly Resource[]): SecretIndex {
  const byKey = new Map(resources.map((resource) => [keyOf(resource.kind, resource.metadata.namespace, resource.metadata.name), resource]));
  const find = (kind: string, namespace: string, name: string): Contents | undefined => {
    const found = byKey.get(keyOf(kind, namespace, name));
    return found === undefined ? undefined : contentsOf(found);
  };
  return Object.freeze({
    has: (namespace: string, name: string) => find("Secret", namespace, name) !== undefined,
    certificate: (namespace: string, name: string) => find("Secret", namespace, name)?.certificate,
    ca: (kind: "Secret" | "ConfigMap", namespace: string, name: string) => find(kind, namespace, name)?.ca,
  });
}
