// TLS configs with their secrets, ready for connections. Made at the first connection, made anew when a secret changed: connections that are open
// keep what they began with.
import type tls from "node:tls";
import { X509Certificate } from "node:crypto";
import type { Logger } from "../../kit/index.ts";
import type {
  DownstreamTls,
  Secret,
  SecretRef,
  Secrets,
  TlsCertificate,
  TlsContextConfig,
  UpstreamTls,
  ValidationConfig,
} from "../config/index.ts";
import { type Certificate, readCertificate, sansOf } from "./certificate.ts";
import { mergeValidation } from "./merge-validation.ts";
import { type ContextParts, secureContext, splitPem, validationProblem } from "./secure-context.ts";

export interface ServerTls {
  readonly config: DownstreamTls;
  readonly validation: ValidationConfig | undefined;
  /** Whether callers are asked for a certificate, and whether they must have one. */
  readonly asks: boolean;
  readonly requires: boolean;
  /** The certificates for a name that a caller asks for; "" = it asked for none. */
  choose(serverName: string): tls.SecureContext;
}

export interface ClientTls {
  readonly config: UpstreamTls;
  readonly validation: ValidationConfig | undefined;
  readonly context: tls.SecureContext;
}

export interface TlsContexts {
  /** undefined = a secret has not come, or does not fit. */
  server(config: DownstreamTls): ServerTls | undefined;
  client(config: UpstreamTls): ClientTls | undefined;
}

interface Parts {
  readonly certificates: readonly TlsCertificate[];
  readonly validation: ValidationConfig | undefined;
}

interface Made<T> {
  secrets: Secrets;
  readonly used: readonly (Secret | undefined)[];
  readonly value: T | undefined;
}

export interface TlsContextsOptions {
  readonly secrets: () => Secrets;
  readonly logger: Logger;
}

export function createTlsContexts({ secrets, logger }: TlsContextsOptions): TlsContexts {
  const servers = new WeakMap<object, Made<ServerTls>>();
  const clients = new WeakMap<object, Made<ClientTls>>();

  function ready<C extends TlsContextConfig, T>(
    known: WeakMap<object, Made<T>>,
    config: C,
    make: (config: C, parts: Parts) => T,
  ): T | undefined {
    const now = secrets();
    const last = known.get(config);
    if (last !== undefined && last.secrets === now) return last.value;
    const used = refsOf(config).map((ref) => now.get(ref.source)?.get(ref.name));
    if (last !== undefined && last.used.every((secret, i) => secret === used[i])) {
      last.secrets = now;
      return last.value;
    }
    const parts = assemble(config, used);
    let value: T | undefined;
    try {
      value = parts === undefined ? undefined : make(config, parts);
    } catch (error) {
      logger.log("error", "a TLS context cannot be made", { reason: error instanceof Error ? error.message : String(error) });
    }
    known.set(config, { secrets: now, used, value });
    return value;
  }

  return {
    server: (config) => ready(servers, config, makeServer),
    client: (config) => ready(clients, config, makeClient),
  };
}

/** Everything a config waits for; the validation context last. */
export function refsOf(config: TlsContextConfig): readonly SecretRef[] {
  return config.validationSecret === undefined ? config.certificateSecrets : [...config.certificateSecrets, config.validationSecret];
}

function assemble(config: TlsContextConfig, used: readonly (Secret | undefined)[]): Parts | undefined {
  const certificates = [...config.certificates];
  let { validation } = config;
  for (const [i, secret] of used.entries()) {
    if (i < config.certificateSecrets.length) {
      if (secret?.kind !== "certificate") return undefined;
      certificates.push(secret.certificate);
    } else {
      if (secret?.kind !== "validation") return undefined;
      validation = mergeValidation(validation, secret.validation);
    }
  }
  const problem = validation === undefined ? undefined : validationProblem(validation);
  if (problem !== undefined) throw new Error(problem);
  return { certificates, validation };
}

function makeClient(config: UpstreamTls, { certificates, validation }: Parts): ClientTls {
  const { params, allowRenegotiation } = config;
  const rest = { params, allowRenegotiation, server: false, policy: "", sessionTickets: true, sessionTimeoutMs: undefined };
  return { config, validation, context: secureContext({ ...rest, certificates, validation }) };
}

interface Known {
  readonly pair: TlsCertificate;
  readonly names: readonly string[];
  readonly keyType: string;
}

function makeServer(config: DownstreamTls, { certificates, validation }: Parts): ServerTls {
  const asks = config.requireClientCertificate || asksForCertificate(validation);
  const requires = config.requireClientCertificate || needsCertificate(validation);
  const base: Omit<ContextParts, "certificates"> = {
    params: config.params,
    validation: asks ? validation : undefined,
    server: true,
    policy: JSON.stringify([asks, requires, validation]),
    sessionTickets: config.sessionTickets,
    sessionTimeoutMs: config.sessionTimeoutMs,
    allowRenegotiation: false,
  };
  const known = certificates.map(inspectPair);
  const contextFor = (chosen: readonly Known[]): tls.SecureContext =>
    secureContext({ ...base, certificates: firstOfEachType(chosen).map(({ pair }) => pair) });
  const first = contextFor(known.slice(0, 1));
  const all = known.length === 1 ? first : contextFor(known);
  // Names come from callers: only those of certificates are kept.
  const byName = new Map<string, tls.SecureContext>();
  if (known.length > 1) {
    for (const name of new Set(known.flatMap(({ names }) => names)))
      byName.set(name, contextFor(known.filter(({ names }) => names.includes(name))));
  }
  return {
    config,
    validation,
    asks,
    requires,
    choose(serverName) {
      if (known.length === 1) return first;
      if (serverName === "") return all;
      const dot = serverName.indexOf(".");
      return byName.get(serverName) ?? (dot < 0 ? undefined : byName.get(`*${serverName.slice(dot)}`)) ?? (config.fullScan ? all : first);
    },
  };
}

function asksForCertificate(validation: ValidationConfig | undefined): boolean {
  if (validation === undefined) return false;
  return validation.trustedCa !== "" || validation.systemRoots || needsCertificate(validation);
}

/** Envoy: who checks names or pins does not take a caller without a certificate, whatever else the config says. */
function needsCertificate(validation: ValidationConfig | undefined): boolean {
  return validation !== undefined && validation.sans.length + validation.hashes.length + validation.spki.length > 0;
}

function inspectPair(pair: TlsCertificate): Known {
  const certificate = leafOf(pair);
  const names = sansOf(certificate, "DNS").map((name) => name.toLowerCase());
  return { pair, names, keyType: new X509Certificate(certificate.der).publicKey.asymmetricKeyType ?? "" };
}

function leafOf(pair: TlsCertificate): Certificate {
  return readCertificate(Buffer.from(new X509Certificate(splitPem(pair.chain)[0] ?? "").raw));
}

/** A context holds one certificate of each kind of key. */
function firstOfEachType(known: readonly Known[]): Known[] {
  return known.filter((one, i) => known.findIndex(({ keyType }) => keyType === one.keyType) === i);
}
