// The whole config of the data plane: one frozen value, swapped as a whole. A request keeps the config it started with.
// xds/ and the bootstrap publish it, the listener manager and the cluster manager follow it.
import type { ClusterConfig, EndpointSet } from "./cluster-config.ts";
import type { Listener } from "./listener-config.ts";
import type { RouteTable } from "./route-config.ts";
import type { Secrets } from "./tls-config.ts";

export interface RuntimeConfig {
  readonly listeners: ReadonlyMap<string, Listener>;
  readonly clusters: ReadonlyMap<string, ClusterConfig>;
  /** By EDS service name. Missing = warming. */
  readonly endpoints: ReadonlyMap<string, EndpointSet>;
  /** By route configuration name (RDS). Missing = warming. */
  readonly routes: ReadonlyMap<string, RouteTable>;
  readonly secrets: Secrets;
}

/** The one swap. Subscribers get every published value, in order, synchronously; values that are equal by identity are not published. */
export interface RuntimeCell {
  current(): RuntimeConfig;
  publish(next: RuntimeConfig): void;
  subscribe(onChange: (next: RuntimeConfig, previous: RuntimeConfig) => void): () => void;
}

const EMPTY_RUNTIME: RuntimeConfig = Object.freeze({
  listeners: new Map(),
  clusters: new Map(),
  endpoints: new Map(),
  routes: new Map(),
  secrets: new Map(),
});

export function createRuntimeCell(): RuntimeCell {
  let value = EMPTY_RUNTIME;
  const subscribers = new Set<(next: RuntimeConfig, previous: RuntimeConfig) => void>();
  return {
    current: () => value,
    publish(next) {
      if (next === value) return;
      const previous = value;
      value = next;
      for (const subscriber of subscribers) subscriber(next, previous);
    },
    subscribe(onChange) {
      subscribers.add(onChange);
      return () => subscribers.delete(onChange);
    },
  };
}
