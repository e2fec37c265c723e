// State-of-the-world ADS over real sockets, request by request; the order of the questions is Istio's ShouldRespond.
import { afterEach, describe, expect, test } from "vitest";
import type { DiscoveryResponse } from "../envoy-api/index.ts";
import { TYPE_URL, type XdsResources } from "../kit/index.ts";
import type { SotwClient } from "./testing/ads-client.ts";
import { planned } from "./testing/resources.ts";
import { eventually, startTestServer, type TestServer } from "./testing/test-server.ts";

const NODE = { id: "sidecar~127.0.0.1~a.b~b.svc.cluster.local" };
const PLAN = { "r0/a": ["c0"], "r0/b": ["c1"] };
let server: TestServer | undefined;

async function start(resources: XdsResources): Promise<TestServer> {
  return (server = await startTestServer(resources));
}

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

/** Names are the text before `=` in what the resources hold. */
const namesOf = (response: DiscoveryResponse): string[] =>
  response.resources.map(({ value }) => Buffer.from(value).toString().split("=")[0] ?? "").sort();

interface Ask {
  readonly client: SotwClient;
  readonly typeUrl: string;
  readonly names?: readonly string[];
}

async function take({ client, typeUrl, names = [] }: Ask): Promise<DiscoveryResponse> {
  client.send({ node: NODE, typeUrl, resourceNames: [...names] });
  const response = await client.next();
  acknowledge({ client, typeUrl, names }, response);
  return response;
}

function acknowledge({ client, typeUrl, names = [] }: Ask, response: DiscoveryResponse): void {
  client.send({ typeUrl, resourceNames: [...names], versionInfo: response.versionInfo, responseNonce: response.nonce });
}

async function quiet(client: SotwClient): Promise<void> {
  const typeUrl = `type.googleapis.com/quiet.${Math.random()}`;
  client.send({ node: NODE, typeUrl, resourceNames: ["nothing"] });
  const response = await client.next();
  acknowledge({ client, typeUrl, names: ["nothing"] }, response);
  expect([response.typeUrl, namesOf(response)]).toEqual([typeUrl, []]);
}

