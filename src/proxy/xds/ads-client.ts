// The aggregated discovery stream: connects, takes what is sent into the store, puts it in force, answers ACK or NACK; when the control
// plane goes away the proxy runs on with what it has and connects again, later each time and at a random moment.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#aggregated-discovery-service
import { type Clock, createBackoff, type Logger, type Rng } from "../../kit/index.ts";
import { refusalText } from "../wire/refusal.ts";
import type { Values } from "../wire/values.ts";
import type { Assembler } from "./assembler.ts";
import type { Conversation, Subscriber, Variant } from "./protocol.ts";
import type { ResourceStore } from "./resource-store.ts";
import { type ResourceType, TYPES } from "./resource-types.ts";
import type { XdsStats } from "./xds-stats.ts";
import type { OpenStream, Stream } from "./grpc-stream.ts";

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

const LASTING_MS = 10_000;
const NOTHING: ReadonlySet<string> = new Set();

export function startAdsClient(options: AdsClientOptions): AdsClient {
  const { store, assembler, stats, clock, logger, wants } = options;
  const backoff = createBackoff({ ...options.reconnect, rng: options.rng });
  const answered = new Set<ResourceType>();
  let stream: Stream | undefined;
  let conversation: Conversation | undefined;
  let cancelRetry: (() => void) | undefined;
  let stopped = false;
  let connected = false;
  let controlPlane = "";
  let silentSince: string | undefined;
  let openedAt = 0;

  const subscriber: Subscriber = {
    node: options.node,
    versions: (type) => store.versions(type),
    names(type) {
      const { interests } = assembler.current();
      if (type === "route") return interests.route;
      if (type === "endpoint") return interests.endpoint;
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
    for (const type of ["route", "endpoint", "virtualHost"] as const) {
      const names = subscriber.names(type);
      const gone = [...store.entries(type).keys()].filter((name) => names === undefined || (type !== "virtualHost" && !names.has(name)));
      if (gone.length > 0) store.remove(type, gone);
    }
  }

  function connect(): void {
    cancelRetry = undefined;
    openedAt = clock.now();
    const mine = options.open(options.variant.method, {
      onConnected() {
        if (stream !== mine) return;
        connected = true;
        stats.connected(true);
        if (silentSince !== undefined) logger.log("info", "connected to the control plane");
        silentSince = undefined;
      },
      onMessage(bytes) {
        if (stream !== mine) return;
        backoff.reset();
        try {
          conversation?.onMessage(bytes);
        } catch (error) {
          logger.log("error", "the control plane sent what cannot be read", { reason: refusalText(error) });
          lost(refusalText(error));
          mine.close();
        }
      },
      onEnd: (reason) => {
        if (stream === mine) lost(reason);
      },
    });
    stream = mine;
    conversation = options.variant.converse(subscriber, (bytes) => mine.send(bytes));
    conversation.start();
  }

  function lost(reason: string): void {
    stream = undefined;
    conversation = undefined;
    connected = false;
    stats.connected(false);
    stats.failed();
    if (stopped) return;
    // A stream that lasted was a good one, even if nothing was said on it.
    if (clock.now() - openedAt > LASTING_MS) backoff.reset();
    if (silentSince !== reason) logger.log("warn", "no control plane: the last config stays in force", { reason });
    silentSince = reason;
    cancelRetry = clock.after(backoff.next(), connect);
  }

  connect();
  return {
    connected: () => connected,
    controlPlane: () => controlPlane,
    initialized: () => (!wants.listeners || answered.has("listener")) && (!wants.clusters || answered.has("cluster")),
    refresh() {
      forgetUnasked();
      conversation?.interestsChanged();
    },
    stop() {
      stopped = true;
      cancelRetry?.();
      const last = stream;
      stream = undefined;
      last?.close();
    },
  };
}
