// A client for tests that behaves as Envoy does over delta ADS: wildcard clusters and listeners, endpoints and routes by name as they are
// needed, virtual hosts by one wildcard subscription, hosts dropped whose route configuration it has not. It says at once when it is sent
// a route to a cluster that is not there or has no endpoints.
import { DeltaDiscoveryResponseSchema, fromBinary } from "../../envoy-api/index.ts";
import { TYPE_URL } from "../../kit/index.ts";
import type { DeltaRequest } from "../discovery-request.ts";

export interface ModelEnvoy {
  /** Takes the next response, if one waits. */
  step(): void;
  receive(bytes: Buffer): void;
  /** Requests that wait to be sent. */
  readonly outbox: DeltaRequest[];
  /** The stream broke; what comes next is for a new one. */
  reconnect(): void;
  pending(): number;
  names(typeUrl: string): string[];
  versionOf(typeUrl: string, name: string): string | undefined;
  /** Clusters that were updated and still wait for their endpoints. */
  warming(): string[];
  readonly violations: string[];
  /** Resources received by type, with repetitions. */
  readonly received: { readonly typeUrl: string; readonly name: string }[];
}

interface Held {
  readonly version: string;
  readonly text: string;
}

const routeOf = (host: string): string => host.slice(0, host.indexOf("/"));

