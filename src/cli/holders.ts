// Which connected proxies have a resource in their config, as far as their config names it: a Service by its clusters, Istio's kinds by
// the metadata that Istio's names carry (`/apis/networking.istio.io/v1/namespaces/NS/KIND/NAME`) and by their hosts.
import type { AdminClient, ProxyConfigDump, ProxyStatus, StoredResource } from "../admin-api/index.ts";
import { TYPE_URL } from "../kit/index.ts";
import { type DumpEntry, endpointsOf } from "./proxy-config-table.ts";

export interface Holder {
  readonly proxy: ProxyStatus;
  readonly dump: ProxyConfigDump;
}

export interface ClusterEndpoints {
  readonly cluster: string;
  readonly endpoints: readonly { readonly address: string; readonly health: string; readonly weight: number }[];
}

/** All proxies with their dumps; asked for a few at a time. */
export async function readDumps(client: AdminClient): Promise<Holder[]> {
  const proxies = await client.proxies();
  const holders: Holder[] = [];
  for (let i = 0; i < proxies.length; i += 8) {
    const batch = proxies.slice(i, i + 8);
    holders.push(...(await Promise.all(batch.map(async (proxy) => ({ proxy, dump: await client.proxyConfig(proxy.id) })))));
  }
  return holders;
}

export function holdersOf(object: StoredResource, all: readonly Holder[]): readonly Holder[] {
  const needles = needlesOf(object);
  return needles.length === 0
    ? []
    : all.filter(({ dump }) =>
        needles.some((needle) =>
          Object.values(dump.byType)
            .flat()
            .some((entry) => mentions(entry, needle)),
        ),
      );
}

type Needle = { readonly text: string } | { readonly clusterHost: string };

function needlesOf(object: StoredResource): readonly Needle[] {
  const { name, namespace } = object.metadata;
  const spec = (object.spec ?? {}) as { readonly hosts?: readonly string[] };
  const path = (kind: string): Needle => ({ text: `/namespaces/${namespace}/${kind}/${name}"` });
  switch (object.kind) {
    case "Service":
      return [{ clusterHost: `${name}.${namespace}.svc.cluster.local` }];
    case "ServiceEntry":
      return (spec.hosts ?? []).map((host) => ({ clusterHost: host.toLowerCase() }));
    case "VirtualService":
      return [path("virtual-service")];
    case "DestinationRule":
      return [path("destination-rule")];
    case "Gateway":
      return [{ text: `"${namespace}/${name}"` }, path("gateway")];
    default:
      return [];
  }
}

function mentions(entry: DumpEntry, needle: Needle): boolean {
  if ("clusterHost" in needle) return entry.name.startsWith("outbound|") && entry.name.endsWith(`|${needle.clusterHost}`);
  return JSON.stringify(entry.resource).includes(needle.text);
}

/** The endpoints that proxies get for a host, each cluster once. */
export function endpointsFor(hosts: readonly string[], all: readonly Holder[]): ClusterEndpoints[] {
  const found = new Map<string, ClusterEndpoints>();
  for (const { dump } of all) {
    for (const entry of dump.byType[TYPE_URL.endpoint] ?? []) {
      if (found.has(entry.name) || !hosts.some((host) => mentions(entry, { clusterHost: host }))) continue;
      found.set(entry.name, { cluster: entry.name, endpoints: endpointsOf(entry) });
    }
  }
  return [...found.values()].sort((a, b) => (a.cluster < b.cluster ? -1 : 1));
}
