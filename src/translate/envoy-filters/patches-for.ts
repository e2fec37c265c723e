// The patches that meet one proxy, in order (Istio pilot/pkg/model/push_context.go EnvoyFilters, model/envoyfilter.go proxyMatch).
import type { EnvoyFilter, EnvoyPatch, ProxyIdentity } from "../../model/index.ts";
import { compareText, selects } from "../names.ts";
import type { Lineage } from "../stable.ts";

export interface FoundPatches {
  readonly patches: readonly EnvoyPatch[];
  /** Equal lists have equal keys. */
  readonly key: string;
}

export const NO_PATCHES_FOUND: FoundPatches = Object.freeze({ patches: Object.freeze([]), key: "" });

/** Names the Gateway API gateway that a pod belongs to. */
const GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name";

/** What of a proxy decides. */
export type PatchedProxy = Pick<ProxyIdentity, "scope"> & Partial<Pick<ProxyIdentity, "metadata">>;

function isMeant(filter: EnvoyFilter, proxy: PatchedProxy): boolean {
  const { labels, namespace } = proxy.scope;
  if (filter.gateways === undefined) return filter.labels === undefined || selects(filter.labels, labels);
  const gateway = labels[GATEWAY_NAME];
  return gateway !== undefined && filter.namespace === namespace && filter.gateways.includes(gateway);
}

function fits(entry: EnvoyFilter["patches"][number], metadata: Readonly<Record<string, string>>): boolean {
  if (entry.version !== undefined) {
    const version = metadata["ISTIO_VERSION"] ?? "";
    if (version === "" || !entry.version(version)) return false;
  }
  return selects(entry.metadata, metadata);
}

/** Priority, then the root namespace's, then the oldest; ties by `name.namespace`. */
function order(rootNamespace: string): (a: EnvoyFilter, b: EnvoyFilter) => number {
  const rank = (filter: EnvoyFilter): number => (filter.namespace === rootNamespace ? 0 : 1);
  return (a, b) =>
    a.priority - b.priority ||
    rank(a) - rank(b) ||
    a.createdAt - b.createdAt ||
    compareText(`${a.name}.${a.namespace}`, `${b.name}.${b.namespace}`);
}

/** The same list for the same patches, so that proxies they meet alike share their config. */
export function patchesFor(
  filters: readonly EnvoyFilter[],
  proxy: PatchedProxy,
  options: { readonly rootNamespace: string; readonly lineage: Lineage },
): FoundPatches {
  const { rootNamespace, lineage } = options;
  const { namespace } = proxy.scope;
  const metadata = proxy.metadata ?? {};
  const found: EnvoyPatch[] = [];
  const names: string[] = [];
  const meant = filters.filter((one) => (one.namespace === rootNamespace || one.namespace === namespace) && isMeant(one, proxy));
  for (const filter of meant.toSorted(order(rootNamespace))) {
    const chosen = filter.patches.map((entry, index) => ({ entry, index })).filter(({ entry }) => fits(entry, metadata));
    if (chosen.length === 0) continue;
    found.push(...chosen.map(({ entry }) => entry.patch));
    names.push(`${filter.namespace}/${filter.name}:${chosen.map(({ index }) => index).join()}`);
  }
  if (found.length === 0) return NO_PATCHES_FOUND;
  const key = names.join(" ");
  return { patches: lineage.list(`envoyPatches ${key}`, found), key };
}