export function createModelEnvoy(options: { readonly refuses: (text: string) => boolean }): ModelEnvoy {
  const held = new Map<string, Map<string, Held>>(Object.values(TYPE_URL).map((type) => [type, new Map()]));
  const outbox: DeltaRequest[] = [];
  const violations: string[] = [];
  const received: { typeUrl: string; name: string }[] = [];
  const needsEndpoints = new Set<string>();
  const clusters = of(TYPE_URL.cluster);
  const endpoints = of(TYPE_URL.endpoint);
  const listeners = of(TYPE_URL.listener);
  const routes = of(TYPE_URL.route);
  const hosts = of(TYPE_URL.virtualHost);
  let inbox: Buffer[] = [];
  let wanted = { endpoints: new Set<string>(), routes: new Set<string>(), listeners: false, hosts: false };

  function of(type: string): Map<string, Held> {
    let map = held.get(type);
    if (map === undefined) held.set(type, (map = new Map()));
    return map;
  }

  function request(typeUrl: string, fields: Partial<DeltaRequest> = {}): void {
    outbox.push({
      node: { id: "envoy", cluster: "", metadata: {}, locality: undefined, userAgent: "" },
      typeUrl,
      nonce: "",
      error: undefined,
      subscribe: [],
      unsubscribe: [],
      initialVersions: {},
      ...fields,
    });
  }

  function versions(map: Map<string, Held>): Record<string, string> {
    return Object.fromEntries([...map].map(([name, { version }]) => [name, version]));
  }

  function connect(): void {
    outbox.length = 0;
    inbox = [];
    request(TYPE_URL.cluster, { initialVersions: versions(clusters) });
    if (wanted.endpoints.size > 0) request(TYPE_URL.endpoint, { subscribe: [...wanted.endpoints], initialVersions: versions(endpoints) });
    if (wanted.listeners) request(TYPE_URL.listener, { initialVersions: versions(listeners) });
    if (wanted.hosts) request(TYPE_URL.virtualHost, { initialVersions: versions(hosts) });
    if (wanted.routes.size > 0) request(TYPE_URL.route, { subscribe: [...wanted.routes], initialVersions: versions(routes) });
  }

  function want(typeUrl: string, set: Set<string>, change: { readonly add: readonly string[]; readonly remove: readonly string[] }): void {
    const add = change.add.filter((name) => !set.has(name));
    const remove = change.remove.filter((name) => set.has(name));
    for (const name of add) set.add(name);
    for (const name of remove) set.delete(name);
    if (add.length + remove.length > 0) request(typeUrl, { subscribe: add, unsubscribe: remove });
  }

  function check(): void {
    for (const [name, { text }] of hosts) {
      for (const cluster of text.split(",").filter((one) => one !== "")) {
        if (!clusters.has(cluster)) violations.push(`${name} names ${cluster}, which is not there`);
        else if (!endpoints.has(cluster)) violations.push(`${name} names ${cluster}, which has no endpoints`);
      }
    }
  }

  function apply(bytes: Buffer): void {
    const response = fromBinary(DeltaDiscoveryResponseSchema, bytes);
    const { typeUrl } = response;
    const map = of(typeUrl);
    const bad: string[] = [];
    const good = new Map<string, Held>();
    for (const { name, version, resource } of response.resources) {
      received.push({ typeUrl, name });
      const content = Buffer.from(resource?.value ?? []).toString();
      const text = content.slice(content.indexOf("=") + 1);
      if (resource?.typeUrl !== typeUrl) violations.push(`${name}: its Any is of ${resource?.typeUrl}`);
      if (options.refuses(text)) bad.push(name);
      else good.set(name, { version, text });
    }
    const isNew = (name: string): boolean => !map.has(name);
    const added = [...good.keys()].filter(isNew);
    const updated = [...good].filter(([name, { version }]) => map.has(name) && map.get(name)?.version !== version).map(([name]) => name);
    for (const [name, value] of good) {
      if (typeUrl === TYPE_URL.virtualHost && !routes.has(routeOf(name))) continue;
      // What it unsubscribed from while it was on its way.
      if (typeUrl === TYPE_URL.endpoint && !wanted.endpoints.has(name)) continue;
      if (typeUrl === TYPE_URL.route && !wanted.routes.has(name)) continue;
      map.set(name, value);
    }
    const removed = response.removedResources;
    // Envoy ignores the removal of endpoints and routes; it unsubscribes when it needs them no more.
    if (typeUrl !== TYPE_URL.endpoint && typeUrl !== TYPE_URL.route) for (const name of removed) map.delete(name);
    request(typeUrl, { nonce: response.nonce, error: bad.length === 0 ? undefined : `refused: ${bad.join(", ")}` });
    follow(typeUrl, { added, updated, removed, good });
    check();
  }

  function follow(
    typeUrl: string,
    change: {
      readonly added: readonly string[];
      readonly updated: readonly string[];
      readonly removed: readonly string[];
      readonly good: Map<string, Held>;
    },
  ): void {
    if (typeUrl === TYPE_URL.cluster) {
      for (const name of [...change.added, ...change.updated]) needsEndpoints.add(name);
      for (const name of change.removed) {
        needsEndpoints.delete(name);
        endpoints.delete(name);
      }
      want(TYPE_URL.endpoint, wanted.endpoints, { add: change.added, remove: change.removed });
      if (!wanted.listeners) {
        wanted.listeners = true;
        request(TYPE_URL.listener);
      }
    } else if (typeUrl === TYPE_URL.endpoint) for (const name of change.good.keys()) needsEndpoints.delete(name);
    else if (typeUrl === TYPE_URL.listener) {
      const names = new Set([...listeners.values()].map(({ text }) => text));
      const gone = [...wanted.routes].filter((name) => !names.has(name));
      for (const name of gone) {
        routes.delete(name);
        for (const host of hosts.keys()) if (routeOf(host) === name) hosts.delete(host);
      }
      want(TYPE_URL.route, wanted.routes, { add: [...names], remove: gone });
    } else if (typeUrl === TYPE_URL.route && !wanted.hosts) {
      wanted.hosts = true;
      request(TYPE_URL.virtualHost);
    }
  }

  connect();
  return {
    outbox,
    violations,
    received,
    receive: (bytes) => void inbox.push(bytes),
    pending: () => inbox.length,
    step() {
      const bytes = inbox.shift();
      if (bytes !== undefined) apply(bytes);
    },
    reconnect() {
      wanted = {
        endpoints: new Set(clusters.keys()),
        routes: new Set([...listeners.values()].map(({ text }) => text)),
        listeners: wanted.listeners,
        hosts: wanted.hosts,
      };
      connect();
    },
    names: (typeUrl) => [...of(typeUrl).keys()].sort(),
    versionOf: (typeUrl, name) => of(typeUrl).get(name)?.version,
    warming: () => [...needsEndpoints],
  };
}
