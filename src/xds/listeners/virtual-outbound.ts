// What takes captured traffic that no other listener is for, and traffic that no filter chain is for (Istio networking/core/listener_builder.go).
import { create, type FilterChain, FilterChainSchema, ListenerSchema, TrafficDirection } from "../../envoy-api/index.ts";
import { BLACK_HOLE_CLUSTER, type ConfigView } from "../../model/index.ts";
import { socketAddress } from "../addresses.ts";
import { outsideCluster } from "../routes/default-route.ts";
import type { BuiltListener } from "./built-listener.ts";
import { originalDestinationFilter } from "./inspectors.ts";
import { buildTcpProxy } from "./tcp-proxy.ts";

const ANY = "0.0.0.0";

/** To where it was meant, to the Sidecar's egress proxy, or nowhere. */
export function outsideChain(view: ConfigView, name: string): FilterChain {
  const cluster = outsideCluster(view);
  return create(FilterChainSchema, { name, filters: [buildTcpProxy({ view, statPrefix: cluster, targets: [{ cluster, weight: 1 }] })] });
}

export function buildVirtualOutbound(view: ConfigView): BuiltListener {
  const hole = buildTcpProxy({ view, statPrefix: BLACK_HOLE_CLUSTER, targets: [{ cluster: BLACK_HOLE_CLUSTER, weight: 1 }] });
  const port = view.mesh.proxyListenPort;
  const message = create(ListenerSchema, {
    name: "virtualOutbound",
    address: socketAddress(ANY, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    useOriginalDst: true,
    filterChains: [
      // A call to the listener itself would come back to it for ever.
      create(FilterChainSchema, { name: "virtualOutbound-blackhole", filters: [hole], filterChainMatch: { destinationPort: port } }),
      outsideChain(view, "virtualOutbound-catchall-tcp"),
    ],
    listenerFilters: [originalDestinationFilter()],
  });
  return { message, clusters: [outsideCluster(view), BLACK_HOLE_CLUSTER] };
}
