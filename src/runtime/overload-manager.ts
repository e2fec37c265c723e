// What the proxies of this machine refuse so that they live: Envoy's overload manager as its guide for edge proxies has it
// (https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge). Envoy has none by default, and neither has Istio.
const MONITOR = "envoy.resource_monitors";
const TYPE = "type.googleapis.com/envoy.extensions.resource_monitors";
/** What Istio lets a proxy's container have. */
const MAX_HEAP_BYTES = 1024 ** 3;
const MAX_CONNECTIONS = 50_000;

export interface OverloadLimits {
  readonly maxHeapBytes?: number | undefined;
  readonly maxConnections?: number | undefined;
}

export function buildOverloadManager({ maxHeapBytes = MAX_HEAP_BYTES, maxConnections = MAX_CONNECTIONS }: OverloadLimits = {}): unknown {
  const whenHeapIs = (value: number) => [{ name: `${MONITOR}.fixed_heap`, threshold: { value } }];
  return {
    refresh_interval: "0.25s",
    resource_monitors: [
      {
        name: `${MONITOR}.fixed_heap`,
        typed_config: { "@type": `${TYPE}.fixed_heap.v3.FixedHeapConfig`, max_heap_size_bytes: maxHeapBytes },
      },
      {
        name: `${MONITOR}.global_downstream_max_connections`,
        typed_config: {
          "@type": `${TYPE}.downstream_connections.v3.DownstreamConnectionsConfig`,
          max_active_downstream_connections: maxConnections,
        },
      },
    ],
    actions: [
      { name: "envoy.overload_actions.shrink_heap", triggers: whenHeapIs(0.9) },
      { name: "envoy.overload_actions.stop_accepting_requests", triggers: whenHeapIs(0.95) },
    ],
    loadshed_points: [{ name: "envoy.load_shed_points.tcp_listener_accept", triggers: whenHeapIs(0.98) }],
  };
}
