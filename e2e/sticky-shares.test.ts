// Sticky shares on both data planes: 10,000 users while the weights of two versions move from 0 to 100 and back.
import net, { type AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { XdsResources } from "../src/kit/index.ts";
import { freePort } from "../src/kit/testing/free-port.ts";
import { parseNode } from "../src/model/index.ts";
import { decodeBootstrap } from "../src/proxy/bootstrap/bootstrap.ts";
import { moduloHash, xxh64 } from "../src/proxy/hash/index.ts";
import { startProxy } from "../src/proxy/start-proxy.ts";
import { envoyIsMissing, startRealEnvoy } from "../src/proxy/testing/real-envoy.ts";
import { buildBootstrap } from "../src/runtime/bootstrap.ts";
import { buildMesh, viewFor } from "../src/translate/index.ts";
import { resourcesOf } from "../src/translate/resources-of.fixture.ts";
import { eventually, startTestServer, type TestServer } from "../src/xds-server/testing/test-server.ts";
import { generate } from "../src/xds/index.ts";
import { binomialMargin } from "./load.ts";
import { type Mesh, meshText } from "../src/xds/routes/sticky-mesh.fixture.ts";

const LABELS = { istio: "ingressgateway" };
const bootstrapFor = (xdsPort: number): Readonly<Record<string, unknown>> => {
  const whole = buildBootstrap({
    type: "router",
    pod: "edge-1",
    namespace: "default",
    labels: LABELS,
    annotations: {},
    serviceAccount: "default",
    workload: "edge",
    adminPort: 0,
    xdsPort,
    httpProxyPort: undefined,
    settings: { metadata: {}, proxyConfig: undefined, runtimeValues: {}, connectionLimit: undefined },
  }) as Record<string, unknown>;
  const { admin: _admin, ...rest } = whole;
  return rest;
};

function resourcesFor(mesh: Mesh, virtualHostDiscovery: boolean): XdsResources {
  const { node } = bootstrapFor(0) as { node: { id: string; metadata: unknown } };
  const parsed = parseNode({ ...node, virtualHostDiscovery });
  if (!parsed.ok) throw new Error(parsed.error);
  const snapshot = buildMesh({ resources: resourcesOf(meshText(mesh)), meshConfig: mesh.meshConfig });
  return generate({ config: viewFor(snapshot, parsed.value), inbound: { ports: [], undeclared: [] }, endpoints: snapshot.endpoints });
}

const HEADER = "{consistentHash: {httpHeaderName: x-user, ringHash: {}}}";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

interface Gateway {
  readonly port: number;
  /** Resolves when the gateway has it. */
  set(mesh: Omit<Mesh, "port">): Promise<void>;
}

type Start = (bootstrap: Readonly<Record<string, unknown>>) => Promise<void>;

const PLANES: Readonly<Record<"serin" | "envoy", Start>> = {
  async serin(bootstrap) {
    const proxy = await startProxy({ bootstrap: decodeBootstrap(bootstrap) });
    stops.push(() => proxy.stop());
  },
  async envoy(bootstrap) {
    const envoy = await startRealEnvoy(bootstrap);
    stops.push(() => envoy.stop());
  },
};

async function startGateway(plane: keyof typeof PLANES, first: Omit<Mesh, "port">): Promise<Gateway> {
  const port = await freePort();
  let revision = 1;
  const server: TestServer = await startTestServer(resourcesFor({ ...first, port }, true));
  stops.push(() => server.stop());
  await PLANES[plane](bootstrapFor(server.port));
  const live = (): Promise<void> =>
    eventually(`the gateway has revision ${revision}`, () => (server.streams[0]?.ackedRevision() ?? 0) >= revision);
  await live();
  return {
    port,
    async set(mesh) {
      server.set(resourcesFor({ ...mesh, port }, true), ++revision);
      await live();
    },
  };
}

interface Answer {
  readonly version: string;
  readonly endpoint: string;
  readonly cookies: readonly string[];
}

const CONNECTIONS = 16;
const ANSWER = /^HTTP\/1\.1 \d+[^\r]*\r\n((?:[^\r]+\r\n)*)\r\n/;

function field(head: string, name: string): readonly string[] {
  const start = `${name}: `;
  return head.split("\r\n").flatMap((line) => (line.startsWith(start) ? [line.slice(start.length)] : []));
}

/** Answers to requests of which each is a block of header lines, over a few connections. */
async function ask(port: number, requests: readonly string[]): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const over = async (own: readonly number[]): Promise<void> => {
    const socket = net.connect(port, "127.0.0.1");
    let text = "";
    let next = 0;
    await new Promise<void>((done, fail) => {
      socket.setEncoding("latin1");
      socket.on("error", fail);
      socket.on("close", () => (next === own.length ? done() : fail(new Error(`closed after ${next} of ${own.length} answers`))));
      const send = (): void => {
        if (next === own.length) socket.end();
        else socket.write(`GET / HTTP/1.1\r\nhost: shop.example.com\r\n${requests[own[next] as number]}\r\n`, "latin1");
      };
      socket.on("connect", send);
      socket.on("data", (part: string) => {
        text += part;
        const match = ANSWER.exec(text);
        if (match === null) return;
        const head = match[1] as string;
        if (match[0].length + Number(field(head, "content-length")[0] ?? 0) > text.length) return;
        answers[own[next++] as number] = {
          version: field(head, "x-version").join(),
          endpoint: field(head, "x-endpoint").join(),
          cookies: field(head, "set-cookie"),
        };
        text = "";
        send();
      });
    });
  };
  const own = Array.from({ length: CONNECTIONS }, (_, c) => requests.map((_, i) => i).filter((i) => i % CONNECTIONS === c));
  await Promise.all(own.filter((list) => list.length > 0).map(over));
  return answers;
}

