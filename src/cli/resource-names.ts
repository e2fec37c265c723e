// `vs/demo4`, `vs demo4 other`, `test1/demo4` → the resources meant. A name without namespace is looked for in all of them.
import type { AdminClient, ResourceKey, StoredResource } from "../admin-api/index.ts";
import { SerinError } from "../kit/index.ts";
import type { Kind } from "../resources/index.ts";
import { isNamespaced, kindNames, parseKindName } from "./kind-names.ts";

export interface NameQuery {
  readonly kind: Kind;
  /** undefined: all of the kind. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
}

const ALL: readonly Kind[] = ["Service", "Deployment", "VirtualService", "DestinationRule", "Gateway", "ServiceEntry"];

/** Arguments as kubectl takes them: `KIND[,KIND] [NAME…]` or `KIND/NAME…`; `all` is what makes up an application. */
export function parseNameArgs(args: readonly string[], namespace: string | undefined): NameQuery[] {
  const [first = ""] = args;
  if (first.includes("/")) {
    return args.map((arg) => {
      const [kind = "", ...rest] = arg.split("/");
      return toQuery(toKind(kind), rest.join("/"), namespace);
    });
  }
  const kinds = first === "all" ? ALL : first.split(",").map(toKind);
  const names = args.slice(1);
  return kinds.flatMap((kind) =>
    names.length === 0 ? [toQuery(kind, undefined, namespace)] : names.map((name) => toQuery(kind, name, namespace)),
  );
}

function toQuery(kind: Kind, name: string | undefined, namespace: string | undefined): NameQuery {
  const at = name?.indexOf("/") ?? -1;
  if (name !== undefined && at !== -1) return { kind, namespace: name.slice(0, at), name: name.slice(at + 1) };
  return { kind, name, namespace: isNamespaced(kind) ? namespace : undefined };
}

function toKind(text: string): Kind {
  const kind = parseKindName(text);
  if (kind !== undefined) return kind;
  throw new SerinError("KIND_UNKNOWN", `there is no kind "${text}"`, { fix: `Known are: ${kindNames().join(", ")}.` });
}

/** What the control plane has for a query, pods included (those the runtime published). */
export async function findResources(client: AdminClient, query: NameQuery): Promise<StoredResource[]> {
  const filter = { kind: query.kind, ...(query.namespace === undefined ? {} : { namespace: query.namespace }) };
  const stored = [...(await client.list(filter)).items];
  if (query.kind === "Pod") stored.push(...(await listPods(client, query.namespace)));
  return stored
    .filter((object) => query.name === undefined || object.metadata.name === query.name)
    .sort((a, b) => compare(a.metadata.namespace, b.metadata.namespace) || compare(a.metadata.name, b.metadata.name));
}

/** Exactly one resource; a name that two namespaces have needs -n. */
export async function findOne(client: AdminClient, query: NameQuery): Promise<StoredResource> {
  const found = await findResources(client, query);
  const [object] = found;
  if (object === undefined) throw notFound(query);
  if (found.length > 1) {
    throw new SerinError(
      "NAME_AMBIGUOUS",
      `${query.kind} ${query.name} is in several namespaces: ${found.map((o) => o.metadata.namespace).join(", ")}`,
      { fix: "Add -n NAMESPACE." },
    );
  }
  return object;
}

export function notFound(query: NameQuery): SerinError {
  const name = query.namespace === undefined ? query.name : `${query.namespace}/${query.name}`;
  return new SerinError("RESOURCE_NOT_FOUND", `there is no ${query.kind} ${name}`, {
    fix: `See \`serin get ${query.kind.toLowerCase()}\`.`,
  });
}

export function formatKey(key: ResourceKey): string {
  return `${key.kind} ${key.namespace === "" ? "" : `${key.namespace}/`}${key.name}`;
}

async function listPods(client: AdminClient, namespace: string | undefined): Promise<StoredResource[]> {
  const { pods } = await client.pods();
  return pods
    .filter((pod) => namespace === undefined || pod.namespace === namespace)
    .map((pod) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: pod.name,
        namespace: pod.namespace,
        labels: pod.labels,
        annotations: pod.annotations,
        creationTimestamp: "",
        uid: "",
        resourceVersion: "",
        generation: 1,
      },
      spec: { serviceAccountName: pod.serviceAccount },
      status: pod.status,
    }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
