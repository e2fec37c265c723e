// Real Envoy as the client, over delta ADS with virtual hosts of their own (VHDS): what our model of it takes for granted, it does.
import { hash } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import { afterEach, expect, test } from "vitest";
import {
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  fromProtoJson,
  ListenerSchema,
  RouteConfigurationSchema,
  toBinary,
  VirtualHostSchema,
} from "../envoy-api/index.ts";
import { TYPE_URL, type XdsResource, type XdsResources } from "../kit/index.ts";
import { freePort } from "../kit/testing/free-port.ts";
import { envoyIsMissing, startRealEnvoy } from "../proxy/testing/real-envoy.ts";
import { eventually, startTestServer, type TestServer } from "./testing/test-server.ts";

const ROUNDS = 20;
const ADS = { ads: {}, resource_api_version: "V3" };
const ENVOY_TYPES = "type.googleapis.com/envoy.extensions";
const stops: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

function resource(name: string, schema: DescMessage, json: JsonValue, clusters: readonly string[] = []): XdsResource {
  const bytes = toBinary(schema, fromProtoJson(schema, json));
  const references = clusters.map((cluster) => ({ typeUrl: TYPE_URL.cluster, name: cluster }));
  return { name, version: hash("sha256", bytes, "hex").slice(0, 12), bytes, references };
}

const socket = (port: number): JsonValue => ({ socket_address: { address: "127.0.0.1", port_value: port } });

interface Config {
  /** Route configuration → port of its listener. */
  readonly listeners: Readonly<Record<string, number>>;
  /** `ROUTE/HOST` → cluster → weight. Every host answers to `HOST`. */
  readonly hosts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Cluster → port of its endpoint. */
  readonly clusters: Readonly<Record<string, number>>;
}

