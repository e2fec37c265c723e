// Outbound listeners of a sidecar (Istio networking/core/listener.go buildSidecarOutboundListeners): HTTP ports share `0.0.0.0_PORT`, other
// ports have `ADDRESS_PORT` (of each pod, where the service itself has no address), the explicit proxy takes whatever names a host, and `virtualOutbound` takes what is left. A listener that the
// Sidecar gives a port keeps that address for itself.
import { create, ListenerSchema, TrafficDirection } from "../../envoy-api/index.ts";
import type { ConfigView, EgressListenerView, Protocol, ServicePart, ServicePort, ServiceView } from "../../model/index.ts";
import { partsOf } from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";
import { isDetected, isTcp, isUdp } from "../protocols.ts";
import type { SidecarTableName } from "../routes/tables.ts";
import type { BuiltListener } from "./built-listener.ts";
import { goesByName } from "./by-name.ts";
import { httpChain, l4Chains, type ServicePortUse } from "./outbound-chains.ts";
import { buildEntryListener, type Entry, joinEntry } from "./outbound-entry.ts";
import { buildHttpManager } from "./http-manager.ts";
import { NO_PODS, type PodAddresses } from "./pod-addresses.ts";
import { buildVirtualOutbound } from "./virtual-outbound.ts";

export const EXPLICIT_PROXY = "http_proxy";
const LOOPBACK = "127.0.0.1";
const ANY = "0.0.0.0";
/** Ports under it need rights that an unprivileged proxy has not. */
const FIRST_FREE_PORT = 1024;

export interface OutboundListeners {
  readonly listeners: readonly BuiltListener[];
  /** Names of those that stand for no service's port: the explicit proxy and what is captured. */
  readonly own: ReadonlySet<string>;
  readonly tables: readonly SidecarTableName[];
}

interface Place {
  readonly egress: EgressListenerView;
  /** A socket of its own, instead of waiting for captured connections. */
  readonly bound: boolean;
  /** "" = by service. */
  readonly bind: string;
}

function placeOf(view: ConfigView, egress: EgressListenerView): Place {
  const bound = view.scope.interceptionMode === "NONE" || egress.captureMode === "NONE" || egress.bind.startsWith("unix://");
  return { egress, bound, bind: egress.bind !== "" ? egress.bind : bound ? LOOPBACK : "" };
}

/** Addresses of the proxy's own listeners are not taken, nor ports that it may not open. */
function mayListen(view: ConfigView, place: Place, port: Pick<ServicePort, "number" | "protocol">): boolean {
  if (place.bound && view.scope.unprivileged && port.number > 0 && port.number < FIRST_FREE_PORT) return false;
  if (place.bind === "" ? isTcp(port.protocol) || isDetected(port.protocol) : place.bind !== ANY) return true;
  return port.number !== view.mesh.proxyListenPort && port.number !== view.mesh.proxyInboundListenPort;
}

interface Building {
  readonly view: ConfigView;
  readonly pods: PodAddresses;
  readonly entries: Map<string, Entry>;
  /** Those that listeners with a port of their own have taken. */
  readonly locked: Set<string>;
  readonly tables: Map<string, SidecarTableName>;
}

function tableName(use: ServicePortUse, address: string, protocol: Protocol): SidecarTableName {
  const { port, service } = use;
  if (port.number === 0) return { name: address, port: 0 };
  // A detected service with an address of its own has routes of its own.
  if (isDetected(protocol) && address !== ANY) {
    const only = service.service.hostname;
    return { name: `${only}:${port.number}`, port: port.number, only };
  }
  return { name: String(port.number), port: port.number };
}

