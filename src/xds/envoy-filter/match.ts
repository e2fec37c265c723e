// What a patch applies to (Istio networking/core/envoyfilter: listenerMatch, filterChainMatch, …).
import type { FilterChain, Listener } from "../../envoy-api/index.ts";
import type { EnvoyPatch, PatchContext } from "../../model/index.ts";
import type { CompiledPatch } from "./compile.ts";

/** Where config stands; never ANY. */
export type Place = Exclude<PatchContext, "ANY" | "WAYPOINT">;

export function matchesPlace({ patch }: CompiledPatch, place: Place): boolean {
  return patch.context === place || patch.context === "ANY";
}

/** An object of its own that is added without a place goes to these. */
export function takesAdditions({ patch }: CompiledPatch, place: Place): boolean {
  return patch.context === place || (patch.context === "ANY" && place !== "SIDECAR_INBOUND");
}

/** Captured traffic of every port meets here: their ports stand in the filter chains. */
function isVirtual(listener: Listener): boolean {
  return listener.name === "virtualInbound" || listener.name === "virtualOutbound";
}

function portOf(listener: Listener): number | undefined {
  const address = listener.address?.address;
  if (address?.case !== "socketAddress") return undefined;
  const port = address.value.portSpecifier;
  return port.case === "portValue" ? port.value : 0;
}

export function matchesListener(patch: EnvoyPatch, listener: Listener): boolean {
  const match = patch.listener;
  if (match === undefined) return true;
  if (match.name !== "" && match.name !== listener.name) return false;
  if (patch.applyTo !== "LISTENER" && isVirtual(listener)) return true;
  return match.portNumber === 0 || portOf(listener) === match.portNumber;
}

export function matchesFilterChain(patch: EnvoyPatch, listener: Listener, chain: FilterChain): boolean {
  const match = patch.listener;
  if (match === undefined) return true;
  const has = chain.filterChainMatch;
  if (isVirtual(listener) && match.portNumber > 0 && (has?.destinationPort ?? 0) !== match.portNumber) return false;
  const wanted = match.filterChain;
  if (wanted === undefined) return true;
  if (wanted.name !== "" && wanted.name !== chain.name) return false;
  if (wanted.sni !== "" && has?.serverNames.includes(wanted.sni) !== true) return false;
  if (wanted.transportProtocol !== "" && has?.transportProtocol !== wanted.transportProtocol) return false;
  if (!wanted.applicationProtocols.every((protocol) => has?.applicationProtocols.includes(protocol) === true)) return false;
  return wanted.destinationPort === 0 || has?.destinationPort === wanted.destinationPort;
}

export function matchesNetworkFilter(patch: EnvoyPatch, name: string): boolean {
  const wanted = patch.listener?.filterChain?.filter;
  return wanted === undefined || wanted === name;
}

export function matchesHttpFilter(patch: EnvoyPatch, name: string): boolean {
  const wanted = patch.listener?.filterChain?.subFilter;
  return wanted === undefined || wanted === name;
}
