// Delta ADS over real sockets, request by request.
import { afterEach, describe, expect, test } from "vitest";
import type { DeltaDiscoveryResponse } from "../envoy-api/index.ts";
import { TYPE_URL, type XdsResources } from "../kit/index.ts";
import type { DeltaClient } from "./testing/ads-client.ts";
import { planned, toResource, toSet } from "./testing/resources.ts";
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

const namesOf = (response: DeltaDiscoveryResponse): string[] => response.resources.map(({ name }) => name).sort();

function versions(resources: XdsResources, typeUrl: string): Record<string, string> {
  return Object.fromEntries([...(resources.byType.get(typeUrl) ?? [])].map(([name, { version }]) => [name, version]));
}

function clustersOnly(...names: string[]): XdsResources {
  return { byType: new Map([[TYPE_URL.cluster, toSet(names.map((name) => toResource(name.split("@")[0] ?? "", name)))]]) };
}

/** Asks for one type and acknowledges the first response. */
async function take(
  client: DeltaClient,
  typeUrl: string,
  fields: { readonly resourceNamesSubscribe?: string[]; readonly initialResourceVersions?: Record<string, string> } = {},
): Promise<DeltaDiscoveryResponse> {
  client.send({ node: NODE, typeUrl, ...fields });
  const response = await client.next();
  client.send({ typeUrl, responseNonce: response.nonce });
  return response;
}

/** A round trip of another type: what was on its way before has arrived. */
async function quiet(client: DeltaClient): Promise<void> {
  const typeUrl = `type.googleapis.com/quiet.${Math.random()}`;
  client.send({ node: NODE, typeUrl, resourceNamesSubscribe: ["nothing"] });
  for (;;) {
    const response = await client.next();
    client.send({ typeUrl: response.typeUrl, responseNonce: response.nonce });
    if (response.typeUrl === typeUrl) return;
    throw new Error(`unexpected ${response.typeUrl}: ${JSON.stringify([namesOf(response), response.removedResources])}`);
  }
}

describe("subscriptions", () => {
  test("no names at first is all of it: each resource with its name, version and bytes", async () => {
    const config = planned(PLAN);
    const client = (await start(config)).delta();
    const response = await take(client, TYPE_URL.cluster);
    expect(response.typeUrl).toBe(TYPE_URL.cluster);
    expect(Object.fromEntries(response.resources.map((r) => [r.name, r.version]))).toEqual(versions(config, TYPE_URL.cluster));
    expect(response.resources.map((r) => [r.resource?.typeUrl, Buffer.from(r.resource?.value ?? []).toString()])).toEqual([
      [TYPE_URL.cluster, "c0=cluster"],
      [TYPE_URL.cluster, "c1=cluster"],
    ]);
    expect(response.removedResources).toEqual([]);
    await quiet(client);
  });

  test("no names at first of a type that is asked for by name is nothing", async () => {
    const client = (await start(planned(PLAN))).delta();
    client.send({ node: NODE, typeUrl: TYPE_URL.endpoint });
    await quiet(client);
  });

  test("a wildcard is answered even when there is nothing", async () => {
    const client = (await start(clustersOnly())).delta();
    const response = await take(client, TYPE_URL.cluster);
    expect([response.resources, response.removedResources]).toEqual([[], []]);
  });

  test("a name that does not exist is answered as removed, and sent when it comes", async () => {
    const running = await start(planned(PLAN));
    const client = running.delta();
    const response = await take(client, TYPE_URL.endpoint, { resourceNamesSubscribe: ["c0", "c9"] });
    expect([namesOf(response), response.removedResources]).toEqual([["c0"], ["c9"]]);
    running.set(planned(PLAN, { clusters: ["c9"] }), 2);
    expect(namesOf(await client.next())).toEqual(["c9"]);
  });

  test("asking again sends again; unsubscribed names are sent no more", async () => {
    const running = await start(planned(PLAN));
    const client = running.delta();
    await take(client, TYPE_URL.endpoint, { resourceNamesSubscribe: ["c0", "c1"] });
    expect(namesOf(await take(client, TYPE_URL.endpoint, { resourceNamesSubscribe: ["c0"] }))).toEqual(["c0"]);
    client.send({ typeUrl: TYPE_URL.endpoint, resourceNamesUnsubscribe: ["c0"] });
    await quiet(client);
    running.set(planned(PLAN, { salt: "new" }), 2);
    expect(namesOf(await client.next())).toEqual(["c1"]);
  });

  test("the star subscribes to all beside names, and its end leaves the names", async () => {
    const running = await start(clustersOnly("a", "b"));
    const client = running.delta();
    expect(namesOf(await take(client, TYPE_URL.cluster, { resourceNamesSubscribe: ["*", "a"] }))).toEqual(["a", "b"]);
    client.send({ typeUrl: TYPE_URL.cluster, resourceNamesUnsubscribe: ["*"] });
    await quiet(client);
    running.set(clustersOnly("a@2", "b@2"), 2);
    expect(namesOf(await client.next())).toEqual(["a"]);
  });
});

