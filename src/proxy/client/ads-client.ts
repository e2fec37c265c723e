// The xDS client: one aggregated stream, delta or state of the world, to the control plane of the bootstrap. Runs on with what it has while the control
// plane is gone, comes back with jitter, and tells a delta server what it has so that nothing is sent twice.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
import { type ChannelCredentials, Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import {
  create,
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
  fromBinary,
  type Node,
  toBinary,
} from "../../envoy-api/index.ts";
import { type Clock, createBackoff, type Logger, type Rng, TYPE_URL } from "../../kit/index.ts";
import { nameOfResource } from "./resource-name.ts";
import type { Incoming, ResourceStore } from "./resource-store.ts";

export interface AdsClientOptions {
  /** HOST:PORT or unix:PATH. */
  readonly target: string;
  readonly protocol: "delta" | "sotw";
  readonly node: Node;
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly onUpdate: (typeUrl: string, refused: string | undefined) => void;
  readonly onConnection: (connected: boolean) => void;
}

export interface AdsClient {
  /** Every type that was asked for at the start has been answered once. */
  initialized(): boolean;
  stop(): void;
}

const SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService/";
const BACKOFF = { baseMs: 250, maxMs: 5000 };
const CHANNEL = {
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.max_receive_message_length": -1,
  "grpc.enable_retries": 0,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1000,
};
const WILDCARD: ReadonlySet<string> = new Set([TYPE_URL.cluster, TYPE_URL.listener, TYPE_URL.virtualHost]);
const insecure: ChannelCredentials = credentials.createInsecure();

interface TypeState {
  subscribed: Set<string>;
  /** Last version accepted in whole (state of the world). */
  version: string;
  nonce: string;
  answered: boolean;
  opened: boolean;
}

export function createAdsClient(options: AdsClientOptions): AdsClient {
  const { store, clock, logger } = options;
  const client = new Client(options.target, insecure, CHANNEL);
  const backoff = createBackoff({ ...BACKOFF, rng: options.rng });
  const types = new Map<string, TypeState>();
  let stream: ClientDuplexStream<Buffer, Buffer> | undefined;
  let stopped = false;
  let cancelRetry: (() => void) | undefined;
  let namedNode = false;

  function stateOf(typeUrl: string): TypeState {
    let state = types.get(typeUrl);
    if (state === undefined)
      types.set(typeUrl, (state = { subscribed: new Set(), version: "", nonce: "", answered: false, opened: false }));
    return state;
  }

  function write(bytes: Uint8Array): void {
    stream?.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  function nodeOnce(): { node?: Node } {
    if (namedNode) return {};
    namedNode = true;
    return { node: options.node };
  }

  interface Ask {
    readonly subscribe?: readonly string[];
    readonly unsubscribe?: readonly string[];
    readonly error?: string | undefined;
    readonly nonce?: string;
  }

  function ask(typeUrl: string, request: Ask): void {
    if (stream === undefined) return;
    const state = stateOf(typeUrl);
    const errorDetail = request.error === undefined ? {} : { errorDetail: { code: 13, message: request.error } };
    if (options.protocol === "sotw") {
      write(
        toBinary(
          DiscoveryRequestSchema,
          create(DiscoveryRequestSchema, {
            ...nodeOnce(),
            typeUrl,
            resourceNames: [...state.subscribed],
            versionInfo: state.version,
            responseNonce: state.nonce,
            ...errorDetail,
          }),
        ),
      );
      return;
    }
    const opening = !state.opened;
    state.opened = true;
    write(
      toBinary(
        DeltaDiscoveryRequestSchema,
        create(DeltaDiscoveryRequestSchema, {
          ...nodeOnce(),
          typeUrl,
          resourceNamesSubscribe: [...(request.subscribe ?? [])],
          resourceNamesUnsubscribe: [...(request.unsubscribe ?? [])],
          responseNonce: request.nonce ?? "",
          ...(opening
            ? { initialResourceVersions: Object.fromEntries([...store.accepted(typeUrl)].map(([name, a]) => [name, a.version])) }
            : {}),
          ...errorDetail,
        }),
      ),
    );
  }

  /** Subscriptions follow what the accepted resources name. */
  function follow(typeUrl: string, wanted: ReadonlySet<string>): void {
    const state = stateOf(typeUrl);
    const subscribe = [...wanted].filter((n) => !state.subscribed.has(n));
    const unsubscribe = [...state.subscribed].filter((n) => !wanted.has(n));
    if (subscribe.length === 0 && unsubscribe.length === 0) return;
    state.subscribed = new Set(wanted);
    if (unsubscribe.length > 0) store.update(typeUrl, [], unsubscribe);
    ask(typeUrl, { subscribe, unsubscribe });
  }

  function followAll(): void {
    follow(TYPE_URL.endpoint, store.wantedEndpoints());
    follow(TYPE_URL.route, store.wantedRoutes());
    const hosts = stateOf(TYPE_URL.virtualHost);
    if (options.protocol === "delta" && store.wantsVirtualHosts() && !hosts.opened) ask(TYPE_URL.virtualHost, {});
  }

  function take(typeUrl: string, body: { added: Incoming[]; removed: readonly string[]; version: string; nonce: string }): void {
    const state = stateOf(typeUrl);
    const refused = store.update(typeUrl, body.added, body.removed);
    state.nonce = body.nonce;
    state.answered = true;
    if (refused === undefined) state.version = body.version;
    else logger.log("warn", "config refused", { type: typeUrl.slice(typeUrl.lastIndexOf(".") + 1), reason: refused });
    if (typeUrl === TYPE_URL.virtualHost) store.setHostsReady();
    // What is acknowledged is in force.
    ask(typeUrl, { nonce: body.nonce, error: refused });
    followAll();
    options.onUpdate(typeUrl, refused);
  }

  function onDelta(raw: Buffer): void {
    const m = fromBinary(DeltaDiscoveryResponseSchema, raw);
    const added = m.resources.map((r) => ({ name: r.name, version: r.version, bytes: r.resource?.value ?? new Uint8Array() }));
    take(m.typeUrl, { added, removed: m.removedResources, version: m.systemVersionInfo, nonce: m.nonce });
  }

  function onSotw(raw: Buffer): void {
    const m = fromBinary(DiscoveryResponseSchema, raw);
    const added = m.resources.map((any) => ({ name: nameOfResource(m.typeUrl, any.value), version: m.versionInfo, bytes: any.value }));
    const names = new Set(added.map((r) => r.name));
    // Clusters and listeners come whole: what is not there is gone.
    const removed = WILDCARD.has(m.typeUrl) ? [...store.accepted(m.typeUrl).keys()].filter((n) => !names.has(n)) : [];
    take(m.typeUrl, { added, removed, version: m.versionInfo, nonce: m.nonce });
  }

  function open(): void {
    cancelRetry = undefined;
    namedNode = false;
    for (const state of types.values()) Object.assign(state, { opened: false, nonce: "" });
    const path = SERVICE + (options.protocol === "delta" ? "DeltaAggregatedResources" : "StreamAggregatedResources");
    const same = (b: Buffer): Buffer => b;
    const call = client.makeBidiStreamRequest<Buffer, Buffer>(path, same, same, { waitForReady: true } as never);
    stream = call;
    let ended = false;
    const again = (reason: string): void => {
      if (ended) return;
      ended = true;
      if (stream === call) stream = undefined;
      options.onConnection(false);
      if (stopped) return;
      logger.log("info", "the control plane is gone; running on with the last config", { target: options.target, reason });
      cancelRetry = clock.after(backoff.next(), open);
    };
    call.on("metadata", () => options.onConnection(true));
    call.on("data", (raw: Buffer) => {
      backoff.reset();
      options.onConnection(true);
      try {
        if (options.protocol === "delta") onDelta(raw);
        else onSotw(raw);
      } catch (error) {
        logger.log("error", "a response of the control plane cannot be read", { error: String(error) });
        call.cancel();
      }
    });
    call.on("error", (error: Error) => again(error.message));
    call.on("end", () => again("the stream ended"));
    for (const typeUrl of [TYPE_URL.cluster, TYPE_URL.endpoint, TYPE_URL.listener, TYPE_URL.route, TYPE_URL.virtualHost]) {
      const state = stateOf(typeUrl);
      const always = typeUrl === TYPE_URL.cluster || typeUrl === TYPE_URL.listener;
      const hosts = typeUrl === TYPE_URL.virtualHost && options.protocol === "delta" && store.wantsVirtualHosts();
      if (always || hosts || state.subscribed.size > 0) ask(typeUrl, { subscribe: [...state.subscribed] });
    }
  }

  open();
  return {
    initialized: () => [TYPE_URL.cluster, TYPE_URL.listener].every((t) => stateOf(t).answered),
    stop() {
      stopped = true;
      cancelRetry?.();
      stream?.cancel();
      client.close();
    },
  };
}
