// One outbound address with the filter chains of all services that share it, and the listener made of it (Istio networking/core/listener.go
// buildSidecarOutboundListener, buildListenerFromEntry). Services that speak differently share an address behind the protocol inspector.
import { create, ListenerSchema, toDuration, TrafficDirection } from "../../envoy-api/index.ts";
import type { ConfigView, Protocol } from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";
import { isDetected, isTcp } from "../protocols.ts";
import { outsideCluster } from "../routes/default-route.ts";
import type { BuiltListener } from "./built-listener.ts";
import { buildChain, type ChainPlan, matchesAll, mergeChains, readsHttp, readsTls } from "./chain.ts";
import { httpInspector, tlsInspector } from "./inspectors.ts";
import { outsideChain } from "./virtual-outbound.ts";

export interface Entry {
  readonly address: string;
  readonly port: number;
  readonly bound: boolean;
  /** UNSUPPORTED: plain HTTP and other bytes are told apart. */
  protocol: Protocol;
  chains: readonly ChainPlan[];
}

/** Their servers speak first, so nothing beside them may wait for the caller's bytes. */
const SERVER_FIRST: ReadonlySet<Protocol> = new Set(["MONGO", "MYSQL"]);

/** undefined: what is there serves the newcomer too, or cannot live beside it. */
export function joinEntry(there: Entry, comes: { readonly protocol: Protocol; readonly chains: () => readonly ChainPlan[] }): Entry {
  const { protocol } = comes;
  const differs = protocol !== there.protocol;
  if (differs && (SERVER_FIRST.has(protocol) || SERVER_FIRST.has(there.protocol))) return there;
  if (isDetected(protocol)) {
    if (isTcp(there.protocol)) return { ...there, protocol: "UNSUPPORTED", chains: mergeChains(there.chains, comes.chains()) };
    // Already detected. Over plain HTTP, the newcomer takes the address whole.
    return isDetected(there.protocol) ? there : { ...there, protocol, chains: comes.chains() };
  }
  if (!isTcp(protocol)) {
    if (!isTcp(there.protocol)) return there;
    return { ...there, protocol: "UNSUPPORTED", chains: mergeChains(there.chains, comes.chains()) };
  }
  const merged = { ...there, chains: mergeChains(there.chains, comes.chains()) };
  return isTcp(there.protocol) ? merged : { ...merged, protocol: "UNSUPPORTED" };
}

/** The chain that takes all the rest stands last; where there is none, the rest leaves the mesh. */
export function buildEntryListener(view: ConfigView, entry: Entry): BuiltListener {
  const inspectsHttp = readsHttp(entry.chains);
  const special = entry.chains.filter((chain) => !matchesAll(chain));
  const rest = entry.chains.findLast(matchesAll);
  const only = special.length === 0 && rest !== undefined;
  const message = create(ListenerSchema, {
    name: `${entry.address}_${entry.port}`,
    address: socketAddress(entry.address, entry.port),
    trafficDirection: TrafficDirection.OUTBOUND,
    ...(entry.bound ? {} : { bindToPort: false }),
    listenerFilters: [...(readsTls(entry.chains) ? [tlsInspector()] : []), ...(inspectsHttp ? [httpInspector()] : [])],
    listenerFiltersTimeout: toDuration(inspectsHttp ? view.mesh.protocolDetectionTimeoutMs : 0),
    continueOnListenerFiltersTimeout: true,
    filterChains: only ? [buildChain(rest)] : special.map(buildChain),
    ...(only ? {} : { defaultFilterChain: rest === undefined ? outsideChain(view, "PassthroughFilterChain") : buildChain(rest) }),
  });
  const outside = rest === undefined ? [outsideCluster(view)] : [];
  return { message, clusters: [...entry.chains.flatMap((chain) => chain.clusters), ...outside] };
}
