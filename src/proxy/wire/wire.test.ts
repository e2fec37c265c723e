import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as api from "../../envoy-api/index.ts";
import { decodeJson } from "./decode-json.ts";
import { decodeWire } from "./decode-wire.ts";
import { encodeWire } from "./encode-wire.ts";
import { enumOf, type Field, fieldsOf, messageNames } from "./fields.ts";

interface Described {
  readonly kind: string;
  readonly typeName: string;
  readonly fields: readonly {
    readonly name: string;
    readonly number: number;
    readonly message?: Described;
    readonly enum?: { readonly typeName: string; readonly values: readonly { name: string; number: number }[] };
  }[];
}

/** Fields that Envoy 1.40 has and the .proto files at hand do not have yet. */
const NEWER: Readonly<Record<string, readonly string[]>> = {
  "envoy.config.route.v3.WeightedCluster": ["use_hash_policy=5"],
  "envoy.config.cluster.v3.Cluster": ["dns_jitter=58"],
  "envoy.extensions.clusters.dns.v3.DnsCluster": [
    "dns_refresh_rate=3",
    "dns_failure_refresh_rate=4",
    "respect_dns_ttl=5",
    "dns_jitter=6",
    "typed_dns_resolver_config=7",
    "dns_lookup_family=8",
    "all_addresses_in_single_endpoint=9",
    "dns_min_refresh_rate=10",
  ],
  "envoy.extensions.clusters.dns.v3.DnsCluster.RefreshRate": ["base_interval=1", "max_interval=2"],
  "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig": [
    "query_timeout_seconds=6",
    "query_tries=7",
    "rotate_nameservers=8",
    "edns0_max_payload_size=9",
    "max_udp_channel_duration=10",
    "reinit_channel_on_timeout=11",
    "qcache_max_ttl=12",
  ],
  "envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig": ["disable_dns_refresh_on_failure=15", "resolved_address_filter=16"],
  "envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig": ["save_upstream_address=3"],
  "envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig": ["allow_dynamic_host_from_filter_state=4"],
  "envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig": ["num_retries=1", "num_resolver_threads=2"],
};

/** Every message that Envoy's API reaches from what is exported. */
function descriptors(): Map<string, Described> {
  const found = new Map<string, Described>();
  const walk = (message: Described): void => {
    if (found.has(message.typeName)) return;
    found.set(message.typeName, message);
    for (const field of message.fields) if (field.message !== undefined) walk(field.message);
  };
  const known = [...(Object.values(api) as unknown[]), ...api.envoyRegistry(), ...api.allTypes()] as Partial<Described>[];
  for (const value of known) if (value?.kind === "message") walk(value as Described);
  return found;
}

describe("the table of fields", () => {
  const described = descriptors();

  test.each([...messageNames()])("%s has the fields of Envoy's API, each with its number and type", (name) => {
    const message = described.get(name);
    const table = fieldsOf(name);
    const own = [...(table?.byNumber.values() ?? [])].map((field: Field) => `${field.name}=${field.number}`).sort();
    const theirs = (message?.fields ?? []).map((field) => `${field.name}=${field.number}`);
    expect(own).toEqual([...theirs, ...(NEWER[name] ?? [])].sort());
    const read = (message?.fields ?? []).flatMap((field) => {
      const mine = table?.byNumber.get(field.number);
      return mine?.state === "read" ? [{ field, mine }] : [];
    });
    const named = read.filter(({ mine }) => mine.of !== "");
    expect(named.map(({ mine }) => mine.of)).toEqual(named.map(({ field }) => field.message?.typeName ?? field.enum?.typeName));
    const enums = named.filter(({ mine }) => mine.type === "enum");
    expect(enums.map(({ mine }) => [...enumOf(mine.of).byNumber])).toEqual(
      enums.map(({ field }) => field.enum?.values.map((value) => [value.number, value.name])),
    );
  });
});

