// The connected proxies: each xDS stream gets its identity from the node it names, its config from the pipeline, and is looked at for the
// live status. A stream whose node we cannot read is refused with the reason. Until streams are authenticated, whoever calls from another machine
// is given no secrets.
import type { ProxyStatus } from "../admin-api/index.ts";
import { err, isLoopback, type Logger, memoByIdentity, ok, type Result, TYPE_URL, type XdsResources } from "../kit/index.ts";
import { type NodeInput, parseNode, type ProxyIdentity } from "../model/index.ts";
import type { LiveProxy, LiveTracker } from "./live.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Registrations } from "./registrations.ts";

/** What the ADS server tells of one type on one stream. */
export interface StreamTypeStatus {
  readonly typeUrl: string;
  /** Hash over names and versions of what was sent, and of what was acknowledged. */
  readonly sent: string;
  readonly acked: string;
  readonly resources: number;
  readonly nack?: { readonly version: string; readonly message: string; readonly at: string };
}

/** One ADS stream, as this side needs it. */
export interface ProxyStream {
  readonly node: NodeInput;
  readonly protocol: "delta" | "sotw";
  /** The address it comes from. */
  readonly peer: string;
  set(resources: XdsResources, revision: number): void;
  ackedRevision(): number;
  types(): readonly StreamTypeStatus[];
}

export interface Proxies extends Iterable<LiveProxy> {
  /** The stream's first request came. The function is for its end. */
  open(stream: ProxyStream): Result<() => void>;
  list(): readonly ProxyStatus[];
  /** By node id; the newest stream when a proxy has several. */
  find(id: string): ProxyIdentity | undefined;
}

interface Entry extends LiveProxy {
  readonly identity: ProxyIdentity;
  readonly stream: ProxyStream;
  readonly connectedAt: string;
}

const withoutSecrets: (resources: XdsResources) => XdsResources = memoByIdentity((resources) => ({
  byType: new Map([...resources.byType].filter(([typeUrl]) => typeUrl !== TYPE_URL.secret)),
}));

export function createProxies(options: {
  readonly pipeline: () => Pipeline;
  readonly live: () => LiveTracker;
  readonly registrations: Registrations;
  readonly wall: () => number;
  readonly logger: Logger;
}): Proxies {
  const entries = new Set<Entry>();

  return {
    [Symbol.iterator]: () => entries[Symbol.iterator](),
    open(stream) {
      const parsed = parseNode({ ...stream.node, virtualHostDiscovery: stream.protocol === "delta" });
      if (!parsed.ok) {
        options.logger.log("warn", "a client is refused: its node cannot be read", { node: stream.node.id, reason: parsed.error });
        return err(parsed.error);
      }
      const isLocal = isLoopback(stream.peer);
      const registered = options.registrations.connect({ node: stream.node, identity: parsed.value, isLocal });
      if (!registered.ok) {
        options.logger.log("warn", "a proxy is refused: its workload cannot be registered", {
          node: stream.node.id,
          reason: registered.error,
        });
        return registered;
      }
      const entry = toEntry(parsed.value, stream, new Date(options.wall()).toISOString());
      entries.add(entry);
      options.logger.log("info", "proxy connected", { id: entry.id, protocol: stream.protocol });
      let warned = false;
      const set = (resources: XdsResources, revision: number): void => {
        if (isLocal) return stream.set(resources, revision);
        if (!warned && (resources.byType.get(TYPE_URL.secret)?.size ?? 0) > 0) {
          warned = true;
          options.logger.log("warn", "a proxy on another machine is given no secrets: xDS streams are not authenticated yet", {
            id: entry.id,
            peer: stream.peer,
          });
        }
        stream.set(withoutSecrets(resources), revision);
      };
      const disconnect = options.pipeline().connect({ identity: entry.identity, set });
      return ok(() => {
        if (!entries.delete(entry)) return;
        disconnect();
        registered.value();
        options.logger.log("info", "proxy disconnected", { id: entry.id });
        options.live().changed();
      });
    },
    list: () => [...entries].map(toStatus).sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)),
    find: (id) => [...entries].findLast((entry) => entry.id === id)?.identity,
  };
}

function toEntry(identity: ProxyIdentity, stream: ProxyStream, connectedAt: string): Entry {
  return {
    id: identity.id,
    identity,
    stream,
    connectedAt,
    ackedRevision: () => stream.ackedRevision(),
    lagging: () =>
      stream.types().flatMap((type): ReturnType<LiveProxy["lagging"]> => {
        if (type.nack !== undefined) return [{ typeUrl: type.typeUrl, reason: type.nack.message, refused: true }];
        return type.sent === type.acked ? [] : [{ typeUrl: type.typeUrl, reason: "no answer yet", refused: false }];
      }),
  };
}

function toStatus({ identity, stream, connectedAt }: Entry): ProxyStatus {
  return {
    id: identity.id,
    type: identity.type,
    name: identity.name,
    namespace: identity.namespace,
    protocol: stream.protocol,
    connectedAt,
    revision: stream.ackedRevision(),
    scope: identity.scope,
    types: stream.types(),
  };
}
