// Outbound listeners of a sidecar (Istio networking/core/listener.go): HTTP ports share `0.0.0.0_PORT`, TCP ports have `VIP_PORT`, the explicit
// proxy takes whatever names a host, and `virtualOutbound` takes what is left.
import {
  create,
  type Filter,
  type FilterChain,
  FilterChainSchema,
  HttpInspectorSchema,
  type Listener,
  ListenerSchema,
  OriginalDstSchema,
  packAny,
  TlsInspectorSchema,
  TrafficDirection,
} from "../../envoy-api/index.ts";
import { type ConfigView, type EgressListenerView, outboundCluster, type ServicePort, type ServiceView } from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";
import { isDetected, isHttpProtocol, isUdp } from "../protocols.ts";
import { outsideCluster } from "../routes/default-route.ts";
import { catchAllListener, type SidecarTableName } from "../routes/tables.ts";
import { buildHttpManager } from "./http-manager.ts";
import { buildTcpProxy, type TcpTarget, tcpRoutesOf } from "./tcp-proxy.ts";

export const EXPLICIT_PROXY = "http_proxy";
const LOOPBACK = "127.0.0.1";
const ANY = "0.0.0.0";
const MESH: ReadonlySet<string> = new Set(["mesh"]);

export interface BuiltListener {
  readonly message: Listener;
  /** Clusters its TCP filters name. */
  readonly clusters: readonly string[];
}

export interface OutboundListeners {
  readonly listeners: readonly BuiltListener[];
  readonly tables: readonly SidecarTableName[];
}

const chain = (filters: Filter[], match?: FilterChain["filterChainMatch"]): FilterChain =>
  create(FilterChainSchema, { filters, ...(match === undefined ? {} : { filterChainMatch: match }) });

function listener(options: {
  name: string;
  address: string;
  port: number;
  bind: boolean;
  chains: FilterChain[];
  extra?: object;
}): Listener {
  return create(ListenerSchema, {
    name: options.name,
    address: socketAddress(options.address, options.port),
    filterChains: options.chains,
    trafficDirection: TrafficDirection.OUTBOUND,
    ...(options.bind ? {} : { bindToPort: false }),
    ...options.extra,
  } as never);
}

const inspectors = (): object => ({
  listenerFilters: [
    {
      name: "envoy.filters.listener.tls_inspector",
      configType: { case: "typedConfig", value: packAny(TlsInspectorSchema, create(TlsInspectorSchema)) },
    },
    {
      name: "envoy.filters.listener.http_inspector",
      configType: { case: "typedConfig", value: packAny(HttpInspectorSchema, create(HttpInspectorSchema)) },
    },
  ],
  listenerFiltersTimeout: { seconds: 0n, nanos: 0 },
  continueOnListenerFiltersTimeout: true,
});

interface PortUse {
  readonly view: ServiceView;
  readonly port: ServicePort;
}

function portsOf(egress: EgressListenerView): PortUse[] {
  return egress.services.flatMap((view) =>
    view.service.ports
      .filter((p) => !isUdp(p.protocol) && (view.ports === undefined || view.ports.includes(p.number)))
      .map((port) => ({ view, port })),
  );
}

function httpListener(
  view: ConfigView,
  options: { address: string; port: number; bind: boolean; name: string; absoluteUrl?: boolean; route: string },
): BuiltListener {
  const manager = buildHttpManager({
    view,
    side: "outbound",
    routes: options.route,
    statPrefix: `outbound_${options.address}_${options.port}`,
    ...(options.absoluteUrl === true ? { absoluteUrl: true } : {}),
  });
  return { message: listener({ ...options, chains: [chain([manager])] }), clusters: [] };
}

function tcpTargets(
  view: ConfigView,
  egress: EgressListenerView,
  use: PortUse,
): { targets: readonly TcpTarget[]; destinationSubnets: readonly string[] }[] {
  const services = new Map(egress.services.map((s) => [s.service.hostname, s]));
  const context = { mesh: view.mesh, scope: view.scope, gateways: MESH, services, listenPort: use.port.number, tls: false };
  for (const vs of egress.virtualServices) {
    if (!vs.hosts.includes(use.view.service.hostname)) continue;
    const routes = tcpRoutesOf(vs.tcp, context);
    if (routes.length > 0) return routes;
  }
  return [{ targets: [{ cluster: outboundCluster(use.view.service.hostname, use.port.number), weight: 1 }], destinationSubnets: [] }];
}

function prefixRanges(subnets: readonly string[]): object[] {
  return subnets.map((cidr) => {
    const [addressPrefix = "", length] = cidr.split("/");
    return { addressPrefix, prefixLen: length === undefined ? (addressPrefix.includes(":") ? 128 : 32) : Number(length) };
  });
}

