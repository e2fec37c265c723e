// What the control plane sent and the proxy accepted, by type and name. A bad resource is refused alone: its old version stays.
import { TYPE_URL } from "../../kit/index.ts";
import type { RuntimeCell } from "../config/index.ts";
import { assemble, createTableCache, type Decoded, type Warming } from "../decode/assemble.ts";
import { decodeCluster, decodeEndpoints } from "../decode/cluster.ts";
import { explainDecodeError } from "../decode/guard.ts";
import { decodeListener } from "../decode/listener.ts";
import { decodeRouteConfig, decodeVirtualHost } from "../decode/route.ts";

export interface Incoming {
  readonly name: string;
  readonly version: string;
  readonly bytes: Uint8Array;
}

export interface Accepted {
  readonly version: string;
  readonly bytes: Uint8Array;
  readonly at: number;
}

export interface ResourceStore {
  /** Applies what can be applied and publishes; the result says what was refused. */
  update(typeUrl: string, added: readonly Incoming[], removed: readonly string[]): string | undefined;
  accepted(typeUrl: string): ReadonlyMap<string, Accepted>;
  refused(): ReadonlyMap<string, string>;
  warming(): Warming;
  /** Names that other resources ask for. */
  wantedEndpoints(): ReadonlySet<string>;
  wantedRoutes(): ReadonlySet<string>;
  wantsVirtualHosts(): boolean;
  /** The first virtual hosts came, or there are none. */
  setHostsReady(): void;
}

const DECODERS: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  [TYPE_URL.listener]: decodeListener,
  [TYPE_URL.cluster]: decodeCluster,
  [TYPE_URL.endpoint]: decodeEndpoints,
  [TYPE_URL.route]: decodeRouteConfig,
  [TYPE_URL.virtualHost]: decodeVirtualHost,
};

/** A resource without what its bootstrap put there: static resources stay through every update. */
export interface StaticPart {
  readonly listeners: Decoded["listeners"];
  readonly clusters: Decoded["clusters"];
}

export function createResourceStore(options: { runtime: RuntimeCell; wall: () => number; statics: StaticPart }): ResourceStore {
  const accepted = new Map<string, Map<string, Accepted>>();
  const values = new Map<string, Map<string, unknown>>();
  const refused = new Map<string, string>();
  const tables = createTableCache();
  let warming: Warming = { clusters: [], listeners: [] };
  let hostsReady = false;

  function mapOf<T>(maps: Map<string, Map<string, T>>, typeUrl: string): Map<string, T> {
    let map = maps.get(typeUrl);
    if (map === undefined) maps.set(typeUrl, (map = new Map()));
    return map;
  }

  const valuesOf = <T>(typeUrl: string): Map<string, T> => mapOf(values, typeUrl) as Map<string, T>;

  function decoded(): Decoded {
    return {
      listeners: new Map([...options.statics.listeners, ...valuesOf<never>(TYPE_URL.listener)]),
      clusters: new Map([...options.statics.clusters, ...valuesOf<never>(TYPE_URL.cluster)]),
      endpoints: new Map(valuesOf(TYPE_URL.endpoint)),
      routes: valuesOf(TYPE_URL.route),
      virtualHosts: valuesOf(TYPE_URL.virtualHost),
    };
  }

  function publish(): void {
    const result = assemble({ decoded: decoded(), previous: options.runtime.current(), tables, hostsReady });
    warming = result.warming;
    options.runtime.publish(result.config);
  }

  return {
    update(typeUrl, added, removed) {
      const decode = DECODERS[typeUrl];
      if (decode === undefined) return `${typeUrl} is not a type this proxy asked for`;
      const errors: string[] = [];
      const known = mapOf(accepted, typeUrl);
      const current = valuesOf(typeUrl);
      const before = new Map(current);
      for (const resource of added) {
        try {
          current.set(resource.name, decode(resource.bytes));
          known.set(resource.name, { version: resource.version, bytes: resource.bytes, at: options.wall() });
          refused.delete(`${typeUrl} ${resource.name}`);
        } catch (error) {
          const reason = explainDecodeError(resource.name, error);
          refused.set(`${typeUrl} ${resource.name}`, reason);
          errors.push(reason);
        }
      }
      for (const name of removed) {
        current.delete(name);
        known.delete(name);
        refused.delete(`${typeUrl} ${name}`);
      }
      try {
        publish();
      } catch (error) {
        // What cannot stand together (two hosts with one domain) is refused as a whole.
        values.set(typeUrl, before);
        errors.push(explainDecodeError(typeUrl, error));
        publish();
      }
      return errors.length === 0 ? undefined : errors.join("; ");
    },
    accepted: (typeUrl) => mapOf(accepted, typeUrl),
    refused: () => refused,
    warming: () => warming,
    wantedEndpoints: () =>
      new Set(
        [...valuesOf<{ type: string; edsServiceName: string }>(TYPE_URL.cluster).values()]
          .filter((c) => c.type === "EDS")
          .map((c) => c.edsServiceName),
      ),
    wantedRoutes: () => new Set([...decoded().listeners.values()].flatMap((l) => l.routeNames)),
    wantsVirtualHosts: () => [...valuesOf<{ vhds: boolean }>(TYPE_URL.route).values()].some((r) => r.vhds),
    setHostsReady() {
      if (hostsReady) return;
      hostsReady = true;
      publish();
    },
  };
}
