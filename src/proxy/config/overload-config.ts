// Envoy's overload manager as config: what is watched, and what is done when it runs short.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/overload_manager/overload_manager
/** `process_memory` is this proxy's own and always there: what V8, or the container, lets the process have. */
export const RESOURCE_MONITORS = ["fixed_heap", "global_downstream_max_connections", "process_memory"] as const;
export const OVERLOAD_ACTIONS = ["shrink_heap", "stop_accepting_requests", "reject_incoming_connections"] as const;
export const LOAD_SHED_POINTS = ["http_connection_manager_decode_headers", "tcp_listener_accept"] as const;

export type ResourceMonitor = (typeof RESOURCE_MONITORS)[number];
export type OverloadAction = (typeof OVERLOAD_ACTIONS)[number];
export type LoadShedPoint = (typeof LOAD_SHED_POINTS)[number];

/** Nothing at `scaling` and below, all at `saturation` and above, a part between; one value for both is a threshold. */
export interface OverloadTrigger {
  readonly monitor: ResourceMonitor;
  readonly scaling: number;
  readonly saturation: number;
}

export interface OverloadConfig {
  readonly refreshMs: number;
  /** Of fixed_heap; undefined = no such monitor. */
  readonly maxHeapBytes: number | undefined;
  /** Open connections of all listeners; undefined = no limit. */
  readonly maxConnections: number | undefined;
  readonly actions: Readonly<Record<OverloadAction, readonly OverloadTrigger[]>>;
  readonly shedPoints: Readonly<Record<LoadShedPoint, readonly OverloadTrigger[]>>;
}

function memory(share: number): readonly OverloadTrigger[] {
  return [{ monitor: "process_memory", scaling: share, saturation: share }];
}

/** Holds whatever the bootstrap says: a proxy that is out of memory serves nobody. */
export const DEFAULT_OVERLOAD: OverloadConfig = Object.freeze({
  refreshMs: 1000,
  maxHeapBytes: undefined,
  maxConnections: undefined,
  actions: { shrink_heap: memory(0.9), stop_accepting_requests: memory(0.95), reject_incoming_connections: memory(0.98) },
  shedPoints: { http_connection_manager_decode_headers: [], tcp_listener_accept: [] },
});
