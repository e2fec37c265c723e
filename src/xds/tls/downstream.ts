// TLS that a proxy terminates for a Gateway server or Sidecar.ingress (Istio networking/core/listener.go BuildListenerTLSContext).
import { create, type DownstreamTlsContext, DownstreamTlsContextSchema } from "../../envoy-api/index.ts";
import { CertificateValidationContext_TrustChainVerification as Trust } from "../../envoy-api/index.ts";
import { clientCa, type MeshSettings, type ServerTls, type TlsSettings } from "../../model/index.ts";
import {
  combined,
  credential,
  crlFile,
  expectNames,
  expectTrustDomains,
  fileCertificates,
  fileValidation,
  IDENTITY,
  localSecret,
  MESH_ROOT,
} from "./secrets.ts";
import { buildTlsParameters } from "./versions.ts";

export interface ServerTlsOptions {
  /** MeshConfig.tlsDefaults. */
  readonly defaults: TlsSettings;
  /** What is inside is a byte stream: peers of the mesh may name their own protocol. */
  readonly tcp: boolean;
  /** The proxy has a secret server (and with it a mesh identity). */
  readonly secretServer: boolean;
}

const HTTP_ALPN = ["h2", "http/1.1"];
const PEER_ALPN = ["istio-peer-exchange", ...HTTP_ALPN];

function certificates(tls: ServerTls, options: ServerTlsOptions): object {
  if (tls.mode === "ISTIO_MUTUAL") return { tlsCertificateSdsSecretConfigs: [localSecret(IDENTITY)] };
  if (tls.credentialNames.length > 0)
    return { tlsCertificateSdsSecretConfigs: tls.credentialNames.map((name) => credential(name, "certificate")) };
  return fileCertificates(tls.certificates, options.secretServer);
}

function validation(tls: ServerTls, options: ServerTlsOptions): object {
  if (tls.mode === "SIMPLE") return {};
  const names = expectNames(tls.subjectAltNames);
  if (tls.mode === "ISTIO_MUTUAL") return combined({ ...names, ...crlFile(tls.caCrl) }, localSecret(MESH_ROOT));
  const unverified = tls.insecureSkipVerify ? { trustChainVerification: Trust.ACCEPT_UNTRUSTED } : {};
  const ca = clientCa(tls);
  if (ca === undefined) return fileValidation(tls.caCertificates, { ...names, ...crlFile(tls.caCrl), ...unverified }, options.secretServer);
  const pinned = { verifyCertificateSpki: [...tls.verifyCertificateSpki], verifyCertificateHash: [...tls.verifyCertificateHash] };
  return combined({ ...names, ...pinned, ...unverified }, credential(ca, "ca"));
}

/** What sidecars take below TLS 1.3 (Istio security/authn/utils SupportedCiphers). */
const MESH_CIPHERS = [
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "AES256-GCM-SHA384",
  "AES128-GCM-SHA256",
];

/** TLS of the mesh at a sidecar's inbound side: whoever shows a certificate of the mesh's CA for one of its trust domains. */
export function buildMeshServerTls(mesh: MeshSettings): DownstreamTlsContext {
  const { minProtocolVersion, cipherSuites, ecdhCurves } = mesh.meshMtls;
  const domains = [...new Set([mesh.trustDomain, ...mesh.trustDomainAliases])].filter((domain) => domain !== "");
  return create(DownstreamTlsContextSchema, {
    requireClientCertificate: true,
    commonTlsContext: {
      alpnProtocols: HTTP_ALPN,
      tlsParams: buildTlsParameters({
        min: minProtocolVersion === "TLSV1_3" ? "TLSV1_3" : "TLSV1_2",
        max: "TLSV1_3",
        cipherSuites: cipherSuites.length > 0 ? cipherSuites : MESH_CIPHERS,
        ecdhCurves,
      }),
      tlsCertificateSdsSecretConfigs: [localSecret(IDENTITY)],
      ...combined(expectTrustDomains(domains), localSecret(MESH_ROOT)),
    },
  } as never);
}

/** A server with a mode that terminates TLS. */
export function buildServerTls(tls: ServerTls, options: ServerTlsOptions): DownstreamTlsContext {
  const { defaults } = options;
  const parameters =
    tls.mode === "ISTIO_MUTUAL"
      ? undefined
      : buildTlsParameters({
          min: tls.minProtocolVersion ?? defaults.minProtocolVersion,
          max: tls.maxProtocolVersion,
          cipherSuites: tls.cipherSuites.length > 0 ? tls.cipherSuites : defaults.cipherSuites,
          ecdhCurves: defaults.ecdhCurves,
        });
  return create(DownstreamTlsContextSchema, {
    requireClientCertificate: tls.mode === "MUTUAL" || tls.mode === "ISTIO_MUTUAL",
    commonTlsContext: {
      alpnProtocols: tls.mode === "ISTIO_MUTUAL" && options.tcp ? PEER_ALPN : HTTP_ALPN,
      ...(parameters === undefined ? {} : { tlsParams: parameters }),
      ...certificates(tls, options),
      ...validation(tls, options),
    },
  } as never);
}
