import { expect, test } from "vitest";
import { type Logger, ok, TYPE_URL, type XdsResources } from "../kit/index.ts";
import type { LiveTracker } from "./live.ts";
import type { Pipeline } from "./pipeline.ts";
import { createProxies } from "./proxies.ts";
import type { Registrations } from "./registrations.ts";

const set = (name: string) => new Map([[name, { name, version: "1", bytes: Buffer.alloc(0) }]]);
const RESOURCES: XdsResources = {
  byType: new Map([
    [TYPE_URL.cluster, set("a")],
    [TYPE_URL.secret, set("kubernetes://edge")],
  ]),
};

const NONE: Registrations = { connect: () => ok(() => undefined), health: () => undefined, stop: () => undefined };

function connectFrom(peer: string): { readonly given: readonly XdsResources[]; readonly warnings: readonly string[] } {
  const given: XdsResources[] = [];
  const warnings: string[] = [];
  const logger: Logger = { log: (level, message) => void (level === "warn" && warnings.push(message)) } as Logger;
  const pipeline = {
    connect(proxy: { set(resources: XdsResources, revision: number): void }) {
      proxy.set(RESOURCES, 1);
      proxy.set(RESOURCES, 2);
      return () => undefined;
    },
  } as unknown as Pipeline;
  const proxies = createProxies({ pipeline: () => pipeline, live: () => ({}) as LiveTracker, registrations: NONE, wall: () => 0, logger });
  const opened = proxies.open({
    node: { id: "router~10.0.0.1~edge.istio-system~istio-system.svc.cluster.local", metadata: {} } as never,
    protocol: "delta",
    peer,
    set: (resources) => void given.push(resources),
    ackedRevision: () => 0,
    types: () => [],
  });
  expect(opened.ok).toBe(true);
  return { given, warnings };
}

test.each(["127.0.0.1", "127.3.2.1", "::1", "[::1]", "::ffff:127.0.0.1"])("%s is this machine: it is given its secrets", (peer) => {
  const { given, warnings } = connectFrom(peer);
  expect(given).toEqual([RESOURCES, RESOURCES]);
  expect(warnings).toEqual([]);
});

test.each(["10.1.2.3", "127.evil.example", "::ffff:10.1.2.3", "fd00::1", "unknown", ""])(
  "%s is another: everything but secrets, said once",
  (peer) => {
    const { given, warnings } = connectFrom(peer);
    expect(given.map(({ byType }) => [...byType.keys()])).toEqual([[TYPE_URL.cluster], [TYPE_URL.cluster]]);
    expect(given[0]).toBe(given[1]);
    expect(warnings).toEqual(["a proxy on another machine is given no secrets: xDS streams are not authenticated yet"]);
  },
);
