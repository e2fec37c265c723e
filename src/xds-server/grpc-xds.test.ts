// A third party's client: gRPC's own xDS resolver and balancer (@grpc/grpc-js-xds) finds a service through our server and follows its weights.
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface, type Interface } from "node:readline";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import { afterEach, expect, test } from "vitest";
import {
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  fromProtoJson,
  ListenerSchema,
  RouteConfigurationSchema,
  toBinary,
} from "../envoy-api/index.ts";
import { TYPE_URL, type XdsResource, type XdsResources } from "../kit/index.ts";
import { hash } from "node:crypto";
import { eventually, startTestServer } from "./testing/test-server.ts";

const TARGET = "demo4.test1.svc.cluster.local:80";
const ROUTER = { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" };
const ADS = { ads: {}, resource_api_version: "V3" };
const stops: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

function resource(schema: DescMessage, json: JsonValue & { readonly name?: string; readonly cluster_name?: string }): XdsResource {
  const bytes = toBinary(schema, fromProtoJson(schema, json));
  return { name: json.name ?? json.cluster_name ?? "", version: hash("sha256", bytes, "hex").slice(0, 12), bytes };
}

function startBackend(name: string): Promise<number> {
  const server = new Server();
  const same = (bytes: Buffer): Buffer => bytes;
  const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
  server.addService(
    { Say: { path: "/demo.Demo/Say", requestStream: false, responseStream: false, ...codec } },
    { Say: (_call: unknown, answer: (error: null, value: Buffer) => void) => answer(null, Buffer.from(name)) },
  );
  stops.push(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}

function configFor(ports: Readonly<Record<string, number>>, weights: Readonly<Record<string, number>>): XdsResources {
  const set = (list: readonly XdsResource[]) => new Map(list.map((one) => [one.name, one]));
  const names = Object.keys(ports);
  const clusters = Object.entries(weights).map(([name, weight]) => ({ name, weight }));
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    rds: { route_config_name: "80", config_source: ADS },
    http_filters: [{ name: "router", typed_config: ROUTER }],
  };
  const virtualHost = {
    name: "demo4",
    domains: ["demo4.test1.svc.cluster.local", TARGET],
    routes: [{ match: { prefix: "" }, route: { weighted_clusters: { clusters } } }],
  };
  return {
    byType: new Map([
      [TYPE_URL.listener, set([resource(ListenerSchema, { name: TARGET, api_listener: { api_listener: manager } })])],
      [TYPE_URL.route, set([resource(RouteConfigurationSchema, { name: "80", virtual_hosts: [virtualHost] })])],
      [
        TYPE_URL.cluster,
        set(
          names.map((name) =>
            resource(ClusterSchema, { name, type: "EDS", lb_policy: "ROUND_ROBIN", eds_cluster_config: { eds_config: ADS } }),
          ),
        ),
      ],
      [
        TYPE_URL.endpoint,
        set(
          Object.entries(ports).map(([name, port]) =>
            resource(ClusterLoadAssignmentSchema, {
              cluster_name: name,
              endpoints: [
                {
                  locality: { region: "here" },
                  load_balancing_weight: 1,
                  lb_endpoints: [{ endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } } }],
                },
              ],
            }),
          ),
        ),
      ],
    ]),
  };
}

function startCaller(xdsPort: number): { call(times: number): Promise<Record<string, number>> } {
  const bootstrap = {
    xds_servers: [{ server_uri: `127.0.0.1:${xdsPort}`, channel_creds: [{ type: "insecure" }], server_features: ["xds_v3"] }],
    node: { id: "sidecar~127.0.0.1~caller.test1~test1.svc.cluster.local", metadata: { GENERATOR: "grpc" }, locality: {} },
  };
  const child: ChildProcess = spawn(process.execPath, [path.join(import.meta.dirname, "testing/grpc-xds-caller.ts"), TARGET], {
    env: { PATH: process.env["PATH"] ?? "", GRPC_XDS_BOOTSTRAP_CONFIG: JSON.stringify(bootstrap) },
    stdio: ["pipe", "pipe", "inherit"],
  });
  stops.push(() => child.kill("SIGKILL"));
  if (child.stdin === null || child.stdout === null) throw new Error("the caller has no pipes");
  const { stdin } = child;
  const lines: Interface = createInterface({ input: child.stdout });
  const answers = lines[Symbol.asyncIterator]();
  return {
    async call(times) {
      stdin.write(`${times}\n`);
      const { value } = await answers.next();
      return JSON.parse(String(value));
    },
  };
}

test("calls are split by weight, and follow a change of it", async () => {
  const ports = { v1: await startBackend("v1"), v2: await startBackend("v2") };
  const server = await startTestServer(configFor(ports, { v1: 75, v2: 25 }));
  stops.push(() => server.stop());
  const caller = startCaller(server.port);
  const split = await caller.call(400);
  expect(Object.keys(split).sort()).toEqual(["v1", "v2"]);
  // 25 % of 400 ± 4.9 standard deviations: a false alarm in a million runs.
  expect(Math.abs((split["v2"] ?? 0) - 100)).toBeLessThan(43);
  await eventually("it has revision 1", () => server.streams[0]?.ackedRevision() === 1);
  server.set(configFor(ports, { v1: 0, v2: 100 }), 2);
  await eventually("it has revision 2", () => server.streams[0]?.ackedRevision() === 2);
  await caller.call(20);
  expect(await caller.call(50)).toEqual({ v2: 50 });
  expect(server.streams[0]?.protocol).toBe("sotw");
  expect(server.streams[0]?.types().some((type) => type.nack !== undefined)).toBe(false);
});
