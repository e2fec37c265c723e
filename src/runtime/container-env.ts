// `env` and `envFrom` of a container: plain values, ConfigMaps, Secrets and fields of the pod, in Kubernetes' order (later names win).
import type { StoredResource } from "../admin-api/index.ts";
import { err, ok, type Result } from "../kit/index.ts";
import type { Container, EnvVar } from "../resources/index.ts";
import { type Env, expandVariables } from "./pod-env.ts";

export interface PodFields {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
}

export interface ContainerEnvInput {
  readonly container: Container;
  readonly pod: PodFields;
  /** What `$(NAME)` may also mean: service variables, ports. */
  readonly base: Env;
  readonly find: (kind: "ConfigMap" | "Secret", name: string) => StoredResource | undefined;
}

export function toContainerEnv(input: ContainerEnvInput): Result<Env> {
  const { container, find } = input;
  const env: Record<string, string> = {};
  for (const { prefix = "", configMapRef, secretRef } of container.envFrom ?? []) {
    const kind = configMapRef === undefined ? "Secret" : "ConfigMap";
    const ref = configMapRef ?? secretRef;
    if (ref === undefined) return err("an entry of envFrom names neither a ConfigMap nor a Secret");
    const values = dataOf(kind, find(kind, ref.name));
    if (values === undefined && ref.optional !== true) return err(`${kind} ${ref.name} does not exist`);
    for (const [name, value] of Object.entries(values ?? {})) env[prefix + name] = value;
  }
  for (const entry of container.env ?? []) {
    const value = valueOf(entry, { ...input, env });
    if (!value.ok) return value;
    if (value.value !== undefined) env[entry.name] = value.value;
  }
  return ok(env);
}

function valueOf(entry: EnvVar, input: ContainerEnvInput & { readonly env: Env }): Result<string | undefined> {
  const from = entry.valueFrom;
  if (from === undefined || from === null) return ok(expandVariables(entry.value ?? "", { ...input.base, ...input.env }));
  if (from.fieldRef !== undefined) {
    const value = fieldOf(from.fieldRef.fieldPath, input.pod);
    return value === undefined ? err(`env ${entry.name}: field ${from.fieldRef.fieldPath} is not known here`) : ok(value);
  }
  const kind = from.configMapKeyRef === undefined ? "Secret" : "ConfigMap";
  const ref = from.configMapKeyRef ?? from.secretKeyRef;
  if (ref === undefined) return err(`env ${entry.name}: this valueFrom is not supported, only configMapKeyRef, secretKeyRef and fieldRef`);
  const values = dataOf(kind, input.find(kind, ref.name));
  const value = values === undefined || !Object.hasOwn(values, ref.key) ? undefined : values[ref.key];
  if (value === undefined && ref.optional !== true) return err(`env ${entry.name}: ${kind} ${ref.name} has no key ${ref.key}`);
  return ok(value);
}

function fieldOf(path: string, pod: PodFields): string | undefined {
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (keyed !== null) {
    const map = keyed[1] === "labels" ? pod.labels : pod.annotations;
    const key = keyed[2] ?? "";
    return Object.hasOwn(map, key) ? map[key] : "";
  }
  switch (path) {
    case "metadata.name":
      return pod.name;
    case "metadata.namespace":
      return pod.namespace;
    case "spec.serviceAccountName":
      return pod.serviceAccount;
    case "status.podIP":
    case "status.hostIP":
      return "127.0.0.1";
    case "spec.nodeName":
      return "local";
    default:
      return undefined;
  }
}

interface RawData {
  readonly data?: Readonly<Record<string, string>> | null;
  readonly stringData?: Readonly<Record<string, string>> | null;
}

function dataOf(kind: "ConfigMap" | "Secret", resource: StoredResource | undefined): Readonly<Record<string, string>> | undefined {
  if (resource === undefined) return undefined;
  const { data, stringData } = resource as RawData;
  if (kind === "ConfigMap") return data ?? {};
  const decoded = Object.entries(data ?? {}).map(([k, v]) => [k, Buffer.from(v, "base64").toString("utf8")] as const);
  return { ...Object.fromEntries(decoded), ...stringData };
}
