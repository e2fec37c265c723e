// Secrets from other streams than the control plane's: one for each source, opened when a listener or cluster first names a secret of it.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/security/secret
import type { Clock, Logger, Rng } from "../../kit/index.ts";
import type { Values } from "../wire/values.ts";
import type { Assembler } from "./assembler.ts";
import { DELTA } from "./delta.ts";
import type { OpenStream } from "./grpc-stream.ts";
import { type LastingStream, startLastingStream } from "./lasting-stream.ts";
import type { Subscriber } from "./protocol.ts";
import { createResourceStore, type ResourceStore } from "./resource-store.ts";
import { STATE_OF_THE_WORLD } from "./state-of-the-world.ts";
import type { XdsStats } from "./xds-stats.ts";

export interface SdsClientsOptions {
  /** undefined = no such static cluster. */
  readonly open: (cluster: string) => OpenStream | undefined;
  readonly node: Values;
  readonly stats: XdsStats;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly onUpdate: () => void;
}

export interface SdsClients {
  /** What came from a source. */
  store(source: string): ResourceStore | undefined;
  /** By source, for the dump. */
  stores(): ReadonlyMap<string, ResourceStore>;
  /** After an assembly: asks for what is wanted now. */
  follow(assembler: Assembler): void;
  stop(): void;
}

const RECONNECT = { baseMs: 200, maxMs: 2000 };
const NOTHING: ReadonlySet<string> = new Set();

interface Source {
  readonly store: ResourceStore;
  readonly stream: LastingStream;
}

export function createSdsClients(options: SdsClientsOptions): SdsClients {
  const sources = new Map<string, Source>();
  const unknown = new Set<string>();

  function start(source: string, assembler: Assembler): void {
    const separator = source.indexOf(":");
    const variant = source.slice(0, separator) === "delta" ? DELTA : STATE_OF_THE_WORLD;
    const cluster = source.slice(separator + 1);
    const open = options.open(cluster);
    if (open === undefined) {
      if (!unknown.has(source))
        options.logger.log("error", "secrets are to come from a cluster that the bootstrap does not have", { cluster });
      unknown.add(source);
      return;
    }
    const store = createResourceStore(options.clock);
    const subscriber: Subscriber = {
      node: options.node,
      versions: (type) => store.versions(type),
      names: (type) => (type === "secret" ? (assembler.current().interests.secrets.get(source) ?? NOTHING) : undefined),
      identified: () => undefined,
      apply(type, { updates }) {
        const applied = store.update(type, updates);
        for (const { name, reason } of applied.rejected) options.logger.log("warn", "a secret is refused", { name, reason });
        options.stats.applied(type, applied, assembler.update());
        options.onUpdate();
        return applied;
      },
    };
    const stream = startLastingStream({
      ...options,
      open,
      method: variant.secretMethod,
      peer: `secret server ${cluster}`,
      reconnect: RECONNECT,
      converse: (send) => variant.converse(subscriber, send),
      onConnected: () => undefined,
    });
    sources.set(source, { store, stream });
  }

  return {
    store: (source) => sources.get(source)?.store,
    stores: () => new Map([...sources].map(([source, { store }]) => [source, store])),
    follow(assembler) {
      for (const source of assembler.current().interests.secrets.keys()) {
        if (source === "ads" || source === "static") continue;
        if (sources.has(source)) sources.get(source)?.stream.interestsChanged();
        else start(source, assembler);
      }
    },
    stop() {
      for (const { stream } of sources.values()) stream.stop();
      sources.clear();
    },
  };
}
