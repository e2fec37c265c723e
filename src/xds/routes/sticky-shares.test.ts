// Shares of users, as the gateway is told of them. What comes of it is seen in e2e/sticky-shares.test.ts.
import { describe, expect, test } from "vitest";
import { anyToProtoJson, packBytes } from "../../envoy-api/index.ts";
import { TYPE_URL } from "../../kit/index.ts";
import { viewOf } from "../../translate/view-of.fixture.ts";
import { generate } from "../index.ts";
import { type Mesh, meshText } from "./sticky-mesh.fixture.ts";

function tableFor(over: Partial<Mesh>, more = ""): Uint8Array {
  const text = meshText({ port: 8080, weights: { v1: 90, v2: 10 }, ...over });
  const resources = generate(viewOf(text + more, { type: "router", mesh: over.meshConfig }));
  const [table] = [...(resources.byType.get(TYPE_URL.route)?.values() ?? [])];
  if (table === undefined) throw new Error("no route table");
  return table.bytes;
}

const HEADER = "{consistentHash: {httpHeaderName: x-user, ringHash: {}}}";

describe("what the gateway is told", () => {
  interface SentRoute {
    readonly match: { readonly headers?: readonly unknown[]; readonly query_parameters?: readonly unknown[] };
    readonly route: {
      readonly cluster?: string;
      readonly weighted_clusters?: { readonly clusters: readonly { readonly name: string; readonly weight: number }[] };
      readonly hash_policy?: readonly unknown[];
    };
    readonly response_headers_to_add?: readonly { readonly header: { readonly key: string; readonly value: string } }[];
  }

  function routesFor(over: Partial<Mesh>): readonly SentRoute[] {
    const json = anyToProtoJson(packBytes(TYPE_URL.route, tableFor(over))) as unknown as {
      readonly virtual_hosts: readonly { readonly routes: readonly SentRoute[] }[];
    };
    return json.virtual_hosts[0]?.routes ?? [];
  }

  const cookiesSet = (route: SentRoute | undefined): readonly string[] =>
    (route?.response_headers_to_add ?? []).filter(({ header }) => header.key === "set-cookie").map(({ header }) => header.value);
  const shares = (route: SentRoute | undefined): Readonly<Record<string, number>> =>
    Object.fromEntries(route?.route.weighted_clusters?.clusters.map(({ name, weight }) => [name.split("|")[2] ?? "", weight]) ?? []);

  test("without the annotation, or with another value, weights stay as Istio has them", () => {
    for (const annotations of ["", `serin.dev/sticky-shares: "false"`, `serin.dev/sticky-shares: "yes"`]) {
      const [only, ...more] = routesFor({ annotations });
      expect(more).toEqual([]);
      expect(shares(only)).toEqual({ v1: 90, v2: 10 });
    }
  });

  test("the ranges are those of the shares, in the order of the versions, whatever the weights add up to", () => {
    expect(shares(routesFor({ weights: { v1: 90, v2: 10 } })[0])).toEqual({ v1: 900_000_000, v2: 100_000_000 });
    const [first] = routesFor({ weights: { v10: 1, v2: 1, v1: 1 } });
    expect(Object.entries(shares(first))).toEqual([
      ["v1", 333_333_333],
      ["v2", 333_333_334],
      ["v10", 333_333_333],
    ]);
    expect(shares(routesFor({ weights: { v1: 100, v2: 0 } })[0])).toEqual({ v1: 1_000_000_000 });
  });

  test("one destination needs no shares", () => {
    const [only, ...more] = routesFor({ weights: { v1: 100 } });
    expect(more).toEqual([]);
    expect(only?.route.cluster).toBe("outbound|80|v1|shop.default.svc.cluster.local");
  });

  test("source addresses: there is always one", () => {
    const [only, ...more] = routesFor({ loadBalancer: "{consistentHash: {useSourceIp: true}}" });
    expect(more).toEqual([]);
    expect(only?.route.hash_policy).toEqual([{ connection_properties: { source_ip: true } }]);
  });

  test("a cookie: who has it is placed by it, who has not gets it", () => {
    const cookie = "{consistentHash: {httpCookie: {name: sid, ttl: 90s, attributes: [{name: SameSite, value: 100%}]}}}";
    const [given, issued, ...more] = routesFor({ loadBalancer: cookie });
    expect(more).toEqual([]);
    expect(given?.match.headers).toMatchObject([{ name: "cookie" }]);
    expect(given?.route.hash_policy).toMatchObject([{ cookie: { name: "sid" } }]);
    expect(cookiesSet(given)).toEqual([]);
    expect(issued?.match.headers).toBeUndefined();
    expect(issued?.route.hash_policy).toMatchObject([{ header: { header_name: "x-request-id" } }]);
    expect(cookiesSet(issued)).toEqual(["sid=%REQ(x-request-id):13%; Max-Age=90; Path=/; SameSite=100%%; HttpOnly"]);
  });

  test.each([
    ["nothing", undefined, 2],
    ["a header", HEADER, 3],
    ["a query parameter", "{consistentHash: {httpQueryParameterName: user}}", 3],
    ["another balancer", "{simple: RANDOM}", 2],
  ])("%s: the cookie of the VirtualService stands in", (_, loadBalancer, count) => {
    const routes = routesFor({ ...(loadBalancer === undefined ? {} : { loadBalancer }) });
    expect(routes).toHaveLength(count);
    expect(cookiesSet(routes.at(-1))).toEqual(["serin-share-shop=%REQ(x-request-id):13%; Max-Age=2592000; Path=/; HttpOnly"]);
    for (const route of routes.slice(0, -1)) expect(cookiesSet(route)).toEqual([]);
    for (const route of routes) expect(shares(route)).toEqual({ v1: 900_000_000, v2: 100_000_000 });
  });

  test("where requests have no id, the proxy makes the cookie", () => {
    const meshConfig = { defaultConfig: { proxyHeaders: { requestId: { disabled: true } } } };
    const [only, ...more] = routesFor({ meshConfig });
    expect(more).toEqual([]);
    expect(only?.route.hash_policy).toMatchObject([{ cookie: { name: "serin-share-shop", path: "/" } }]);
  });

  test("the field that the API lacks is on the wire, also of a table that an EnvoyFilter patched", () => {
    const filter = `---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: longer, namespace: default}
spec:
  configPatches:
  - applyTo: HTTP_ROUTE
    match: {context: GATEWAY}
    patch: {operation: MERGE, value: {route: {timeout: 7s}}}
`;
    const field = Buffer.from([(5 << 3) | 2, 2, 8, 1]);
    expect(Buffer.from(tableFor({ loadBalancer: HEADER })).includes(field)).toBe(true);
    const patched = tableFor({ loadBalancer: HEADER }, filter);
    expect(JSON.stringify(anyToProtoJson(packBytes(TYPE_URL.route, patched)))).toContain('"timeout":"7s"');
    expect(Buffer.from(patched).includes(field)).toBe(true);
    expect(Buffer.from(tableFor({ annotations: "" })).includes(field)).toBe(false);
  });
});
