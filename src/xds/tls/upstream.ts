// TLS that a proxy begins towards an upstream (Istio networking/core/cluster_tls.go): as a DestinationRule says, or between workloads of the
// mesh with their identities.
import { create, type UpstreamTlsContext, UpstreamTlsContextSchema } from "../../envoy-api/index.ts";
import type { ClientTls, TlsSettings } from "../../model/index.ts";
import {
  combined,
  credential,
  crlFile,
  expectNames,
  fileCertificates,
  fileValidation,
  IDENTITY,
  localSecret,
  MESH_ROOT,
} from "./secrets.ts";
import { buildTlsParameters } from "./versions.ts";

/** The oldest version that clients of Istio speak, and the newest. */
const VERSIONS = { min: "TLSV1_2", max: "TLSV1_3" } as const;
/** What a sidecar's inbound side knows the mesh's own TLS by. */
const MESH_ALPN = ["istio"];
const SYSTEM_CA = "system";

export interface MeshTlsOptions {
  readonly sni: string;
  /** Identities of the workloads behind the cluster; empty: any of the mesh. */
  readonly subjectAltNames: readonly string[];
  readonly http2: boolean;
}

export function buildMeshTls({ sni, subjectAltNames, http2 }: MeshTlsOptions): UpstreamTlsContext {
  return create(UpstreamTlsContextSchema, {
    sni,
    commonTlsContext: {
      tlsParams: buildTlsParameters({ ...VERSIONS, cipherSuites: [], ecdhCurves: [] }),
      alpnProtocols: http2 ? [...MESH_ALPN, "h2"] : MESH_ALPN,
      tlsCertificateSdsSecretConfigs: [localSecret(IDENTITY)],
      ...combined(expectNames(subjectAltNames), localSecret(MESH_ROOT)),
    },
  } as never);
}

export interface ClientTlsOptions {
  /** MeshConfig.tlsDefaults. */
  readonly defaults: TlsSettings;
  /** Names the server may have: the rule's, else those of its service. */
  readonly subjectAltNames: readonly string[];
  readonly secretServer: boolean;
  readonly http2: boolean;
}

function certificates(tls: ClientTls, { secretServer }: ClientTlsOptions): object {
  if (tls.mode !== "MUTUAL") return {};
  if (tls.credentialName !== "") return { tlsCertificateSdsSecretConfigs: [credential(tls.credentialName, "certificate")] };
  return fileCertificates([{ certificate: tls.clientCertificate, privateKey: tls.privateKey }], secretServer);
}

function validation(tls: ClientTls, options: ClientTlsOptions): object {
  if (tls.insecureSkipVerify) return {};
  const names = expectNames(options.subjectAltNames);
  if (tls.credentialName !== "") return combined(names, credential(tls.credentialName, "ca"));
  const ca = tls.caCertificates === "" ? SYSTEM_CA : tls.caCertificates;
  return fileValidation(ca, { ...names, ...crlFile(tls.caCrl) }, options.secretServer);
}

/** SIMPLE or MUTUAL. */
export function buildClientTls(tls: ClientTls, options: ClientTlsOptions): UpstreamTlsContext {
  const { cipherSuites, ecdhCurves } = options.defaults;
  return create(UpstreamTlsContextSchema, {
    sni: tls.sni,
    commonTlsContext: {
      tlsParams: buildTlsParameters({ ...VERSIONS, cipherSuites, ecdhCurves }),
      ...(options.http2 ? { alpnProtocols: ["h2"] } : {}),
      ...certificates(tls, options),
      ...validation(tls, options),
    },
  } as never);
}