function tcpListener(
  view: ConfigView,
  egress: EgressListenerView,
  options: { use: PortUse; address: string; bind: boolean },
): BuiltListener {
  const { use, address } = options;
  const routes = tcpTargets(view, egress, use);
  const settings = use.view.destinationRule?.streamSettings("");
  const chains = routes.map((route) => {
    const filter = buildTcpProxy({ view, statPrefix: route.targets[0]?.cluster ?? "", targets: route.targets, settings });
    return route.destinationSubnets.length === 0
      ? chain([filter])
      : create(FilterChainSchema, {
          filters: [filter],
          filterChainMatch: { prefixRanges: prefixRanges(route.destinationSubnets) },
        } as never);
  });
  const detected = isDetected(use.port.protocol);
  if (detected) {
    const manager = buildHttpManager({
      view,
      side: "outbound",
      routes: String(use.port.number),
      statPrefix: `outbound_${address}_${use.port.number}`,
    });
    chains.unshift(
      create(FilterChainSchema, {
        filters: [manager],
        filterChainMatch: { applicationProtocols: ["http/1.1", "h2c"], transportProtocol: "raw_buffer" },
      }),
    );
  }
  const { number } = use.port;
  const extra = detected ? inspectors() : {};
  const message = listener({ name: `${address}_${number}`, address, port: number, bind: options.bind, chains, extra });
  return { message, clusters: routes.flatMap((r) => r.targets.map((t) => t.cluster)) };
}

/** Listeners for the ports of one egress listener; the first that takes an address keeps it. */
function ofEgress(view: ConfigView, egress: EgressListenerView, taken: Map<string, BuiltListener>): SidecarTableName[] {
  const own = egress.port;
  const captured = egress.captureMode !== "NONE" && view.scope.interceptionMode !== "NONE";
  if (!captured && own === undefined) return [];
  const tables: SidecarTableName[] = [];
  for (const use of portsOf(egress)) {
    if (own !== undefined && use.port.number !== own.number) continue;
    const http = isHttpProtocol(use.port.protocol) && !isDetected(use.port.protocol);
    const vip = use.view.service.addresses.find((a) => !a.includes("/"));
    const address = egress.bind !== "" ? egress.bind : !captured ? LOOPBACK : http || vip === undefined ? ANY : vip;
    const name = `${address}_${use.port.number}`;
    const routeName = String(use.port.number);
    if (isHttpProtocol(use.port.protocol) && !tables.some((t) => t.name === routeName))
      tables.push({ listener: egress, name: routeName, port: use.port.number });
    if (taken.has(name)) continue;
    const bind = !captured;
    taken.set(
      name,
      http
        ? httpListener(view, { name, address, port: use.port.number, bind, route: routeName })
        : tcpListener(view, egress, { use, address, bind }),
    );
  }
  return tables;
}

function virtualOutbound(view: ConfigView): BuiltListener {
  const cluster = outsideCluster(view);
  const pass = buildTcpProxy({ view, statPrefix: cluster, targets: [{ cluster, weight: 1 }] });
  const loop = buildTcpProxy({ view, statPrefix: "BlackHoleCluster", targets: [{ cluster: "BlackHoleCluster", weight: 1 }] });
  const port = view.mesh.proxyListenPort;
  const message = create(ListenerSchema, {
    name: "virtualOutbound",
    address: socketAddress(ANY, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    useOriginalDst: true,
    filterChains: [
      create(FilterChainSchema, { name: "virtualOutbound-blackhole", filters: [loop], filterChainMatch: { destinationPort: port } }),
      create(FilterChainSchema, { name: "virtualOutbound-catchall-tcp", filters: [pass] }),
    ],
    listenerFilters: [
      {
        name: "envoy.filters.listener.original_dst",
        configType: { case: "typedConfig", value: packAny(OriginalDstSchema, create(OriginalDstSchema)) },
      },
    ],
  });
  return { message, clusters: [cluster, "BlackHoleCluster"] };
}

export function buildOutboundListeners(view: ConfigView): OutboundListeners {
  const taken = new Map<string, BuiltListener>();
  const tables: SidecarTableName[] = [];
  for (const egress of view.egress) {
    for (const table of ofEgress(view, egress, taken)) if (!tables.some((t) => t.name === table.name)) tables.push(table);
  }
  const explicitPort = view.scope.httpProxyPort ?? view.mesh.proxyHttpPort;
  const catchAll = catchAllListener(view);
  if (explicitPort !== 0 && catchAll !== undefined) {
    const name = `${LOOPBACK}_${explicitPort}`;
    taken.set(
      name,
      httpListener(view, { name, address: LOOPBACK, port: explicitPort, bind: true, absoluteUrl: true, route: EXPLICIT_PROXY }),
    );
    tables.push({ listener: catchAll, name: EXPLICIT_PROXY, port: 0 });
  }
  const captured = view.scope.interceptionMode === "NONE" ? [] : [virtualOutbound(view)];
  return { listeners: [...taken.values(), ...captured], tables };
}
