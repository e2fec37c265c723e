// Patches of clusters (Istio networking/core/envoyfilter/cluster_patch.go).
import { clone, type Message } from "@bufbuild/protobuf";
import { type Cluster, ClusterSchema, type TransportSocket } from "../../envoy-api/index.ts";
import { type EnvoyPatch, parseSubsetKey } from "../../model/index.ts";
import { type CompiledPatches, patchesTo } from "./compile.ts";
import { isMerge, listRule } from "./listeners.ts";
import { matchesPlace, type Place, takesAdditions } from "./match.ts";
import { mergeInto } from "./merge.ts";
import { mergeAny, MergeMismatch } from "./merge-any.ts";

/** `hosts`: of an inbound cluster, whose name says no host. */
function matchesCluster(patch: EnvoyPatch, cluster: Cluster, hosts: readonly string[]): boolean {
  const match = patch.cluster;
  if (match === undefined) return true;
  if (match.name !== "") return match.name === cluster.name;
  const key = parseSubsetKey(cluster.name);
  const names = key?.direction === "inbound" && hosts.length > 0 ? hosts : [key?.hostname ?? ""];
  if (match.subset !== "" && match.subset !== key?.subset) return false;
  if (match.service !== "" && !names.includes(match.service)) return false;
  return match.portNumber === 0 || match.portNumber === key?.port;
}

/** The cluster itself where no patch meets it, a patched copy, or undefined: it is removed. */
export function patchCluster(
  cluster: Cluster,
  patching: { readonly patches: CompiledPatches; readonly place: Place; readonly hosts: readonly string[] },
): Cluster | undefined {
  let result = cluster;
  try {
    for (const compiled of patchesTo("CLUSTER", patching.patches)) {
      const { patch, value } = compiled;
      if (!matchesPlace(compiled, patching.place) || !matchesCluster(patch, result, patching.hosts)) continue;
      if (patch.operation === "REMOVE") return undefined;
      if (!isMerge(patch)) continue;
      if (result === cluster) result = clone(ClusterSchema, cluster);
      if (!mergeTransportSocket(result, value as Cluster, patch)) mergeInto(ClusterSchema, result, value as Message, listRule(patch));
    }
  } catch (error) {
    if (!(error instanceof MergeMismatch)) throw error;
  }
  return result;
}

/** True: the patch is about the transport socket, and done; nothing else of it counts then. */
function mergeTransportSocket(cluster: Cluster, by: Cluster, patch: EnvoyPatch): boolean {
  const wanted = by.transportSocket;
  if (wanted === undefined) return false;
  let own: TransportSocket | undefined;
  if (cluster.transportSocketMatches.length > 0) {
    own = cluster.transportSocketMatches.find((one) => one.transportSocket?.name === wanted.name)?.transportSocket;
    // A cluster with both a socket and matches would be refused.
    if (own === undefined) return true;
  } else if (cluster.transportSocket?.name === wanted.name) own = cluster.transportSocket;
  if (own === undefined) {
    cluster.transportSocket = wanted;
    return true;
  }
  if (own.configType.case !== "typedConfig" || wanted.configType.case !== "typedConfig") return true;
  const merged = mergeAny(own.configType.value, wanted.configType.value, listRule(patch));
  if (merged !== undefined) own.configType.value = merged;
  return true;
}

export function addedClusters(patches: CompiledPatches, place: Place): readonly Cluster[] {
  return patchesTo("CLUSTER", patches)
    .filter((compiled) => compiled.patch.operation === "ADD" && takesAdditions(compiled, place))
    .map(({ value }) => value as Cluster);
}
