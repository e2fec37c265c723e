// What takes captured traffic that no other listener is for, and traffic that no filter chain is for (Istio networking/core/listener_builder.go).
import {
  create,
  type FilterChain,
  FilterChainSchema,
  ListenerSchema,
  RouteConfigurationSchema,
  TrafficDirection,
} from "../../envoy-api/index.ts";
import { BLACK_HOLE_CLUSTER, type ConfigView, DYNAMIC_CLUSTER } from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";
import { buildCatchAllHost, outsideCluster } from "../routes/default-route.ts";
import type { BuiltListener } from "./built-listener.ts";
import { buildHttpManager } from "./http-manager.ts";
import { httpInspector, originalDestinationFilter } from "./inspectors.ts";
import { buildTcpProxy } from "./tcp-proxy.ts";

const ANY = "0.0.0.0";
/** What the inspector finds in plain HTTP. */
const PLAIN_HTTP: readonly string[] = ["http/1.1", "h2c"];

/** To where it was meant, to the Sidecar's egress proxy, or nowhere. */
export function outsideChain(view: ConfigView, name: string): FilterChain {
  const cluster = outsideCluster(view);
  return create(FilterChainSchema, { name, filters: [buildTcpProxy({ view, statPrefix: cluster, targets: [{ cluster, weight: 1 }] })] });
}

/** Plain HTTP to addresses that nobody knows goes to the host that it names. */
function namedChain(view: ConfigView): FilterChain {
  const name = "allow_any_dynamic_dns";
  const routes = create(RouteConfigurationSchema, {
    name,
    virtualHosts: [buildCatchAllHost(view)],
    validateClusters: false,
    ignorePortInHostMatching: true,
    maxDirectResponseBodySizeBytes: 1_048_576,
  });
  const statPrefix = `outbound_virtualOutbound_${name};`;
  const manager = buildHttpManager({ view, side: "outbound", routes, statPrefix, protocol: "HTTP", byName: true });
  return create(FilterChainSchema, {
    name: "virtualOutbound-catchall-tcp-http",
    filterChainMatch: { applicationProtocols: [...PLAIN_HTTP] },
    filters: [manager],
  });
}

export function buildVirtualOutbound(view: ConfigView): BuiltListener {
  const hole = buildTcpProxy({ view, statPrefix: BLACK_HOLE_CLUSTER, targets: [{ cluster: BLACK_HOLE_CLUSTER, weight: 1 }] });
  const port = view.mesh.proxyListenPort;
  const byName = view.outboundTrafficPolicy === "ALLOW_ANY_DYNAMIC_DNS";
  const message = create(ListenerSchema, {
    name: "virtualOutbound",
    address: socketAddress(ANY, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    useOriginalDst: true,
    filterChains: [
      // A call to the listener itself would come back to it for ever.
      create(FilterChainSchema, { name: "virtualOutbound-blackhole", filters: [hole], filterChainMatch: { destinationPort: port } }),
      ...(byName ? [namedChain(view)] : []),
      outsideChain(view, "virtualOutbound-catchall-tcp"),
    ],
    listenerFilters: [originalDestinationFilter(), ...(byName ? [httpInspector()] : [])],
  });
  return { message, clusters: [outsideCluster(view), BLACK_HOLE_CLUSTER, ...(byName ? [DYNAMIC_CLUSTER] : [])] };
}