function build(config: Config): XdsResources {
  const set = (list: readonly XdsResource[]) => new Map(list.map((one) => [one.name, one]));
  const manager = (route: string): JsonValue => ({
    "@type": `${ENVOY_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: route,
    rds: { route_config_name: route, config_source: ADS },
    http_filters: [{ name: "router", typed_config: { "@type": `${ENVOY_TYPES}.filters.http.router.v3.Router` } }],
  });
  return {
    byType: new Map([
      [
        TYPE_URL.listener,
        set(
          Object.entries(config.listeners).map(([route, port]) =>
            resource(route, ListenerSchema, {
              name: route,
              address: socket(port),
              filter_chains: [{ filters: [{ name: "http", typed_config: manager(route) }] }],
            }),
          ),
        ),
      ],
      [
        TYPE_URL.route,
        set(
          Object.keys(config.listeners).map((name) =>
            resource(name, RouteConfigurationSchema, {
              name,
              vhds: { config_source: ADS },
              virtual_hosts: [
                { name: "catch-all", domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response: { status: 418 } }] },
              ],
            }),
          ),
        ),
      ],
      [
        TYPE_URL.virtualHost,
        set(
          Object.entries(config.hosts).map(([name, weights]) =>
            resource(
              name,
              VirtualHostSchema,
              {
                name,
                domains: [name.slice(name.indexOf("/") + 1)],
                routes: [
                  {
                    match: { prefix: "/" },
                    route: {
                      weighted_clusters: { clusters: Object.entries(weights).map(([cluster, weight]) => ({ name: cluster, weight })) },
                    },
                  },
                ],
              },
              Object.keys(weights),
            ),
          ),
        ),
      ],
      [
        TYPE_URL.cluster,
        set(
          Object.keys(config.clusters).map((name) =>
            resource(name, ClusterSchema, { name, type: "EDS", connect_timeout: "1s", eds_cluster_config: { eds_config: ADS } }),
          ),
        ),
      ],
      [
        TYPE_URL.endpoint,
        set(
          Object.entries(config.clusters).map(([name, port]) =>
            resource(name, ClusterLoadAssignmentSchema, {
              cluster_name: name,
              endpoints: [{ lb_endpoints: [{ endpoint: { address: socket(port) } }] }],
            }),
          ),
        ),
      ],
    ]),
  };
}

async function startBackend(name: string): Promise<number> {
  const server = http.createServer((_request, response) => response.end(name));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function startEnvoy(xdsPort: number): Promise<void> {
  const http2 = { "@type": `${ENVOY_TYPES}.upstreams.http.v3.HttpProtocolOptions`, explicit_http_config: { http2_protocol_options: {} } };
  const envoy = await startRealEnvoy({
    node: { id: "sidecar~127.0.0.1~envoy.test~test.svc.cluster.local", cluster: "test" },
    dynamic_resources: {
      ads_config: { api_type: "DELTA_GRPC", transport_api_version: "V3", grpc_services: [{ envoy_grpc: { cluster_name: "xds" } }] },
      cds_config: ADS,
      lds_config: ADS,
    },
    static_resources: {
      clusters: [
        {
          name: "xds",
          type: "STATIC",
          typed_extension_protocol_options: { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2 },
          load_assignment: { cluster_name: "xds", endpoints: [{ lb_endpoints: [{ endpoint: { address: socket(xdsPort) } }] }] },
        },
      ],
    },
  });
  stops.push(() => envoy.stop());
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function ask(port: number, host: string, agent: http.Agent | false = false): Promise<Answer> {
  return new Promise((resolve) => {
    const request = http.get({ host: "127.0.0.1", port, agent, headers: { host } }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on("error", (error) => resolve({ status: 0, text: error.message }));
  });
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 8000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const live = (server: TestServer, revision: number) =>
  eventually(`Envoy has revision ${revision}`, () => (server.streams[0]?.ackedRevision() ?? 0) >= revision);

const absent = envoyIsMissing();

test.skipIf(absent)("Envoy follows: hosts of their own, further route configurations, one without hosts, and their ends", async () => {
  const [one, two, three] = [await freePort(), await freePort(), await freePort()];
  const clusters = { v1: await startBackend("v1"), v2: await startBackend("v2") };
  const first: Config = { listeners: { r1: one }, hosts: { "r1/a.test": { v1: 1 } }, clusters };
  const server = await startTestServer(build(first));
  stops.push(() => server.stop());
  await startEnvoy(server.port);
  await until("the first listener answers", async () => (await ask(one, "a.test")).text === "v1");
  expect((await ask(one, "other.test")).status).toBe(418);
  await live(server, 1);

  server.set(build({ ...first, hosts: { "r1/a.test": { v2: 1 } } }), 2);
  await live(server, 2);
  await until("the weight moved", async () => (await ask(one, "a.test")).text === "v2");

  const wider: Config = {
    listeners: { r1: one, r2: two, r3: three },
    hosts: { "r1/a.test": { v1: 1 }, "r2/b.test": { v2: 1 } },
    clusters,
  };
  server.set(build(wider), 3);
  await until("a second route configuration has its hosts", async () => (await ask(two, "b.test")).text === "v2");
  await until("a route configuration without hosts serves its catch-all", async () => (await ask(three, "a.test")).status === 418);
  await live(server, 3);

  server.set(build({ ...wider, hosts: { "r1/a.test": { v1: 1 } } }), 4);
  await live(server, 4);
  await until("a removed host falls to the catch-all", async () => (await ask(two, "b.test")).status === 418);
  expect(server.streams[0]?.types().filter((type) => type.nack !== undefined)).toEqual([]);
});

test.skipIf(absent)(`a cluster added and used in one step, and taken away, ${ROUNDS} times: no request fails`, async () => {
  const port = await freePort();
  const v1 = await startBackend("v1");
  const v2 = await startBackend("v2");
  const without: Config = { listeners: { r1: port }, hosts: { "r1/a.test": { v1: 1 } }, clusters: { v1 } };
  const withBoth: Config = { listeners: { r1: port }, hosts: { "r1/a.test": { v1: 1, v2: 1 } }, clusters: { v1, v2 } };
  const server = await startTestServer(build(without));
  stops.push(() => server.stop());
  await startEnvoy(server.port);
  await until("the listener answers", async () => (await ask(port, "a.test")).text === "v1");
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  stops.push(() => agent.destroy());
  const answers = new Map<string, number>();
  let running = true;
  const load = Array.from({ length: 4 }, async () => {
    while (running) {
      const { status, text } = await ask(port, "a.test", agent);
      const key = `${status} ${text}`;
      answers.set(key, (answers.get(key) ?? 0) + 1);
    }
  });
  for (let i = 1; i <= ROUNDS; i++) {
    server.set(build(withBoth), 2 * i);
    await live(server, 2 * i);
    server.set(build(without), 2 * i + 1);
    await live(server, 2 * i + 1);
  }
  running = false;
  await Promise.all(load);
  expect([...answers.keys()].sort()).toEqual(["200 v1", "200 v2"]);
  await eventually("the cluster is gone", () => server.streams[0]?.types().find((t) => t.typeUrl === TYPE_URL.cluster)?.resources === 1);
});