const USERS = Array.from({ length: 10_000 }, (_, i) => `user-${i}`);
const byHeader = (users: readonly string[]): string[] => users.map((user) => `x-user: ${user}\r\n`);
/** An upstream that answers at once and says who it is. */
async function startEndpoint(): Promise<number> {
  const server = net.createServer((socket) => {
    let rest = "";
    socket.setEncoding("latin1");
    socket.on("error", () => socket.destroy());
    socket.on("data", (part: string) => {
      rest += part;
      const requests = rest.split("\r\n\r\n");
      rest = requests.pop() as string;
      const { port } = server.address() as AddressInfo;
      socket.write(`HTTP/1.1 200 OK\r\nx-endpoint: ${port}\r\ncontent-length: 0\r\n\r\n`.repeat(requests.length));
    });
    stops.push(() => socket.destroy());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  stops.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const missing = envoyIsMissing();

describe.each(["serin", "envoy"] as const)("%s", (plane) => {
  const skip = plane === "envoy" && missing;

  test.skipIf(skip)(
    "10,000 users, 0 → 100 → 0: each changes version at most once a way, and every share is within its bound",
    async () => {
      const steps = [0, 1, 10, 50, 90, 100];
      const way = [...steps, ...steps.slice(0, -1).toReversed()];
      const at = (v2: number): Omit<Mesh, "port"> => ({ weights: { v1: 100 - v2, v2 }, loadBalancer: HEADER });
      const gateway = await startGateway(plane, at(0));
      const changes = { up: USERS.map(() => 0), down: USERS.map(() => 0) };
      let before: readonly string[] = USERS.map(() => "v1");
      for (const [i, v2] of way.entries()) {
        await gateway.set(at(v2));
        // Without endpoints: whose answer it would have been stands in the gateway's own.
        const versions = (await ask(gateway.port, byHeader(USERS))).map(({ version }) => version);
        const expected = USERS.map((user) => (moduloHash(xxh64(user), 1_000_000_000) < 10_000_000 * (100 - v2) ? "v1" : "v2"));
        expect(versions).toEqual(expected);
        const direction = i < steps.length ? "up" : "down";
        for (const [user, version] of versions.entries()) {
          if (version === before[user]) continue;
          expect(version).toBe(direction === "up" ? "v2" : "v1");
          changes[direction][user] = (changes[direction][user] as number) + 1;
        }
        const share = versions.filter((version) => version === "v2").length / USERS.length;
        expect(Math.abs(share - v2 / 100)).toBeLessThanOrEqual(binomialMargin(USERS.length, v2 / 100));
        before = versions;
      }
      expect(new Set(changes.up)).toEqual(new Set([1]));
      expect(new Set(changes.down)).toEqual(new Set([1]));
    },
    120_000,
  );

  test.skipIf(skip).each([
    ["maglev", "maglev: {tableSize: 65537}"],
    ["a ring", "ringHash: {minimumRingSize: 100000}"],
  ])(
    "which endpoint of a subset a user gets does not depend on why the subset was theirs (%s)",
    async (_, algorithm) => {
      const endpoints = await Promise.all(
        Array.from({ length: 6 }, async (_, i) => ({ port: await startEndpoint(), version: i < 3 ? "v1" : "v2" })),
      );
      const loadBalancer = `{consistentHash: {httpHeaderName: x-user, ${algorithm}}}`;
      const gateway = await startGateway(plane, { weights: { v1: 70, v2: 30 }, loadBalancer, endpoints });
      const answers = await ask(gateway.port, byHeader(USERS));
      for (const version of ["v1", "v2"]) {
        const own = answers.filter((answer) => answer.version === version);
        for (const { port } of endpoints.filter((one) => one.version === version)) {
          const here = own.filter(({ endpoint }) => endpoint === String(port)).length;
          // The parts of a ring are not quite equal themselves.
          const uneven = algorithm.startsWith("ring") ? 0.01 : 0;
          expect(Math.abs(here / own.length - 1 / 3)).toBeLessThanOrEqual(binomialMargin(own.length, 1 / 3) + uneven);
        }
      }
    },
    60_000,
  );

  test.skipIf(skip)(
    "who has no key gets a cookie, and with it the version of the first answer",
    async () => {
      const endpoints = await Promise.all(["v1", "v2"].map(async (version) => ({ port: await startEndpoint(), version })));
      const gateway = await startGateway(plane, { weights: { v1: 50, v2: 50 }, endpoints });
      // Those that ask to be traced too: Envoy writes that into the request's id.
      const visits = Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? "" : "x-client-trace-id: 1\r\nx-envoy-force-trace: 1\r\n"));
      const first = await ask(gateway.port, visits);
      const given = first.map(({ cookies }) => {
        expect(cookies).toHaveLength(1);
        expect(cookies[0]).toMatch(/^serin-share-shop=[0-9a-f]{8}-[0-9a-f]{4}; Max-Age=2592000; Path=\/; HttpOnly$/);
        return (cookies[0] as string).split(";")[0] as string;
      });
      expect(new Set(given).size).toBe(given.length);
      const share = first.filter(({ version }) => version === "v2").length / first.length;
      expect(Math.abs(share - 0.5)).toBeLessThanOrEqual(binomialMargin(first.length, 0.5));
      const again = await ask(
        gateway.port,
        given.map((cookie, i) => (i % 2 === 0 ? `cookie: theme=dark; ${cookie}\r\n` : `cookie: ${cookie}; a=b\r\n`)),
      );
      expect(again.map(({ version }) => version)).toEqual(first.map(({ version }) => version));
      expect(again.flatMap(({ cookies }) => cookies)).toEqual([]);
    },
    60_000,
  );
});
