// Inbound side of a sidecar (Istio networking/core/listener_inbound.go): filter chains per port behind `virtualInbound`, which takes what is
// captured, or one listener per port that binds for itself.
import {
  create,
  type DownstreamTlsContext,
  type Filter,
  type FilterChain,
  FilterChainSchema,
  ListenerSchema,
  RouteConfigurationSchema,
  toDuration,
  TrafficDirection,
} from "../../envoy-api/index.ts";
import { memoByIdentity } from "../../kit/index.ts";
import {
  BLACK_HOLE_CLUSTER,
  type ConfigView,
  INBOUND_PASSTHROUGH_CLUSTER,
  inboundCluster,
  type InboundPortView,
  type InboundView,
  type MeshSettings,
  type MtlsMode,
  type Protocol,
} from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";
import { isGrpc } from "../protocols.ts";
import { inboundRetryPolicy } from "../routes/retry.ts";
import { buildMeshServerTls, buildServerTls } from "../tls/downstream.ts";
import { downstreamSocket } from "../tls/sockets.ts";
import { buildListenerAccessLogs } from "./access-log.ts";
import type { BuiltListener } from "./built-listener.ts";
import { HANDSHAKE_MS } from "./chain.ts";
import { buildHttpManager } from "./http-manager.ts";
import { type ChainKind, chainKinds, ownTlsKinds } from "./inbound-chains.ts";
import { inspectorsFor, originalDestinationFilter } from "./inspectors.ts";
import { buildTcpProxy } from "./tcp-proxy.ts";

const ANY = "0.0.0.0";

/** Where a chain's connections and requests go. */
interface Inside {
  readonly cluster: string;
  readonly protocol: Protocol;
  readonly servicePort: number;
  readonly host: string;
}

function inboundRoutes({ cluster, protocol, servicePort, host }: Inside, mesh: MeshSettings) {
  const retryPolicy = inboundRetryPolicy(mesh, isGrpc(protocol));
  return create(RouteConfigurationSchema, {
    name: cluster,
    validateClusters: false,
    virtualHosts: [
      {
        name: `inbound|http|${servicePort}`,
        domains: ["*"],
        routes: [
          {
            name: "default",
            match: { pathSpecifier: { case: "prefix", value: "/" } },
            decorator: { operation: `${host}:${servicePort}/*` },
            action: {
              case: "route",
              value: {
                clusterSpecifier: { case: "cluster", value: cluster },
                timeout: toDuration(0),
                maxGrpcTimeout: toDuration(0),
                ...(retryPolicy === undefined ? {} : { retryPolicy }),
              },
            },
          },
        ],
      },
    ],
  });
}

function filterOf(view: ConfigView, inside: Inside, of: { readonly http: boolean; readonly statPrefix: string }): Filter {
  const { statPrefix } = of;
  if (of.http)
    return buildHttpManager({ view, side: "inbound", routes: inboundRoutes(inside, view.mesh), statPrefix, protocol: inside.protocol });
  return buildTcpProxy({ view, statPrefix: inside.cluster, targets: [{ cluster: inside.cluster, weight: 1 }] });
}

const meshTls = memoByIdentity(buildMeshServerTls);

interface ChainOptions {
  /** 0: whatever no other chain takes. */
  readonly port: number;
  readonly inside: Inside;
  readonly tls: DownstreamTlsContext;
  readonly name: (kind: ChainKind) => string;
  readonly statPrefix: string;
}

function buildChains(view: ConfigView, kinds: readonly ChainKind[], options: ChainOptions): FilterChain[] {
  const { port, inside, tls, name, statPrefix } = options;
  return kinds.map((kind) =>
    create(FilterChainSchema, {
      name: name(kind),
      filterChainMatch: {
        ...(port === 0 ? {} : { destinationPort: port }),
        transportProtocol: kind.transport,
        applicationProtocols: [...(kind.applicationProtocols ?? [])],
      },
      filters: [filterOf(view, inside, { http: kind.http, statPrefix })],
      ...(kind.ends ? { transportSocket: downstreamSocket(tls), transportSocketConnectTimeout: toDuration(HANDSHAKE_MS) } : {}),
    }),
  );
}

