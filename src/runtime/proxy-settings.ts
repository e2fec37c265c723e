// How one proxy is started: MeshConfig's defaultConfig, ProxyConfig resources and the pod's annotation, by Istio's precedence
// (pilot/pkg/model/proxy_config.go EffectiveProxyConfig), and what of that means something to a process on this machine.
import { parseDuration } from "../kit/index.ts";
import { parseProxyConfig } from "../resources/index.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A ProxyConfig resource as the store has it. */
export interface ProxyConfigResource {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly creationTimestamp?: string | undefined };
  readonly spec?: unknown;
}

export interface ProxySettings {
  /** Threads of real Envoy; 0 = one for each processor. */
  readonly concurrency: number;
  /** Environment of the process. */
  readonly env: Readonly<Record<string, string>>;
  /** Of the node, from ISTIO_META_*. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Keys of Envoy's runtime. */
  readonly runtimeValues: Readonly<Record<string, string>>;
  /** How many connections all callers together may have; undefined = any number. */
  readonly connectionLimit: number | undefined;
  /** What of it the control plane reads, when it is not the mesh's. */
  readonly proxyConfig: Fields | undefined;
  readonly drainMs: number;
  /** How long requests may go on when the pod ends. */
  readonly terminationDrainMs: number;
  /** The application starts once its proxy is ready. */
  readonly holdApplication: boolean;
  /** What is wrong with the annotation; undefined = nothing. */
  readonly problem: string | undefined;
}

export interface ProxySettingsInput {
  readonly defaultConfig: Fields;
  readonly rootNamespace: string;
  readonly resources: readonly ProxyConfigResource[];
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const ANNOTATION = "proxy.istio.io/config";
const DRAIN_MS = 45_000;
const TERMINATION_DRAIN_MS = 5000;
/** Our control plane generates by these. */
const GENERATED_BY = ["gatewayTopology", "proxyHeaders", "tracing", "connectionSettings"] as const;

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** Fields replace those below as a whole, but proxyMetadata is united, and of proxyHeaders what is unset stays. */
function merge(above: Fields, below: Fields): Fields {
  const merged: Record<string, unknown> = { ...below, ...above };
  for (const name of ["proxyMetadata", "proxyHeaders"])
    if (above[name] !== undefined && below[name] !== undefined) merged[name] = { ...fields(below[name]), ...fields(above[name]) };
  return merged;
}

function ofResource(spec: Fields | undefined): Fields {
  if (spec === undefined) return {};
  const { concurrency, environmentVariables } = spec;
  return {
    ...(concurrency === undefined || concurrency === null ? {} : { concurrency }),
    ...(environmentVariables === undefined || environmentVariables === null ? {} : { proxyMetadata: environmentVariables }),
  };
}

function age({ metadata }: ProxyConfigResource): number {
  const created = Date.parse(metadata.creationTimestamp ?? "");
  return Number.isNaN(created) ? 0 : created;
}

/** The oldest without a selector, and the oldest whose selector fits. */
function chosen(input: ProxySettingsInput): { readonly root: Fields; readonly namespace: Fields; readonly workload: Fields } {
  const sorted = input.resources.toSorted((a, b) => age(a) - age(b) || (a.metadata.name < b.metadata.name ? -1 : 1));
  const of = (namespace: string): readonly Fields[] =>
    sorted.filter(({ metadata }) => metadata.namespace === namespace).map(({ spec }) => fields(spec));
  const wanted = (spec: Fields): [string, unknown][] => Object.entries(fields(fields(spec["selector"])["matchLabels"]));
  const plain = (namespace: string): Fields =>
    ofResource(of(namespace).find(({ selector }) => selector === undefined || selector === null));
  const { namespace, rootNamespace, labels } = input;
  return {
    root: plain(rootNamespace),
    namespace: namespace === rootNamespace ? {} : plain(namespace),
    workload: ofResource(
      of(namespace).find((spec) => wanted(spec).length > 0 && wanted(spec).every(([name, value]) => labels[name] === value)),
    ),
  };
}

function readAnnotation(text: string | undefined): { readonly config: Fields; readonly problem: string | undefined } {
  if (text === undefined) return { config: {}, problem: undefined };
  const { value, issues } = parseProxyConfig({ file: `annotation ${ANNOTATION}`, text });
  const [issue] = issues;
  const problem = issue === undefined ? undefined : `annotation ${ANNOTATION}, line ${issue.line}: ${issue.message}. ${issue.fix ?? ""}`;
  return { config: value ?? {}, problem: problem?.trimEnd() };
}

function texts(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(fields(value)).map(([name, text]) => [name, String(text)]));
}

function ms(value: unknown, fallback: number): number {
  return typeof value === "string" ? (parseDuration(value) ?? fallback) : fallback;
}

/** The first that is a number: the field, the agent's variable, the key of Envoy's runtime (pkg/bootstrap/config.go). */
function connectionLimitOf(
  config: Fields,
  env: Readonly<Record<string, string>>,
  runtime: Readonly<Record<string, string>>,
): number | undefined {
  const { globalDownstreamConnectionLimit: field } = fields(config["connectionSettings"]) as { globalDownstreamConnectionLimit?: unknown };
  const others = [env["ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS"], runtime["overload.global_downstream_max_connections"]];
  if (typeof field === "number" && field > 0) return field;
  return others.map((text) => (text === undefined || !/^\d+$/.test(text) ? 0 : Number(text))).find((number) => number > 0);
}

/** As Istio's agent reads its environment (pkg/bootstrap): `ISTIO_META_X` is X, `ISTIO_METAJSON_*` an object of several. */
function toMetadata(env: Readonly<Record<string, string>>): Fields {
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith("ISTIO_META_")) found[name.slice("ISTIO_META_".length)] = value;
    else if (name.startsWith("ISTIO_METAJSON_")) Object.assign(found, parseObject(value));
  }
  return found;
}

function parseObject(text: string): Fields {
  try {
    return fields(JSON.parse(text));
  } catch {
    return {};
  }
}

export function proxySettings(input: ProxySettingsInput): ProxySettings {
  const { root, namespace, workload } = chosen(input);
  const own = readAnnotation(input.annotations[ANNOTATION]);
  const config = [root, namespace, own.config, workload].reduce((below, above) => merge(above, below), input.defaultConfig);
  const env = texts(config["proxyMetadata"]);
  const runtimeValues = texts(config["runtimeValues"]);
  const meshId = config["meshId"];
  const generated = Object.fromEntries(GENERATED_BY.filter((name) => config[name] !== undefined).map((name) => [name, config[name]]));
  return {
    concurrency: typeof config["concurrency"] === "number" ? config["concurrency"] : 1,
    env,
    metadata: { ...(typeof meshId === "string" && meshId !== "" ? { MESH_ID: meshId } : {}), ...toMetadata(env) },
    runtimeValues,
    connectionLimit: connectionLimitOf(config, env, runtimeValues),
    proxyConfig: GENERATED_BY.some((name) => own.config[name] !== undefined) ? generated : undefined,
    drainMs: ms(config["drainDuration"], DRAIN_MS),
    terminationDrainMs: ms(config["terminationDrainDuration"], TERMINATION_DRAIN_MS),
    holdApplication: config["holdApplicationUntilProxyStarts"] === true,
    problem: own.problem,
  };
}
