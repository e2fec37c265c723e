// Listeners of a gateway (Istio networking/core/gateway.go): plain HTTP servers share one, TCP servers have one when a route is usable.
import { create, ListenerSchema, TrafficDirection } from "../../envoy-api/index.ts";
import type { ConfigView, GatewayListenerView, GatewayServerView } from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";
import type { GatewayTable } from "../routes/gateway-tables.ts";
import { buildHttpManager } from "./http-manager.ts";
import type { BuiltListener } from "./outbound.ts";
import { buildTcpProxy, tcpRoutesOf } from "./tcp-proxy.ts";

const HTTP: ReadonlySet<string> = new Set(["HTTP", "HTTP2", "GRPC", "GRPC-WEB"]);
const TCP: ReadonlySet<string> = new Set(["TCP", "MONGO"]);

export interface GatewayListeners {
  readonly listeners: readonly BuiltListener[];
  readonly tables: readonly GatewayTable[];
}

const terminatesTls = (s: GatewayServerView): boolean => s.server.tls?.mode !== undefined;
const isHttp = (s: GatewayServerView): boolean => HTTP.has(s.server.port.protocol) && !terminatesTls(s);
const isTcp = (s: GatewayServerView): boolean => TCP.has(s.server.port.protocol) && !terminatesTls(s);

function tcpListener(view: ConfigView, place: GatewayListenerView, server: GatewayServerView): BuiltListener | undefined {
  const { gateway, port } = server.server;
  const context = {
    mesh: view.mesh,
    scope: view.scope,
    gateways: new Set([`${gateway.namespace}/${gateway.name}`]),
    services: view.servicesByHost,
    listenPort: port.number,
    tls: false,
  };
  for (const vs of server.virtualServices) {
    const [route] = tcpRoutesOf(vs.tcp, context);
    if (route === undefined || route.targets.length === 0) continue;
    const filter = buildTcpProxy({ view, statPrefix: route.targets[0]?.cluster ?? "", targets: route.targets });
    return { message: listenerOf(view, place, [filter]), clusters: route.targets.map((t) => t.cluster) };
  }
  return undefined;
}

function listenerOf(view: ConfigView, place: GatewayListenerView, filters: ReturnType<typeof buildTcpProxy>[]) {
  const address = place.bind === "" ? view.scope.bindAddress : place.bind;
  return create(ListenerSchema, {
    name: `${address}_${place.port}`,
    address: socketAddress(address, place.port),
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [{ filters }],
  });
}

export function buildGatewayListeners(view: ConfigView): GatewayListeners {
  const listeners: BuiltListener[] = [];
  const tables = new Map<string, GatewayTable>();
  for (const place of view.gateways) {
    const http = place.servers.filter(isHttp);
    const [first] = http;
    if (first !== undefined) {
      const address = place.bind === "" ? view.scope.bindAddress : place.bind;
      const manager = buildHttpManager({ view, side: "gateway", routes: first.routeName, statPrefix: `outbound_${address}_${place.port}` });
      listeners.push({ message: listenerOf(view, place, [manager]), clusters: [] });
      if (!tables.has(first.routeName)) tables.set(first.routeName, { name: first.routeName, port: place.port, servers: http });
      continue;
    }
    const tcp = place.servers.find(isTcp);
    const built = tcp === undefined ? undefined : tcpListener(view, place, tcp);
    if (built !== undefined) listeners.push(built);
  }
  return { listeners, tables: [...tables.values()] };
}