function portChains(view: ConfigView, port: InboundPortView): FilterChain[] {
  const { tls, protocol, mtls } = port;
  const name = `${port.bind === "" ? ANY : port.bind}_${port.listenPort}`;
  const servicePort = port.service?.port ?? port.listenPort;
  return buildChains(view, tls === undefined ? chainKinds(protocol, mtls, view.mesh) : ownTlsKinds(protocol), {
    port: port.listenPort,
    inside: { cluster: inboundCluster(port.listenPort), protocol, servicePort, host: port.service?.hostname ?? "*" },
    tls:
      tls === undefined
        ? meshTls(view.mesh)
        : buildServerTls(tls, { defaults: view.mesh.tlsDefaults, tcp: false, secretServer: view.scope.secretServer }),
    name: () => name,
    statPrefix: `inbound_${name}`,
  });
}

/** Ports that nobody declares: on to wherever the connection was meant to go. */
function undeclaredChains(view: ConfigView, port: number, mtls: MtlsMode): FilterChain[] {
  return buildChains(view, chainKinds("UNSUPPORTED", mtls, view.mesh), {
    port,
    inside: { cluster: INBOUND_PASSTHROUGH_CLUSTER, protocol: "UNSUPPORTED", servicePort: 0, host: "" },
    tls: meshTls(view.mesh),
    name: (kind) => (kind.http ? "virtualInbound-catchall-http" : "virtualInbound"),
    statPrefix: INBOUND_PASSTHROUGH_CLUSTER,
  });
}

function buildListener(
  view: ConfigView,
  at: { readonly name: string; readonly address: string; readonly port: number; readonly bound: boolean },
  filterChains: FilterChain[],
) {
  return create(ListenerSchema, {
    name: at.name,
    address: socketAddress(at.address, at.port),
    trafficDirection: TrafficDirection.INBOUND,
    listenerFilters: [...(at.bound ? [] : [originalDestinationFilter()]), ...inspectorsFor(filterChains)],
    listenerFiltersTimeout: toDuration(view.mesh.protocolDetectionTimeoutMs),
    continueOnListenerFiltersTimeout: true,
    filterChains,
    accessLog: buildListenerAccessLogs(view.mesh),
  });
}

function ownListener(view: ConfigView, port: InboundPortView): BuiltListener {
  const address = port.bind === "" ? view.scope.bindAddress : port.bind;
  const at = { name: `${address}_${port.listenPort}`, address, port: port.listenPort, bound: true };
  return { message: buildListener(view, at, portChains(view, port)), clusters: [inboundCluster(port.listenPort)] };
}

function virtualInbound(view: ConfigView, { ports, undeclared }: InboundView): BuiltListener {
  const port = view.mesh.proxyInboundListenPort;
  const hole = buildTcpProxy({ view, statPrefix: BLACK_HOLE_CLUSTER, targets: [{ cluster: BLACK_HOLE_CLUSTER, weight: 1 }] });
  const message = buildListener(view, { name: "virtualInbound", address: ANY, port, bound: false }, [
    create(FilterChainSchema, { name: "virtualInbound-blackhole", filters: [hole], filterChainMatch: { destinationPort: port } }),
    ...undeclared.flatMap((one) => undeclaredChains(view, one.port, one.mtls)),
    ...ports.flatMap((one) => portChains(view, one)),
  ]);
  return { message, clusters: [...ports.map((p) => inboundCluster(p.listenPort)), INBOUND_PASSTHROUGH_CLUSTER, BLACK_HOLE_CLUSTER] };
}

export function buildInboundListeners(view: ConfigView, inbound: InboundView): BuiltListener[] {
  const own = inbound.ports.filter((port) => port.bound).map((port) => ownListener(view, port));
  if (view.scope.interceptionMode === "NONE") return own;
  const captured = inbound.ports.filter((port) => !port.bound);
  return [...own, virtualInbound(view, { ...inbound, ports: captured })];
}
