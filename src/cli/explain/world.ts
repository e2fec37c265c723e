// What explain asks: a mesh from files, or the running one read back (the same pure functions build the same config from it), and the
// proxy that makes the call.
import type { AdminClient, PodReport, ProxyStatus } from "../../admin-api/index.ts";
import { type Result, SerinError } from "../../kit/index.ts";
import type { MeshSnapshot, ProxyIdentity, ProxyScope } from "../../model/index.ts";
import { parseObject, type Resource } from "../../resources/index.ts";
import { buildMesh } from "../../translate/index.ts";
import { readOfflineMesh } from "../offline-mesh.ts";
import { type CallerOptions, chooseCaller, toIdentity } from "./caller.ts";
import type { CurlRequest } from "./curl-args.ts";

export interface World {
  readonly snapshot: MeshSnapshot;
  readonly caller: ProxyIdentity;
}

export function readOfflineWorld(
  request: CurlRequest,
  options: CallerOptions & { readonly paths: readonly string[]; readonly meshConfig: string | undefined },
): World {
  const { snapshot } = readOfflineMesh(options);
  return { snapshot, caller: unwrap(chooseCaller(request, snapshot, options)) };
}

export async function readRunningWorld(request: CurlRequest, client: AdminClient, options: CallerOptions): Promise<World> {
  const [status, list, pods, proxies] = await Promise.all([client.status(), client.list(), client.pods(), client.proxies()]);
  const resources = [...list.items.flatMap((object) => parseObject(object, object.kind).resource ?? []), ...pods.pods.map(toPod)];
  const snapshot = buildMesh({ resources, meshConfig: status.meshConfig });
  const named = options.from === undefined ? undefined : findByName(proxies, options.from);
  if (named !== undefined) return { snapshot, caller: fromStatus(named) };
  const guess = unwrap(chooseCaller(request, snapshot, options));
  return { snapshot, caller: findLike(proxies, guess) ?? guess };
}

function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new SerinError("EXPLAIN_CALLER_INVALID", result.error, {
    fix: "Write the caller as app=client,ns=default, or name a pod of the running mesh.",
  });
}

function findByName(proxies: readonly ProxyStatus[], name: string): ProxyStatus | undefined {
  return (
    proxies.find((proxy) =>
      [proxy.name, `${proxy.name}.${proxy.namespace}`, `${proxy.namespace}/${proxy.name}`, proxy.id].includes(name),
    ) ?? proxies.find((proxy) => proxy.name.startsWith(`${name}-`))
  );
}

/** A connected proxy that has the labels asked for; of sidecars preferably one in that namespace. */
function findLike(proxies: readonly ProxyStatus[], guess: ProxyIdentity): ProxyIdentity | undefined {
  const scopeOf = (proxy: ProxyStatus) => proxy.scope as ProxyScope;
  const wanted = Object.entries(guess.scope.labels);
  const fitting = proxies.filter(
    (proxy) => proxy.type === guess.type && wanted.every(([name, value]) => scopeOf(proxy).labels[name] === value),
  );
  const inNamespace = fitting.find((proxy) => proxy.namespace === guess.namespace);
  const found = inNamespace ?? (guess.type === "router" || wanted.length === 0 ? fitting[0] : undefined);
  return found === undefined ? undefined : fromStatus(found);
}

/** Virtual hosts inline, whatever the proxy asked for: the same routes in one piece. */
function fromStatus(proxy: ProxyStatus): ProxyIdentity {
  const scope = { ...(proxy.scope as ProxyScope), virtualHostDiscovery: false };
  const base = toIdentity(proxy.type, { namespace: proxy.namespace, labels: scope.labels, scope });
  return { ...base, id: proxy.id, name: proxy.name };
}

function toPod(pod: PodReport): Resource {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: pod.name, namespace: pod.namespace, labels: pod.labels, annotations: pod.annotations, creationTimestamp: 0 },
    spec: { containers: [], serviceAccountName: pod.serviceAccount },
    status: pod.status,
    locate: () => ({ file: "", line: 0, column: 0 }),
  };
}
