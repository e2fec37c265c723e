// The aggregated discovery stream: connects, takes what is sent into the store, puts it in force, answers ACK or NACK; when the control
// plane goes away the proxy runs on with what it has and connects again, later each time and at a random moment.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#aggregated-discovery-service
import type { Clock, Logger, Rng } from "../../kit/index.ts";
import type { Values } from "../wire/values.ts";
import type { Assembler } from "./assembler.ts";
import type { OpenStream } from "./grpc-stream.ts";
import { startLastingStream } from "./lasting-stream.ts";
import type { Subscriber, Variant } from "./protocol.ts";
import type { ResourceStore } from "./resource-store.ts";
import { type ResourceType, TYPES } from "./resource-types.ts";
import type { XdsStats } from "./xds-stats.ts";

export interface AdsClientOptions {
  readonly open: OpenStream;
  readonly variant: Variant;
  readonly node: Values;
  readonly store: ResourceStore;
  readonly assembler: Assembler;
  readonly stats: XdsStats;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Which of the wildcard types are asked for at all. */
  readonly wants: { readonly listeners: boolean; readonly clusters: boolean };
  /** Back-off of a lost stream, in milliseconds. */
  readonly reconnect: { readonly baseMs: number; readonly maxMs: number };
  readonly onUpdate: () => void;
}

export interface AdsClient {
  readonly connected: () => boolean;
  readonly controlPlane: () => string;
  /** Listeners and clusters were answered once, or there is nothing to ask for. */
  readonly initialized: () => boolean;
  /** What is asked for may have changed for another reason than a response. */
  refresh(): void;
  stop(): void;
}

const NOTHING: ReadonlySet<string> = new Set();

export function startAdsClient(options: AdsClientOptions): AdsClient {
  const { store, assembler, stats, logger, wants } = options;
  const answered = new Set<ResourceType>();
  let connected = false;
  let controlPlane = "";

  const subscriber: Subscriber = {
    node: options.node,
    versions: (type) => store.versions(type),
    names(type) {
      const { interests } = assembler.current();
      if (type === "route") return interests.route;
      if (type === "endpoint") return interests.endpoint;
      if (type === "secret") return interests.secrets.get("ads") ?? NOTHING;
      if (type === "extensionConfig") return interests.extensionConfigs;
      if (type === "virtualHost") return interests.virtualHosts ? NOTHING : undefined;
      return (type === "listener" ? wants.listeners : wants.clusters) ? NOTHING : undefined;
    },
    identified(identifier) {
      controlPlane = identifier;
    },
    apply(type, { updates, removed, whole }) {
      const applied = store.update(type, updates);
      // A route configuration or an assignment goes when nobody names it any more, not before.
      if (TYPES[type].wildcard) store.remove(type, removed);
      if (whole) {
        const named = new Set(updates.map(({ name }) => name));
        store.remove(
          type,
          [...store.entries(type).keys()].filter((name) => !named.has(name)),
        );
      }
      if (type === "virtualHost") assembler.virtualHostsCame();
      answered.add(type);
      const assembly = assembler.update();
      forgetUnasked();
      stats.applied(type, applied, assembly);
      stats.assembled(assembly);
      for (const { name, reason } of applied.rejected)
        logger.log("warn", "a resource from the control plane is refused", { type, name, reason });
      options.onUpdate();
      return applied;
    },
  };

  function forgetUnasked(): void {
    for (const type of ["route", "endpoint", "virtualHost", "secret", "extensionConfig"] as const) {
      const names = subscriber.names(type);
      const gone = [...store.entries(type).keys()].filter((name) => names === undefined || (type !== "virtualHost" && !names.has(name)));
      if (gone.length > 0) store.remove(type, gone);
    }
  }

  const stream = startLastingStream({
    ...options,
    method: options.variant.method,
    peer: "control plane",
    converse: (send) => options.variant.converse(subscriber, send),
    onConnected(is) {
      connected = is;
      stats.connected(is);
      if (!is) stats.failed();
    },
  });
  return {
    connected: () => connected,
    controlPlane: () => controlPlane,
    initialized: () => (!wants.listeners || answered.has("listener")) && (!wants.clusters || answered.has("cluster")),
    refresh() {
      forgetUnasked();
      stream.interestsChanged();
    },
    stop: () => stream.stop(),
  };
}