describe("changes", () => {
  test("only what differs is sent, and an equal config is silent", async () => {
    const running = await start(clustersOnly("a", "b", "c"));
    const client = running.delta();
    await take(client, TYPE_URL.cluster);
    running.set(clustersOnly("a", "b@2", "d"), 2);
    const response = await client.next();
    expect([namesOf(response), response.removedResources]).toEqual([["b", "d"], ["c"]]);
    client.send({ typeUrl: TYPE_URL.cluster, responseNonce: response.nonce });
    running.set(clustersOnly("a", "b@2", "d"), 3);
    await quiet(client);
  });

  test("one response is in flight; what changes meanwhile is sent as one, and a stale nonce answers nothing", async () => {
    const running = await start(clustersOnly("a"));
    const client = running.delta();
    client.send({ node: NODE, typeUrl: TYPE_URL.cluster });
    const first = await client.next();
    running.set(clustersOnly("a", "b"), 2);
    running.set(clustersOnly("a", "b", "c"), 3);
    client.send({ typeUrl: TYPE_URL.cluster, responseNonce: "never sent" });
    await quiet(client);
    client.send({ typeUrl: TYPE_URL.cluster, responseNonce: first.nonce });
    const second = await client.next();
    expect(namesOf(second)).toEqual(["b", "c"]);
    expect(second.nonce).not.toBe(first.nonce);
  });

  test("streams in step get the same bytes", async () => {
    const running = await start(clustersOnly("a"));
    const clients = [running.delta(), running.delta()];
    for (const client of clients) await take(client, TYPE_URL.cluster);
    running.set(clustersOnly("a@2"), 2);
    const nonces = await Promise.all(clients.map(async (client) => (await client.next()).nonce));
    expect(new Set(nonces).size).toBe(1);
  });

  test("an updated cluster brings its endpoints again", async () => {
    const running = await start(planned(PLAN));
    const client = running.delta();
    await take(client, TYPE_URL.cluster);
    await take(client, TYPE_URL.endpoint, { resourceNamesSubscribe: ["c0", "c1"] });
    running.set(planned(PLAN, { changed: ["c1"] }), 2);
    expect([namesOf(await client.next()), namesOf(await client.next())]).toEqual([["c1"], ["c1"]]);
  });
});

describe("a client that comes back", () => {
  test("gets nothing that it has", async () => {
    const config = planned(PLAN);
    const client = (await start(config)).delta();
    client.send({ node: NODE, typeUrl: TYPE_URL.cluster, initialResourceVersions: versions(config, TYPE_URL.cluster) });
    const names = ["c0", "c1"];
    client.send({
      typeUrl: TYPE_URL.endpoint,
      resourceNamesSubscribe: names,
      initialResourceVersions: versions(config, TYPE_URL.endpoint),
    });
    client.send({ typeUrl: TYPE_URL.listener, initialResourceVersions: versions(config, TYPE_URL.listener) });
    await quiet(client);
    await eventually("it has revision 1", () => server?.streams[0]?.ackedRevision() === 1);
  });

  test.each(["closed", "still open"])("gets endpoints that it has where its cluster may wait for them (earlier stream %s)", async (how) => {
    const running = await start(planned(PLAN));
    const before = running.delta();
    await take(before, TYPE_URL.cluster);
    await take(before, TYPE_URL.endpoint, { resourceNamesSubscribe: ["c0", "c1"] });
    const config = planned(PLAN, { changed: ["c1"] });
    running.set(config, 2);
    const update = await before.next();
    // It takes the cluster; its stream breaks before the endpoints come.
    before.send({ typeUrl: TYPE_URL.cluster, responseNonce: update.nonce });
    if (how === "closed") {
      before.close();
      await eventually("the server knows", () => running.streams.length === 0);
    }
    const back = async (): Promise<DeltaClient> => {
      const client = running.delta();
      const open = async (typeUrl: string, names: string[]): Promise<void> => {
        client.send({ node: NODE, typeUrl, resourceNamesSubscribe: names, initialResourceVersions: versions(config, typeUrl) });
      };
      await open(TYPE_URL.cluster, []);
      await open(TYPE_URL.endpoint, ["c0", "c1"]);
      return client;
    };
    const client = await back();
    const response = await client.next();
    expect([response.typeUrl, namesOf(response)]).toEqual([TYPE_URL.endpoint, ["c1"]]);
    client.send({ typeUrl: TYPE_URL.endpoint, responseNonce: response.nonce });
    await quiet(client);
    before.close();
    client.close();
    await eventually("the server knows", () => running.streams.length === 0);
    if (how === "closed") await quiet(await back());
  });

  test("gets what differs, and loses what is gone once no route needs it", async () => {
    const client = (await start(clustersOnly("a@2", "b"))).delta();
    const had = { ...versions(clustersOnly("a", "b"), TYPE_URL.cluster), gone: "1" };
    const first = await take(client, TYPE_URL.cluster, { initialResourceVersions: had });
    expect([namesOf(first), first.removedResources]).toEqual([["a"], []]);
    client.send({ typeUrl: TYPE_URL.listener });
    client.send({ typeUrl: TYPE_URL.listener, responseNonce: (await client.next()).nonce });
    expect((await client.next()).removedResources).toEqual(["gone"]);
  });
});