describe("decodeWire", () => {
  const match = (message: object): Uint8Array => api.toBinary(api.RouteMatchSchema, api.create(api.RouteMatchSchema, message as never));
  const ROUTE_MATCH = "envoy.config.route.v3.RouteMatch";

  test("reads what Envoy's own encoder wrote: wrappers, durations, enums, maps, structs, Anys", () => {
    const bytes = api.toBinary(
      api.ClusterSchema,
      api.create(api.ClusterSchema, {
        name: "ümlaut",
        clusterDiscoveryType: { case: "type", value: api.Cluster_DiscoveryType.EDS },
        connectTimeout: api.toDuration(1500),
        maxRequestsPerConnection: 4_294_967_295,
        typedExtensionProtocolOptions: { k: api.packBytes("type.googleapis.com/x.Y", Uint8Array.of(1, 2)) },
      }),
    );
    const values = decodeWire("envoy.config.cluster.v3.Cluster", bytes);
    expect(values.get("name")).toBe("ümlaut");
    expect(values.get("type")).toBe("EDS");
    expect(values.get("connect_timeout")).toBe(1500);
    expect(values.get("max_requests_per_connection")).toBe(4_294_967_295);
    expect((values.get("typed_extension_protocol_options") as Map<string, unknown>).get("k")).toMatchObject({
      typeUrl: "type.googleapis.com/x.Y",
    });
  });

  test("an empty text in a oneof is set, false in a wrapper is set", () => {
    const values = decodeWire(ROUTE_MATCH, match({ pathSpecifier: { case: "prefix", value: "" }, caseSensitive: false }));
    expect(values.get("prefix")).toBe("");
    expect(values.get("case_sensitive")).toBe(false);
  });

  test("refuses a field that is not supported by its path, and skips one without effect", () => {
    expect(() => decodeWire(ROUTE_MATCH, match({ tlsContext: {} }))).toThrow("tls_context: is not supported");
    const route = api.create(api.RouteSchema, { name: "r", tracing: {}, metadata: { filterMetadata: { a: { b: 1 } } } });
    expect([...decodeWire("envoy.config.route.v3.Route", api.toBinary(api.RouteSchema, route)).keys()]).toEqual(["name"]);
  });

  test("any bytes are a message or a refusal, never another error or a hang", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        let outcome = "Refusal";
        try {
          decodeWire("envoy.config.listener.v3.Listener", bytes);
        } catch (error) {
          outcome = (error as Error).name;
        }
        expect(outcome).toBe("Refusal");
      }),
      { numRuns: 3000 },
    );
  });
});

test("what encodeWire writes, Envoy's own decoder reads", () => {
  const metadata = { LABELS: { app: "x" }, LIST: [1, "a", true, null], N: -1.5 };
  const node = new Map<string, unknown>([
    ["id", "n"],
    ["metadata", metadata],
  ]);
  const bytes = encodeWire(
    "envoy.service.discovery.v3.DeltaDiscoveryRequest",
    new Map<string, unknown>([
      ["node", node],
      ["type_url", "t"],
      ["resource_names_subscribe", ["a", "b"]],
      ["initial_resource_versions", new Map([["a", "1"]])],
      [
        "error_detail",
        new Map<string, unknown>([
          ["code", 3],
          ["message", "no"],
        ]),
      ],
    ]),
  );
  const request = api.fromBinary(api.DeltaDiscoveryRequestSchema, bytes);
  expect(request.node?.metadata).toEqual(metadata);
  expect(request).toMatchObject({ typeUrl: "t", resourceNamesSubscribe: ["a", "b"], initialResourceVersions: { a: "1" } });
  expect(request.errorDetail).toMatchObject({ code: 3, message: "no" });
});

describe("decodeJson", () => {
  const LISTENER = "envoy.config.listener.v3.Listener";

  test("takes both spellings", () => {
    expect(decodeJson(LISTENER, { bindToPort: false }).get("bind_to_port")).toBe(false);
    expect(decodeJson(LISTENER, { bind_to_port: true, listener_filters_timeout: "0.5s" }).get("listener_filters_timeout")).toBe(500);
  });

  test.each([
    [{ nmae: "x" }, "nmae: envoy.config.listener.v3.Listener has no such field"],
    [{ udp_listener_config: {} }, "udp_listener_config: is not supported"],
    [
      { filter_chains: [{ filters: [{ typed_config: { "@type": "type.googleapis.com/a.B" } }] }] },
      "filter_chains[0].filters[0].typed_config: a.B is not supported",
    ],
    [{ listener_filters_timeout: "5" }, "listener_filters_timeout: must be a duration"],
    [{ traffic_direction: "UP" }, 'traffic_direction: "UP" is none of'],
  ])("refuses %j with its path", (json, message) => {
    expect(() => decodeJson(LISTENER, json)).toThrow(message);
  });
});
