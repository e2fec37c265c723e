// Listeners of a gateway (Istio networking/core/gateway.go): plain HTTP servers of one address share a chain, each TLS server has its own,
// chosen by the name the client asks for. Servers of byte streams need a usable route, or there is no chain for them.
import { create, type Listener, ListenerSchema, TrafficDirection } from "../../envoy-api/index.ts";
import { type ConfigView, type GatewayListenerView, type GatewayServerView, isPassthrough, type ServerTls } from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";
import type { GatewayTable } from "../routes/gateway-tables.ts";
import { buildServerTls } from "../tls/downstream.ts";
import { buildListenerAccessLogs } from "./access-log.ts";
import { buildChain, type ChainPlan, distinctNames, readsTls } from "./chain.ts";
import { connectionSettingsOf } from "./connection-settings.ts";
import { planAutoPassthrough, planStreamChain, planTlsChains } from "./gateway-streams.ts";
import { buildHttpManager } from "./http-manager.ts";
import { proxyProtocolFilter, tlsInspector } from "./inspectors.ts";
import type { BuiltListener } from "./built-listener.ts";

const HTTP: ReadonlySet<string> = new Set(["HTTP", "HTTP2", "GRPC", "GRPC-WEB"]);

export interface GatewayListeners {
  readonly listeners: readonly BuiltListener[];
  readonly tables: readonly GatewayTable[];
}

const isHttp = (view: GatewayServerView): boolean => HTTP.has(view.server.port.protocol);

/** TLS that this server ends, and whether HTTP is inside. */
function terminated({ server }: GatewayServerView): { readonly tls: ServerTls; readonly http: boolean } | undefined {
  const { tls, port } = server;
  if (tls === undefined || isPassthrough(tls)) return undefined;
  return { tls, http: port.protocol === "HTTPS" };
}

function addressOf(view: ConfigView, place: GatewayListenerView): string {
  return place.bind === "" ? view.scope.bindAddress : place.bind;
}

/** Names as SNI; what stands before a slash is the namespace of routes. */
function sniOf(server: GatewayServerView): readonly string[] {
  return [...new Set(server.server.hosts.map((host) => host.host))];
}

function httpChain(view: ConfigView, place: GatewayListenerView, server: GatewayServerView): ChainPlan {
  const ends = terminated(server);
  const statPrefix = `outbound_${addressOf(view, place)}_${place.port}`;
  const manager = buildHttpManager({ view, side: "gateway", routes: server.routeName, statPrefix, protocol: server.server.port.protocol });
  return {
    sniHosts: ends === undefined ? [] : sniOf(server),
    subnets: [],
    tls: ends === undefined ? undefined : downstream(view, ends.tls, false),
    filters: [manager],
    clusters: [],
  };
}

function downstream(view: ConfigView, tls: ServerTls, tcp: boolean) {
  return buildServerTls(tls, { defaults: view.mesh.tlsDefaults, tcp, secretServer: view.scope.secretServer });
}

/** Without a mesh identity there is no certificate for ISTIO_MUTUAL. */
function isServable(view: ConfigView, { server }: GatewayServerView): boolean {
  return server.tls?.mode !== "ISTIO_MUTUAL" || view.scope.secretServer;
}

function chainsOf(view: ConfigView, place: GatewayListenerView, server: GatewayServerView, taken: Set<string>): readonly ChainPlan[] {
  const { tls } = server.server;
  const ends = terminated(server);
  if (ends?.http === true) return [httpChain(view, place, server)];
  if (tls?.mode === "AUTO_PASSTHROUGH") return planAutoPassthrough(view, sniOf(server));
  if (tls !== undefined && ends === undefined) return planTlsChains(view, server, taken);
  const stream = planStreamChain(view, server);
  if (stream === undefined) return [];
  return [ends === undefined ? stream : { ...stream, sniHosts: sniOf(server), tls: downstream(view, ends.tls, true) }];
}

function listenerOf(view: ConfigView, place: GatewayListenerView, plans: readonly ChainPlan[]): Listener {
  const address = addressOf(view, place);
  const { listenerBufferBytes } = connectionSettingsOf(view);
  return create(ListenerSchema, {
    name: `${address}_${place.port}`,
    address: socketAddress(address, place.port),
    trafficDirection: TrafficDirection.OUTBOUND,
    listenerFilters: [...(view.mesh.gatewayProxyProtocol ? [proxyProtocolFilter()] : []), ...(readsTls(plans) ? [tlsInspector()] : [])],
    filterChains: plans.map(buildChain),
    accessLog: buildListenerAccessLogs(view.mesh),
    ...(listenerBufferBytes === undefined ? {} : { perConnectionBufferLimitBytes: listenerBufferBytes }),
  });
}

export function buildGatewayListeners(view: ConfigView): GatewayListeners {
  const listeners: BuiltListener[] = [];
  const tables = new Map<string, GatewayTable>();
  const addTable = (name: string, place: GatewayListenerView, servers: readonly GatewayServerView[]): void => {
    if (!tables.has(name)) tables.set(name, { name, port: place.port, servers });
  };
  // SNI names of pass-through rules, by port and bind: each may stand once.
  const taken = new Map<string, Set<string>>();
  for (const place of view.gateways) {
    const servers = place.servers.filter((server) => isServable(view, server));
    const http = servers.filter(isHttp);
    const [first] = http;
    const key = `${place.port} ${place.bind}`;
    let names = taken.get(key);
    if (names === undefined) taken.set(key, (names = new Set()));
    const plans: ChainPlan[] = [];
    for (const server of servers) {
      if (!isHttp(server)) plans.push(...chainsOf(view, place, server, names));
      else if (server === first) plans.push(httpChain(view, place, server));
      if (terminated(server)?.http === true) addTable(server.routeName, place, [server]);
    }
    if (first !== undefined) addTable(first.routeName, place, http);
    const chains = distinctNames(plans);
    if (chains.length > 0) listeners.push({ message: listenerOf(view, place, chains), clusters: chains.flatMap((plan) => plan.clusters) });
  }
  return { listeners, tables: [...tables.values()] };
}