describe("state of the world", () => {
  test("clusters and listeners come whole, whenever one changes; an equal config is silent", async () => {
    const running = await start(planned(PLAN));
    const client = running.sotw();
    const first = await take({ client, typeUrl: TYPE_URL.cluster });
    expect(namesOf(first)).toEqual(["c0", "c1"]);
    running.set(planned(PLAN, { clusters: ["c2"] }), 2);
    const second = await client.next();
    expect(namesOf(second)).toEqual(["c0", "c1", "c2"]);
    expect(second.versionInfo).not.toBe(first.versionInfo);
    acknowledge({ client, typeUrl: TYPE_URL.cluster }, second);
    running.set(planned(PLAN, { clusters: ["c2"] }), 3);
    await quiet(client);
  });

  test("named types send what was asked for, then what of it changed", async () => {
    const running = await start(planned(PLAN));
    const client = running.sotw();
    const ask = { client, typeUrl: TYPE_URL.endpoint, names: ["c0", "c9"] };
    expect(namesOf(await take(ask))).toEqual(["c0"]);
    running.set(planned(PLAN, { clusters: ["c9"] }), 2);
    const response = await client.next();
    expect(namesOf(response)).toEqual(["c9"]);
    acknowledge(ask, response);
    running.set(planned({ "r0/a": ["c0"] }, { clusters: ["c9"] }), 3);
    await quiet(client);
  });

  test("an addition to the names is answered, a removal and the same names are not", async () => {
    const client = (await start(planned(PLAN))).sotw();
    const first = await take({ client, typeUrl: TYPE_URL.endpoint, names: ["c0"] });
    acknowledge({ client, typeUrl: TYPE_URL.endpoint, names: ["c0"] }, first);
    await quiet(client);
    acknowledge({ client, typeUrl: TYPE_URL.endpoint, names: ["c0", "c1"] }, first);
    const second = await client.next();
    expect(namesOf(second)).toEqual(["c1"]);
    acknowledge({ client, typeUrl: TYPE_URL.endpoint, names: ["c1"] }, second);
    await quiet(client);
  });

  test("no names after names is nothing, even of clusters", async () => {
    const running = await start(planned(PLAN));
    const client = running.sotw();
    const first = await take({ client, typeUrl: TYPE_URL.cluster, names: ["c0"] });
    expect(namesOf(first)).toEqual(["c0"]);
    acknowledge({ client, typeUrl: TYPE_URL.cluster }, first);
    await eventually("it has no clusters", () => running.streams[0]?.types().find((t) => t.typeUrl === TYPE_URL.cluster)?.resources === 0);
  });

  test("a stale nonce is ignored", async () => {
    const running = await start(planned(PLAN));
    const client = running.sotw();
    client.send({ node: NODE, typeUrl: TYPE_URL.endpoint, resourceNames: ["c0"] });
    const first = await client.next();
    client.send({ typeUrl: TYPE_URL.endpoint, resourceNames: ["c0", "c1"], responseNonce: "older" });
    await quiet(client);
    acknowledge({ client, typeUrl: TYPE_URL.endpoint, names: ["c0", "c1"] }, first);
    expect(namesOf(await client.next())).toEqual(["c1"]);
  });

  test("a refusal is told and not answered; the next change is sent", async () => {
    const running = await start(planned(PLAN));
    const client = running.sotw();
    await take({ client, typeUrl: TYPE_URL.cluster });
    running.set(planned(PLAN, { changed: ["c0"] }), 2);
    const bad = await client.next();
    client.send({ typeUrl: TYPE_URL.cluster, responseNonce: bad.nonce, versionInfo: "old", errorDetail: { code: 3, message: "no" } });
    await quiet(client);
    expect(running.streams[0]?.types().find((t) => t.typeUrl === TYPE_URL.cluster)?.nack?.message).toBe("no");
    running.set(planned(PLAN), 3);
    expect(namesOf(await client.next())).toEqual(["c0", "c1"]);
  });

  test("a client that comes back with the version it has is told nothing, with another everything", async () => {
    const running = await start(planned(PLAN));
    const before = await take({ client: running.sotw(), typeUrl: TYPE_URL.cluster });
    const same = running.sotw();
    same.send({ node: NODE, typeUrl: TYPE_URL.cluster, versionInfo: before.versionInfo });
    await quiet(same);
    const other = running.sotw();
    other.send({ node: NODE, typeUrl: TYPE_URL.cluster, versionInfo: "older" });
    expect(namesOf(await other.next())).toEqual(["c0", "c1"]);
  });

  test("an updated cluster brings its endpoints again", async () => {
    const running = await start(planned(PLAN));
    const client = running.sotw();
    await take({ client, typeUrl: TYPE_URL.cluster });
    await take({ client, typeUrl: TYPE_URL.endpoint, names: ["c0", "c1"] });
    running.set(planned(PLAN, { changed: ["c1"] }), 2);
    expect([namesOf(await client.next()), namesOf(await client.next())]).toEqual([["c0", "c1"], ["c1"]]);
  });

  test("endpoints are answered after clusters were sent again, though their version is the client's", async () => {
    const running = await start(planned(PLAN));
    const before = running.sotw();
    await take({ client: before, typeUrl: TYPE_URL.cluster });
    const endpoints = await take({ client: before, typeUrl: TYPE_URL.endpoint, names: ["c0", "c1"] });
    running.set(planned(PLAN, { changed: ["c1"] }), 2);
    const client = running.sotw();
    await take({ client, typeUrl: TYPE_URL.cluster });
    client.send({ typeUrl: TYPE_URL.endpoint, resourceNames: ["c0", "c1"], versionInfo: endpoints.versionInfo });
    expect(namesOf(await client.next())).toEqual(["c0", "c1"]);
  });
});
