// Envoy's TLS parameters, certificates and trust as contexts of Node's TLS library. Equal ones are shared: a context with the system's roots is some
// hundred KB, and many clusters have the same.
import { constants, createHash, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import tls from "node:tls";
import type { TlsCertificate, TlsParams, ValidationConfig } from "../config/index.ts";

export interface ContextParts {
  readonly params: TlsParams;
  readonly certificates: readonly TlsCertificate[];
  readonly validation: ValidationConfig | undefined;
  readonly server: boolean;
  /** Servers: tickets of connections that were admitted by other rules are no good here. */
  readonly policy: string;
  readonly sessionTickets: boolean;
  readonly sessionTimeoutMs: number | undefined;
  readonly allowRenegotiation: boolean;
}

/** As BoringSSL has them: with AES hardware first, not to be configured. */
const TLS13_SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

const shared = new Map<string, WeakRef<tls.SecureContext>>();

/** Throws what the TLS library says. */
export function secureContext(parts: ContextParts): tls.SecureContext {
  const key = createHash("sha256").update(JSON.stringify(parts, withoutMatchers)).digest("base64");
  const known = shared.get(key)?.deref();
  if (known !== undefined) return known;
  const made = create(parts);
  for (const [name, ref] of shared) if (ref.deref() === undefined) shared.delete(name);
  shared.set(key, new WeakRef(made));
  return made;
}

/** Names are checked outside of the context. */
function withoutMatchers(key: string, value: unknown): unknown {
  return key === "sans" ? undefined : value;
}

function create({ params, certificates, validation, server, ...rest }: ContextParts): tls.SecureContext {
  const old = params.minVersion === "TLSv1" || params.minVersion === "TLSv1.1";
  const ciphers = [...TLS13_SUITES, ...params.ciphers, ...(old ? ["@SECLEVEL=0"] : [])].join(":");
  let secureOptions = constants.SSL_OP_NO_COMPRESSION;
  if (!rest.allowRenegotiation) secureOptions |= constants.SSL_OP_NO_RENEGOTIATION;
  if (server && !rest.sessionTickets) secureOptions |= constants.SSL_OP_NO_TICKET;
  if (server && params.equalPreference) secureOptions |= SSL_OP_PRIORITIZE_CHACHA;
  return tls.createSecureContext({
    cert: certificates.map(({ chain }) => chain),
    key: certificates.map(({ key, password }) => (password === undefined ? { pem: key } : { pem: key, passphrase: password })),
    ca: trustedOf(validation),
    ...(validation === undefined || validation.crl === "" ? {} : { crl: validation.crl }),
    allowPartialTrustChain: true,
    ciphers,
    ecdhCurve: params.curves.join(":"),
    ...(params.signatureAlgorithms.length === 0 ? {} : { sigalgs: params.signatureAlgorithms.join(":") }),
    minVersion: params.minVersion,
    maxVersion: params.maxVersion,
    honorCipherOrder: server,
    secureOptions,
    ...(rest.sessionTimeoutMs === undefined ? {} : { sessionTimeout: Math.max(1, Math.round(rest.sessionTimeoutMs / 1000)) }),
    ...(server ? { sessionIdContext: createHash("sha256").update(rest.policy).digest("hex").slice(0, 32) } : {}),
  });
}

/** Node's constants lack a type for it. */
const SSL_OP_PRIORITIZE_CHACHA = (constants as unknown as Readonly<Record<string, number>>)["SSL_OP_PRIORITIZE_CHACHA"] ?? 0;

let system: readonly string[] | undefined;

/** An empty list trusts nobody; Node's own roots are never meant. */
function trustedOf(validation: ValidationConfig | undefined): string[] {
  if (validation === undefined) return [];
  const found = validation.trustedCa === "" ? [] : splitPem(validation.trustedCa);
  if (!validation.systemRoots) return found;
  system ??= tls.getCACertificates("system");
  return [...found, ...system];
}

const PEM_CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

export function splitPem(pem: string): string[] {
  return pem.match(PEM_CERTIFICATE) ?? [];
}

/** For decode: what is wrong with a certificate, in Envoy's words where it has some; undefined = nothing. */
export function certificateProblem({ chain, key, password }: TlsCertificate): string | undefined {
  const leaf = splitPem(chain)[0];
  if (leaf === undefined) return "Failed to load certificate chain: no certificate in PEM";
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(leaf);
  } catch {
    return "Failed to load certificate chain: the certificate cannot be read";
  }
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key, format: "pem", ...(password === undefined ? {} : { passphrase: password }) });
  } catch {
    // The library's text may quote from the key.
    return "Failed to load private key: it cannot be read";
  }
  if (!certificate.checkPrivateKey(privateKey)) return "Failed to load private key: it does not belong to the certificate";
  return undefined;
}

export function validationProblem({ trustedCa, crl, sans, systemRoots, acceptUntrusted }: ValidationConfig): string | undefined {
  if (trustedCa !== "") {
    const list = splitPem(trustedCa);
    if (list.length === 0) return "Failed to load trusted CA certificates: no certificate in PEM";
    for (const pem of list) {
      try {
        new X509Certificate(pem);
      } catch {
        return "Failed to load trusted CA certificates: one cannot be read";
      }
    }
  }
  if (crl !== "" && !/-----BEGIN X509 CRL-----/.test(crl)) return "Failed to load CRL: none in PEM";
  if (sans.length > 0 && trustedCa === "" && !systemRoots && !acceptUntrusted)
    return "SAN-based verification of peer certificates without trusted CA is insecure and not allowed";
  return undefined;
}
