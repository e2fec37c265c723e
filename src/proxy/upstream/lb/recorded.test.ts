// Where real Istio's Envoy placed keys (scenarios/balancing), asked of our tables without sockets.
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { xxh64 } from "../../hash/index.ts";
import { clusterConfig, endpointConfig, PLAIN_BALANCING } from "../../testing/config.ts";
import { createHost } from "../host.ts";
import { createPicker } from "../host-set.ts";
import type { PickContext } from "./picker.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../../../scenarios/balancing");

interface RecordedCall {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly repeat?: number;
}

interface Document {
  readonly kind: string;
  readonly spec: {
    readonly host?: string;
    readonly hosts?: readonly string[];
    readonly endpoints?: readonly { readonly address: string; readonly ports: { readonly http: number }; readonly weight?: number }[];
    readonly trafficPolicy?: {
      readonly loadBalancer: {
        readonly consistentHash: {
          readonly ringHash?: { readonly minimumRingSize?: number };
          readonly minimumRingSize?: number;
          readonly maglev?: { readonly tableSize: number };
        };
      };
    };
  };
}

function pickerFor(documents: readonly Document[], host: string) {
  const entry = documents.find(({ kind, spec }) => kind === "ServiceEntry" && spec.hosts?.includes(host) === true);
  const rule = documents.find(({ kind, spec }) => kind === "DestinationRule" && spec.host === host);
  const hash = rule?.spec.trafficPolicy?.loadBalancer.consistentHash;
  const minimumSize = hash?.ringHash?.minimumRingSize ?? hash?.minimumRingSize ?? 1024;
  const endpoints = (entry?.spec.endpoints ?? []).map((one) =>
    endpointConfig(one.ports.http, { address: one.address, weight: Math.max(1, one.weight ?? 1) }),
  );
  return createPicker({
    config: clusterConfig(host, [], {
      lbPolicy: hash?.maglev === undefined ? "RING_HASH" : "MAGLEV",
      balancing: { ...PLAIN_BALANCING, ring: { minimumSize, maximumSize: 8_388_608 }, maglevTableSize: hash?.maglev?.tableSize ?? 65_537 },
    }),
    hosts: endpoints.map((endpoint) => createHost(endpoint, endpoint.address)),
    endpoints: { overprovisioningFactor: 140 },
    ownLocality: "",
    random: () => 0,
    now: () => 0,
    onPanic: () => undefined,
  });
}

test.each([
  ["ring-hash-header-3-endpoints", 40],
  ["ring-hash-minimum-ring-size", 180],
  ["ring-hash-endpoint-weights", 140],
  ["maglev-header-3-endpoints", 40],
  ["maglev-table-size", 110],
])("%s", (name, atLeast) => {
  const recorded = parse(readFileSync(path.join(FOLDER, `${name}.yaml`), "utf8")) as { resources: string; calls: RecordedCall[] };
  const answers = JSON.parse(readFileSync(path.join(FOLDER, `${name}.expect.json`), "utf8")) as { server?: number }[];
  const documents = parseAllDocuments(recorded.resources).map((one) => one.toJS() as Document);
  const pickers = new Map<string, ReturnType<typeof pickerFor>>();
  let compared = 0;
  for (const [i, call] of recorded.calls.entries()) {
    const key = call.headers?.["x-user"];
    if (typeof key !== "string" || call.repeat !== undefined || answers[i]?.server === undefined) continue;
    const { hostname } = new URL(call.url);
    const picker = pickers.get(hostname) ?? pickerFor(documents, hostname);
    pickers.set(hostname, picker);
    // Blanks around a value are no part of it.
    const context = { hash: xxh64(Buffer.from(key.trim(), "utf8").toString("latin1")), moreHosts: 0 } as PickContext;
    expect({ key, hostname, port: picker.pick(context)?.port }).toEqual({ key, hostname, port: answers[i].server });
    compared++;
  }
  expect(compared).toBeGreaterThanOrEqual(atLeast);
});
