// What the server refuses, and with which status.
import net from "node:net";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import { ok, silentLogger, systemClock, TYPE_URL } from "../kit/index.ts";
import type { DeltaClient } from "./testing/ads-client.ts";
import { planned } from "./testing/resources.ts";
import { eventually, startTestServer, type TestServer } from "./testing/test-server.ts";
import { startXdsServer, type XdsLimits } from "./xds-server.ts";

const NODE = { id: "n1" };
let server: TestServer | undefined;

async function start(limits: Partial<XdsLimits> = {}): Promise<TestServer> {
  return (server = await startTestServer(planned({ "r0/a": ["c0"] }), { limits }));
}

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

interface Refusal {
  readonly name: string;
  readonly limits?: Partial<XdsLimits>;
  readonly say: (client: DeltaClient) => void;
  readonly code: number;
  readonly details: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  { name: "no node", say: (c) => c.send({ typeUrl: TYPE_URL.cluster }), code: status.INVALID_ARGUMENT, details: /must name its node/ },
  {
    name: "a node without id",
    say: (c) => c.send({ node: {}, typeUrl: TYPE_URL.cluster }),
    code: status.INVALID_ARGUMENT,
    details: /node/,
  },
  {
    name: "a node that the composition root refuses",
    say: (c) => c.send({ node: { id: "unwanted" }, typeUrl: TYPE_URL.cluster }),
    code: status.INVALID_ARGUMENT,
    details: /this node is not wanted/,
  },
  { name: "no type", say: (c) => c.send({ node: NODE }), code: status.INVALID_ARGUMENT, details: /type_url/ },
  {
    name: "bytes that are no request",
    say: (c) => c.sendBytes(Buffer.from([10, 200, 1])),
    code: status.INVALID_ARGUMENT,
    details: /not a Delta/,
  },
  {
    name: "a message above 4 MiB",
    say: (c) => c.sendBytes(Buffer.alloc(4 * 1024 * 1024 + 1)),
    code: status.RESOURCE_EXHAUSTED,
    details: /larger than max/,
  },
  {
    name: "too many types",
    limits: { typesPerStream: 2 },
    say: (c) => ["a", "b", "c"].forEach((typeUrl) => c.send({ node: NODE, typeUrl, resourceNamesSubscribe: ["x"] })),
    code: status.RESOURCE_EXHAUSTED,
    details: /2 resource types/,
  },
  {
    name: "too many names",
    limits: { namesPerType: 3 },
    say: (c) => ["a", "b"].forEach((n) => c.send({ node: NODE, typeUrl: "t", resourceNamesSubscribe: [`${n}1`, `${n}2`] })),
    code: status.RESOURCE_EXHAUSTED,
    details: /3 resource names/,
  },
  { name: "nothing said", limits: { firstRequestMs: 20 }, say: () => {}, code: status.DEADLINE_EXCEEDED, details: /no first request/ },
];

describe("refuses", () => {
  test.each(REFUSALS)("$name", async ({ limits, say, code, details }) => {
    const running = await start(limits);
    const client = running.delta();
    say(client);
    const end = await client.ended();
    expect(end.code).toBe(code);
    expect(end.details).toMatch(details);
    await eventually("no stream is left", () => running.streams.length === 0);
  });

  test("the second stream of a node past the limit, and takes it when the first has gone", async () => {
    const running = await start({ streamsPerNode: 1 });
    const first = running.delta();
    first.send({ node: NODE, typeUrl: TYPE_URL.cluster });
    await first.next();
    const second = running.delta();
    second.send({ node: NODE, typeUrl: TYPE_URL.cluster });
    expect((await second.ended()).code).toBe(status.RESOURCE_EXHAUSTED);
    first.close();
    await eventually("the first has gone", () => running.streams.length === 0);
    const third = running.delta();
    third.send({ node: NODE, typeUrl: TYPE_URL.cluster });
    expect((await third.next()).resources.length).toBe(1);
  });
});

test("a flood of requests on one stream is read slowly and holds up nobody", async () => {
  const running = await start({ requestBurst: 20, requestsPerSecond: 50 });
  const flooder = running.delta();
  for (let i = 0; i < 60; i++) flooder.send({ node: { id: "flooder" }, typeUrl: TYPE_URL.endpoint, resourceNamesSubscribe: [`x${i}`] });
  const client = running.delta();
  client.send({ node: NODE, typeUrl: TYPE_URL.cluster });
  await client.next();
  expect(running.streams.length).toBe(2);
  for (;;) {
    const response = await flooder.next();
    flooder.send({ typeUrl: TYPE_URL.endpoint, responseNonce: response.nonce });
    if (response.removedResources.includes("x59")) break;
  }
});

test("a large first config reaches clients of which one does not read", async () => {
  const clusters = Array.from({ length: 3000 }, (_, i) => `${"c".repeat(200)}${i}`);
  server = await startTestServer(planned({}, { clusters }));
  const stuck = net.connect(server.port, "127.0.0.1");
  stuck.pause();
  const all = Array.from({ length: 10 }, () => server?.delta());
  for (const client of all) client?.send({ node: NODE, typeUrl: TYPE_URL.cluster });
  const sizes = await Promise.all(all.map(async (client) => (await client?.next())?.resources.length));
  expect(sizes).toEqual(all.map(() => 3000));
  stuck.destroy();
});

test("a taken port is an error that says so", async () => {
  const running = await start();
  const options = { host: "127.0.0.1", port: running.port, clock: systemClock, logger: silentLogger, onAnswer() {} };
  await expect(startXdsServer({ ...options, onStream: () => ok(() => {}) })).rejects.toMatchObject({ code: "XDS_LISTEN_FAILED" });
});

test("stopping ends the streams", async () => {
  const running = await start();
  const client = running.delta();
  client.send({ node: NODE, typeUrl: TYPE_URL.cluster });
  await client.next();
  await running.stop();
  expect(running.streams).toEqual([]);
});

test("what an agent says of its workload's health is passed on, and is no request for resources", async () => {
  const heard: unknown[] = [];
  server = await startTestServer(planned({ "r0/a": ["c0"] }), { onHealth: (id, error) => void heard.push([id, error]) });
  const client = server.delta();
  const typeUrl = "type.googleapis.com/istio.v1.HealthInformation";
  client.send({ node: NODE, typeUrl: TYPE_URL.cluster });
  await client.next();
  client.send({ typeUrl });
  client.send({ typeUrl, errorDetail: { code: 500, message: "probe failed" } });
  await eventually("both are heard", () => heard.length === 2);
  expect(heard).toEqual([
    ["n1", undefined],
    ["n1", "probe failed"],
  ]);
  expect(server.streams[0]?.types().map((type) => type.typeUrl)).toEqual([TYPE_URL.cluster]);
});
