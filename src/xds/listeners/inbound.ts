// Inbound side of a sidecar (Istio networking/core/listener_inbound.go): one filter chain per port behind `virtualInbound`, or, where
// nothing is captured, one listener per port.
import {
  create,
  type Filter,
  FilterChainSchema,
  type Listener,
  ListenerSchema,
  OriginalDstSchema,
  packAny,
  RouteConfigurationSchema,
  toDuration,
  TrafficDirection,
} from "../../envoy-api/index.ts";
import {
  type ConfigView,
  INBOUND_PASSTHROUGH_CLUSTER,
  inboundCluster,
  type InboundPortView,
  type MeshSettings,
} from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";
import { isGrpc, isHttpProtocol } from "../protocols.ts";
import { inboundRetryPolicy } from "../routes/retry.ts";
import { buildListenerAccessLogs } from "./access-log.ts";
import { buildHttpManager } from "./http-manager.ts";
import type { BuiltListener } from "./built-listener.ts";
import { buildTcpProxy } from "./tcp-proxy.ts";

const ANY = "0.0.0.0";

function inboundRoutes(port: InboundPortView, mesh: MeshSettings) {
  const retryPolicy = inboundRetryPolicy(mesh, isGrpc(port.protocol));
  const cluster = inboundCluster(port.listenPort);
  const servicePort = port.service?.port ?? port.listenPort;
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
            decorator: { operation: `${port.service?.hostname ?? "*"}:${servicePort}/*` },
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

function filterOf(view: ConfigView, port: InboundPortView): Filter {
  const statPrefix = `inbound_${ANY}_${port.listenPort}`;
  const { protocol } = port;
  if (isHttpProtocol(protocol))
    return buildHttpManager({ view, side: "inbound", routes: inboundRoutes(port, view.mesh), statPrefix, protocol });
  return buildTcpProxy({ view, statPrefix, targets: [{ cluster: inboundCluster(port.listenPort), weight: 1 }] });
}

function ownListener(view: ConfigView, port: InboundPortView): BuiltListener {
  const address = port.bind === "" ? view.scope.bindAddress : port.bind;
  const message = create(ListenerSchema, {
    name: `${address}_${port.listenPort}`,
    address: socketAddress(address, port.listenPort),
    trafficDirection: TrafficDirection.INBOUND,
    filterChains: [{ filters: [filterOf(view, port)] }],
    accessLog: buildListenerAccessLogs(view.mesh),
  });
  return { message, clusters: [inboundCluster(port.listenPort)] };
}

function virtualInbound(view: ConfigView, ports: readonly InboundPortView[]): Listener {
  const port = view.mesh.proxyInboundListenPort;
  const hole = buildTcpProxy({ view, statPrefix: "BlackHoleCluster", targets: [{ cluster: "BlackHoleCluster", weight: 1 }] });
  const pass = buildTcpProxy({
    view,
    statPrefix: INBOUND_PASSTHROUGH_CLUSTER,
    targets: [{ cluster: INBOUND_PASSTHROUGH_CLUSTER, weight: 1 }],
  });
  return create(ListenerSchema, {
    name: "virtualInbound",
    address: socketAddress(ANY, port),
    trafficDirection: TrafficDirection.INBOUND,
    useOriginalDst: false,
    accessLog: buildListenerAccessLogs(view.mesh),
    listenerFilters: [
      {
        name: "envoy.filters.listener.original_dst",
        configType: { case: "typedConfig", value: packAny(OriginalDstSchema, create(OriginalDstSchema)) },
      },
    ],
    filterChains: [
      create(FilterChainSchema, { name: "virtualInbound-blackhole", filters: [hole], filterChainMatch: { destinationPort: port } }),
      ...ports.map((p) =>
        create(FilterChainSchema, {
          name: `${ANY}_${p.listenPort}`,
          filters: [filterOf(view, p)],
          filterChainMatch: { destinationPort: p.listenPort },
        }),
      ),
      create(FilterChainSchema, { name: "virtualInbound", filters: [pass] }),
    ],
  });
}

export function buildInboundListeners(view: ConfigView, ports: readonly InboundPortView[]): BuiltListener[] {
  const bound = ports.filter((p) => p.bound);
  const own = bound.map((p) => ownListener(view, p));
  if (view.scope.interceptionMode === "NONE") return own;
  const captured = ports.filter((p) => !bound.includes(p));
  const clusters = [...captured.map((p) => inboundCluster(p.listenPort)), INBOUND_PASSTHROUGH_CLUSTER, "BlackHoleCluster"];
  return [...own, { message: virtualInbound(view, captured), clusters }];
}