describe("refusals", () => {
  test("are told, keep the last good, are not sent again, and stop no other type", async () => {
    const running = await start(planned(PLAN));
    const client = running.delta();
    await take(client, TYPE_URL.cluster);
    await take(client, TYPE_URL.listener);
    running.set(planned({ "r0/a": ["c0"], "r1/a": ["c2"] }), 2);
    const clusters = await client.next();
    expect([namesOf(clusters), clusters.removedResources]).toEqual([["c2"], ["c1"]]);
    const listeners = await client.next();
    client.send({ typeUrl: TYPE_URL.cluster, responseNonce: clusters.nonce, errorDetail: { code: 3, message: "c2 is bad" } });
    client.send({ typeUrl: TYPE_URL.listener, responseNonce: listeners.nonce });
    running.set(planned({ "r0/a": ["c0"], "r1/a": ["c2"] }), 3);
    await quiet(client);
    const stream = running.streams[0];
    const status = stream?.types().find((type) => type.typeUrl === TYPE_URL.cluster);
    expect(status?.nack?.message).toBe("c2 is bad");
    expect(status?.sent).not.toBe(status?.acked);
    expect(stream?.ackedRevision()).toBeLessThan(2);
    running.set(planned({ "r0/a": ["c0"], "r1/a": ["c2"] }, { changed: ["c2"] }), 4);
    const better = await client.next();
    expect(namesOf(better)).toEqual(["c2"]);
    client.send({ typeUrl: TYPE_URL.cluster, responseNonce: better.nonce });
    await eventually(
      "nothing is refused",
      () => stream?.types().every((type) => type.nack === undefined && type.sent === type.acked) === true,
    );
  });
});

describe("virtual hosts", () => {
  test("follow their route configuration's acknowledgement; a changed host goes alone", async () => {
    const running = await start(planned(PLAN));
    const client = running.delta();
    await take(client, TYPE_URL.cluster);
    await take(client, TYPE_URL.endpoint, { resourceNamesSubscribe: ["c0", "c1"] });
    await take(client, TYPE_URL.listener);
    client.send({ typeUrl: TYPE_URL.route, resourceNamesSubscribe: ["r0"] });
    const routes = await client.next();
    client.send({ typeUrl: TYPE_URL.virtualHost });
    const empty = await client.next();
    expect([empty.typeUrl, namesOf(empty)]).toEqual([TYPE_URL.virtualHost, []]);
    client.send({ typeUrl: TYPE_URL.virtualHost, responseNonce: empty.nonce });
    await quiet(client);
    client.send({ typeUrl: TYPE_URL.route, responseNonce: routes.nonce });
    const hosts = await client.next();
    expect(namesOf(hosts)).toEqual(["r0/a", "r0/b"]);
    client.send({ typeUrl: TYPE_URL.virtualHost, responseNonce: hosts.nonce });
    await eventually("it has revision 1", () => running.streams[0]?.ackedRevision() === 1);
    running.set(planned({ ...PLAN, "r0/b": ["c0", "c1"] }), 2);
    const change = await client.next();
    expect([change.typeUrl, namesOf(change)]).toEqual([TYPE_URL.virtualHost, ["r0/b"]]);
    client.send({ typeUrl: TYPE_URL.virtualHost, responseNonce: change.nonce });
    await eventually("it has revision 2", () => running.streams[0]?.ackedRevision() === 2);
    await quiet(client);
  });

  test("come again with a route configuration that the client lost", async () => {
    const config = planned({ "r0/a": [] });
    const client = (await start(config)).delta();
    const hosts = versions(config, TYPE_URL.virtualHost);
    client.send({ node: NODE, typeUrl: TYPE_URL.virtualHost, initialResourceVersions: hosts });
    await quiet(client);
    await take(client, TYPE_URL.route, { resourceNamesSubscribe: ["r0"] });
    expect(namesOf(await client.next())).toEqual(["r0/a"]);
  });

  test("a route configuration without hosts is told so", async () => {
    const client = (await start(planned({ "r0/a": [] }, { routes: ["r1"] }))).delta();
    await take(client, TYPE_URL.virtualHost);
    await take(client, TYPE_URL.route, { resourceNamesSubscribe: ["r1"] });
    const response = await client.next();
    expect([response.typeUrl, namesOf(response), response.removedResources]).toEqual([TYPE_URL.virtualHost, [], ["r1/*"]]);
  });
});
