// A case file: resources, one proxy, calls. Reads it, refuses options it does not know, fills in what every case has.
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import type { CallResult } from "./result.ts";

export interface TlsOptions {
  readonly sni?: string;
  readonly client?: true | "client" | "other" | "spiffe";
  readonly alpn?: readonly string[];
  readonly ciphers?: string;
  readonly min?: "TLSv1.2" | "TLSv1.3";
  readonly max?: "TLSv1.2" | "TLSv1.3";
  readonly show?: boolean;
}

/** One call; scenarios/README.md describes every option. */
export interface Call {
  readonly name?: string;
  readonly proto?: "h2" | "h2c" | "tcp" | "raw";
  readonly method?: string;
  readonly url?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly port?: number;
  readonly from?: string;
  readonly to?: string;
  readonly tls?: TlsOptions;
  readonly send?: string;
  readonly more?: string;
  readonly hold?: number;
  readonly wait?: number;
  readonly timing?: number;
  readonly keep?: readonly string[];
  readonly mask?: string;
  readonly free?: readonly string[];
  readonly showProto?: boolean;
  readonly repeat?: number;
  readonly parallel?: number;
  readonly by?: readonly string[];
  readonly exact?: boolean;
  readonly spread?: boolean;
  readonly quiet?: boolean;
  readonly poll?: { readonly server: number; readonly ms?: number };
  readonly jar?: string;
  readonly pause?: number;
  readonly background?: number;
}

export interface CaseProxy {
  readonly type: "sidecar" | "router";
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount?: string;
  readonly locality?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface Case {
  readonly description: string;
  readonly proxy: CaseProxy;
  readonly mesh: Readonly<Record<string, unknown>>;
  /** Of the control plane: settings that istiod has there. */
  readonly env: Readonly<Record<string, string>>;
  readonly resources: string;
  readonly calls: readonly Call[];
}

const KNOWN = {
  case: "description proxy mesh env noServices resources calls",
  proxy: "type namespace name labels serviceAccount locality metadata",
  call: `name proto method url host headers body port to from tls send more hold wait timing keep mask free showProto
    repeat parallel by exact spread quiet poll jar pause background`,
  tls: "sni client alpn ciphers min max show",
} as const;

function refuseUnknown(object: unknown, kind: keyof typeof KNOWN, where: string): void {
  const known = KNOWN[kind].split(/\s+/);
  for (const key of Object.keys(object ?? {})) {
    if (!known.includes(key)) throw new Error(`${where}: unknown option ${key}`);
  }
}

function withDefaults(proxy: Partial<CaseProxy> | undefined): CaseProxy {
  const type = proxy?.type ?? "sidecar";
  const labels = type === "router" ? { istio: "ingressgateway", app: "istio-ingressgateway" } : { app: "client", version: "v1" };
  return { namespace: "default", name: "client-1", labels, ...proxy, type };
}

/** AREA/NAME, as the case is called everywhere. */
export function caseName(file: string): string {
  const whole = path.resolve(file);
  return `${path.basename(path.dirname(whole))}/${path.basename(whole, ".yaml")}`;
}

/** What real Istio answered to each call of the case. */
export function readRecord(file: string): readonly CallResult[] {
  return JSON.parse(readFileSync(file.replace(/\.yaml$/, ".expect.json"), "utf8")) as CallResult[];
}

export function readCase(file: string): Case {
  const raw = parse(readFileSync(file, "utf8")) as Partial<Case> & { proxy?: Partial<CaseProxy> };
  refuseUnknown(raw, "case", file);
  refuseUnknown(raw.proxy, "proxy", `${file}: proxy`);
  if (raw.description === undefined || raw.resources === undefined || raw.calls === undefined || raw.calls.length === 0) {
    throw new Error(`${file}: a case needs description, resources and calls`);
  }
  raw.calls.forEach((call, i) => {
    refuseUnknown(call, "call", `${file}: call ${i}`);
    refuseUnknown(call.tls, "tls", `${file}: call ${i} tls`);
    const needed = call.proto === "tcp" ? ["port"] : call.proto === "raw" ? ["port", "send"] : ["url"];
    for (const key of needed) if (!(key in call)) throw new Error(`${file}: call ${i} has no ${key}`);
  });
  const { description, resources, calls, mesh = {}, env = {} } = raw;
  return { description, resources, calls, mesh, env, proxy: withDefaults(raw.proxy) };
}

// Mutual TLS off, unless the case has a PeerAuthentication of its own.
const NO_MTLS = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: DISABLE}}`;

/** The case's resources as one text, with paths and contents of the certificates filled in. */
export function resourcesText(spec: Case, certs: string | undefined): string {
  let text = spec.resources;
  if (certs !== undefined) {
    const base64 = (f: string): string => readFileSync(path.join(certs, f)).toString("base64");
    text = text
      .replaceAll("@CERTS@", certs)
      .replaceAll("@CERT_B64@", base64("leaf.crt"))
      .replaceAll("@KEY_B64@", base64("leaf.key"))
      .replaceAll("@CA_B64@", base64("ca.crt"));
  }
  return /^kind: PeerAuthentication$/m.test(text) ? text : `${NO_MTLS}\n---\n${text}`;
}

/** MeshConfig of the case over the defaults. JSON is YAML in which a string stays a string. */
export function meshConfigText(spec: Case): string {
  const defaults = {
    proxyHttpPort: 15007,
    accessLogFile: "",
    defaultProviders: { metrics: [], tracing: [], accessLogging: [] },
    enableAutoMtls: false,
  };
  return JSON.stringify({ ...defaults, ...spec.mesh }, null, 1);
}
