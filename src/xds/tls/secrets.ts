// Where a TLS context gets its certificates from (Istio pilot/pkg/security/model/authentication.go, pkg/model/authentication.go): the mesh
// identity and certificate files from the proxy's own secret server, credentials from us over the aggregated stream. A proxy without a
// secret server reads files itself.
import {
  ApiConfigSource_ApiType,
  ApiVersion,
  type CertificateValidationContext,
  CertificateValidationContextSchema,
  type CommonTlsContext,
  create,
  type DataSource,
  type SdsSecretConfig,
  SdsSecretConfigSchema,
  StringMatcherSchema,
} from "../../envoy-api/index.ts";
import { caSecret, type CertificateFiles, certificateSecret } from "../../model/index.ts";
import { adsSource } from "../config-source.ts";

/** The static cluster of Istio's bootstrap that leads to the agent's secret server. */
const SECRET_SERVER = "sds-grpc";
/** The workload's own certificate, and the mesh's CA. */
export const IDENTITY = "default";
export const MESH_ROOT = "ROOTCA";

/** A secret of the proxy's own secret server. The identity is waited for, since without it nothing may be served. */
export function localSecret(name: string): SdsSecretConfig {
  const waits = name === IDENTITY || name === MESH_ROOT;
  return create(SdsSecretConfigSchema, {
    name,
    sdsConfig: {
      resourceApiVersion: ApiVersion.V3,
      configSourceSpecifier: {
        case: "apiConfigSource",
        value: {
          apiType: ApiConfigSource_ApiType.GRPC,
          transportApiVersion: ApiVersion.V3,
          setNodeOnFirstMessageOnly: true,
          grpcServices: [{ targetSpecifier: { case: "envoyGrpc", value: { clusterName: SECRET_SERVER } } }],
        },
      },
      ...(waits ? { initialFetchTimeout: { seconds: 0n, nanos: 0 } } : {}),
    },
  } as never);
}

/** A `credentialName`: served by us, and not waited for, because the Secret may never come. `builtin://` is the workload's own certificate. */
export function credential(name: string, part: "certificate" | "ca"): SdsSecretConfig {
  const resource = part === "certificate" ? certificateSecret(name) : caSecret(name);
  if (resource === undefined) return localSecret(part === "certificate" ? IDENTITY : MESH_ROOT);
  return create(SdsSecretConfigSchema, { name: resource, sdsConfig: adsSource() });
}

const file = (filename: string): DataSource =>
  create(CertificateValidationContextSchema, { trustedCa: { specifier: { case: "filename", value: filename } } }).trustedCa as DataSource;

/** Certificates from files. */
export function fileCertificates(
  files: readonly CertificateFiles[],
  secretServer: boolean,
): Pick<CommonTlsContext, "tlsCertificateSdsSecretConfigs"> | object {
  if (secretServer) return { tlsCertificateSdsSecretConfigs: files.map((f) => localSecret(`file-cert:${f.certificate}~${f.privateKey}`)) };
  return { tlsCertificates: files.map((f) => ({ certificateChain: file(f.certificate), privateKey: file(f.privateKey) })) };
}

/** The system's own list of CAs, by the name that the secret server knows. */
const SYSTEM_CA = "system";

/** What a peer's certificate is checked against, beside the CA. */
export type Expected = Partial<
  Pick<CertificateValidationContext, "matchSubjectAltNames" | "verifyCertificateSpki" | "verifyCertificateHash" | "crl">
>;

/** Validation against a CA file; "system": what the machine trusts. */
export function fileValidation(ca: string, expected: Expected, secretServer: boolean): object {
  if (secretServer) return combined(expected, localSecret(`file-root:${ca}`));
  const trusted = ca === SYSTEM_CA ? { systemRootCerts: {} } : { trustedCa: file(ca) };
  return { validationContextType: { case: "validationContext", value: { ...expected, ...trusted } } };
}

/** Validation against a CA that comes as a secret. */
export function combined(expected: Expected, validationContextSdsSecretConfig: SdsSecretConfig): object {
  return {
    validationContextType: {
      case: "combinedValidationContext",
      value: { defaultValidationContext: expected, validationContextSdsSecretConfig },
    },
  };
}

/** Any one of these names, whatever their type. Istio's matcher, which Envoy calls deprecated, is the one that does not ask for the type. */
export function expectNames(names: readonly string[]): Pick<Expected, "matchSubjectAltNames"> {
  if (names.length === 0) return {};
  return { matchSubjectAltNames: names.map((value) => create(StringMatcherSchema, { matchPattern: { case: "exact", value } })) };
}

/** Any workload of these trust domains. */
export function expectTrustDomains(domains: readonly string[]): Pick<Expected, "matchSubjectAltNames"> {
  return {
    matchSubjectAltNames: domains.map((domain) =>
      create(StringMatcherSchema, { matchPattern: { case: "prefix", value: `spiffe://${domain}/` } }),
    ),
  };
}

export function crlFile(path: string): Pick<Expected, "crl"> {
  return path === "" ? {} : { crl: file(path) };
}