function addService(to: Building, place: Place, service: ServiceView, on: ServicePart & { readonly port: ServicePortUse["port"] }): void {
  // It is called by the address of the service that it means.
  if (service.service.resolution === "ALIAS") return;
  const { view, entries } = to;
  const { port } = on;
  const { protocol } = port;
  const plainHttp = !isTcp(protocol) && !isDetected(protocol);
  const [own = ""] = on.addresses;
  const range = own.includes("/");
  const address = place.bind !== "" ? place.bind : plainHttp || range || own === "" ? ANY : own;
  const key = `${address}_${port.number}`;
  if (to.locked.has(key)) return;
  const ranges = range && place.bind === "" ? [own] : [];
  const use = { egress: place.egress, service, port, ranges, byServerName: range || (own === "" && address === ANY) };
  const http = (detected: boolean) => {
    const table = tableName(use, address, protocol);
    to.tables.set(table.name, table);
    return httpChain(view, { routes: table.name, name: key, protocol, detected, port: protocol === "HTTP_PROXY" ? 0 : table.port });
  };
  const chains = () => {
    if (plainHttp) return [http(address === ANY && protocol !== "HTTP_PROXY")];
    return isDetected(protocol) ? [...l4Chains(view, use), http(true)] : l4Chains(view, use);
  };
  const there = protocol === "HTTP_PROXY" ? undefined : entries.get(key);
  const fresh = (): Entry => ({
    address,
    port: port.number,
    bound: place.bound,
    protocol: plainHttp && address === ANY && protocol !== "HTTP_PROXY" ? "UNSUPPORTED" : protocol,
    chains: chains(),
  });
  entries.set(key, there === undefined ? fresh() : joinEntry(there, { protocol, chains }));
}

function addEgress(to: Building, egress: EgressListenerView): void {
  const place = placeOf(to.view, egress);
  const own = egress.port;
  if (own !== undefined) {
    if (!mayListen(to.view, place, own)) return;
    const anyPort = own.number === 0 || own.protocol === "HTTP_PROXY";
    for (const service of egress.services) {
      for (const part of partsOf(service.service)) {
        if (anyPort || part.ports.some((port) => port.number === own.number)) addService(to, place, service, { ...part, port: own });
      }
    }
    return;
  }
  // Pods that share one address cannot all open every service's port: their callers use the explicit proxy.
  if (place.bound && to.view.scope.sharesHost) return;
  for (const key of to.entries.keys()) to.locked.add(key);
  for (const service of egress.services) {
    for (const part of partsOf(service.service)) {
      for (const port of part.ports) {
        if (isUdp(port.protocol) || (service.ports !== undefined && !service.ports.includes(port.number))) continue;
        if (!mayListen(to.view, place, port)) continue;
        const perPod = place.bind === "" && (isTcp(port.protocol) || isDetected(port.protocol));
        const pods = perPod ? to.pods.of(service.service, port.number) : undefined;
        if (pods === undefined) addService(to, place, service, { ...part, port });
        else for (const address of pods) addService(to, place, service, { ...part, addresses: [address], port });
      }
    }
  }
}

function explicitProxy(view: ConfigView, port: number): BuiltListener {
  const name = `${LOOPBACK}_${port}`;
  const manager = buildHttpManager({
    view,
    side: "outbound",
    routes: EXPLICIT_PROXY,
    statPrefix: `outbound_${name}`,
    protocol: "HTTP_PROXY",
    absoluteUrl: true,
    byName: goesByName(view, 0),
  });
  const message = create(ListenerSchema, {
    name,
    address: socketAddress(LOOPBACK, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [{ filters: [manager] }],
  });
  return { message, clusters: [] };
}

export function buildOutboundListeners(view: ConfigView, pods: PodAddresses = NO_PODS): OutboundListeners {
  const building: Building = { view, pods, entries: new Map(), locked: new Set(), tables: new Map() };
  for (const egress of view.egress) addEgress(building, egress);
  const listeners = [...building.entries.values()].map((entry) => buildEntryListener(view, entry));
  const tables = [...building.tables.values()];
  const port = view.scope.httpProxyPort ?? view.mesh.proxyHttpPort;
  if (port !== 0) {
    listeners.push(explicitProxy(view, port));
    tables.push({ name: EXPLICIT_PROXY, port: 0 });
  }
  const own = new Set(port === 0 ? [] : listeners.slice(-1).map(({ message }) => message.name));
  if (view.scope.interceptionMode !== "NONE") {
    const captured = buildVirtualOutbound(view);
    own.add(captured.message.name);
    listeners.push(captured);
  }
  return { listeners, own, tables };
}
