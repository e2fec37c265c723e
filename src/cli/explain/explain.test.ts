import { describe, expect, test } from "vitest";
import { parseNode } from "../../model/index.ts";
import { decodeResources } from "../../proxy/matcher.ts";
import { parseMeshConfig, parseSources } from "../../resources/index.ts";
import { buildMesh, inboundFor, viewFor } from "../../translate/index.ts";
import { generate } from "../../xds/index.ts";
import { chooseArrival } from "./arrival.ts";
import { parseCurlArgs } from "./curl-args.ts";
import { explain, noListener } from "./explain.ts";
import type { Explanation } from "./explanation.ts";

const MESH = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.example.com"]}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: shop, namespace: default}
spec:
  hosts: [shop.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints:
  - {address: 127.0.0.1, ports: {http: 31001}, labels: {version: v1}}
  - {address: 127.0.0.1, ports: {http: 31002}, labels: {version: v2}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop, namespace: default}
spec:
  host: shop
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}, {name: v3, labels: {version: v3}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec:
  hosts: [shop, shop.example.com]
  gateways: [mesh, istio-system/edge]
  http:
  - match: [{uri: {prefix: /old}}]
    redirect: {uri: /new, authority: new.example.com}
  - match: [{uri: {exact: /admin}}]
    fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
    route: [{destination: {host: shop, subset: v1}}]
  - match: [{headers: {cookie: {regex: "^(.*?;)?(user=tester)(;.*)?$"}}}]
    fault: {delay: {fixedDelay: 5s, percentage: {value: 100}}, abort: {httpStatus: 500, percentage: {value: 50}}}
    rewrite: {uri: /tested, authority: tested.example.com}
    headers: {request: {set: {x-was: "%REQ(:PATH)%"}, remove: [cookie]}}
    route: [{destination: {host: shop, subset: v2}}]
  - match: [{uri: {prefix: /none}}]
    route: [{destination: {host: shop, subset: v3}}]
  - timeout: 3s
    route:
    - {destination: {host: shop, subset: v1}, weight: 75}
    - {destination: {host: shop, subset: v2}, weight: 25, headers: {request: {set: {x-canary: "yes"}}}}
`;

function ask(type: "sidecar" | "router", args: string): Explanation {
  const snapshot = buildMesh({
    resources: parseSources([{ file: "mesh.yaml", text: MESH }]).resources,
    meshConfig: parseMeshConfig({ file: "mesh-config.yaml", text: "proxyHttpPort: 15007" }).value,
  });
  const labels = type === "router" ? { istio: "ingressgateway" } : { app: "client" };
  const node = parseNode({
    id: `${type}~10.9.9.9~p.default~default.svc.cluster.local`,
    metadata: { NAMESPACE: "default", LABELS: labels },
  });
  const request = parseCurlArgs(args.split(" "));
  if (!node.ok || !request.ok) throw new Error("the test's own input");
  const view = viewFor(snapshot, node.value);
  const config = decodeResources(generate({ config: view, inbound: inboundFor(snapshot, node.value), endpoints: snapshot.endpoints }));
  const arrival = chooseArrival(request.value, { view, config, port: undefined });
  return typeof arrival === "string" ? noListener(request.value, arrival) : explain(request.value, arrival, config);
}

describe.each(["sidecar", "router"] as const)("at a %s", (type) => {
  const host = type === "sidecar" ? "http://shop" : "http://shop.example.com";

  test("shares of a split, the request as the larger one gets it", () => {
    const got = ask(type, `${host}/a?b=c`);
    expect(got.clusters).toEqual([
      { name: "outbound|80|v1|shop.default.svc.cluster.local", weight: 75 },
      { name: "outbound|80|v2|shop.default.svc.cluster.local", weight: 25 },
    ]);
    expect(got).toMatchObject({ status: null, request: { path: "/a?b=c" } });
    expect(got.request.headers).not.toHaveProperty("x-canary");
    expect(got.endpoints.map(({ address }) => address)).toEqual(["127.0.0.1:31001", "127.0.0.1:31002"]);
    expect(got.why.join("\n")).toMatch(/rule 3 does not match: header cookie is not there/);
    expect(got.why).toContain("timeout 3000 ms");
  });

  test("the path that counts is the one the proxy reads", () => {
    const got = ask(type, `--path-as-is ${host}/a/../admin`);
    expect(got).toMatchObject({ status: 418, endpoints: [] });
    expect(got.why).toContain("the path is read as /admin");
    expect(got.why.at(-1)).toMatch(/answers 418, with \d+ bytes \(fault_filter_abort\)/);
  });

  test("what a rule does to the request; faults for some of the requests are left out, delays waited for", () => {
    const got = ask(type, `-b user=tester ${host}/x?y`);
    expect(got).toMatchObject({
      status: null,
      clusters: [{ name: "outbound|80|v2|shop.default.svc.cluster.local", weight: 100 }],
      request: { path: expect.stringMatching(/^\/tested/), authority: "tested.example.com" },
    });
    expect(got.request.headers).toMatchObject({ "x-was": "/x?y", "x-envoy-original-path": "/x?y" });
    expect(got.request.headers).not.toHaveProperty("cookie");
  });

  test.each<[string, number, RegExp]>([
    ["/old/x?y=z", 301, /^301 to http:\/\/new.example.com\/new\?y=z$/],
    ["/none", 503, /has no endpoint: 503$/],
  ])("%s is answered %i", (path, status, why) => {
    const got = ask(type, host + path);
    expect(got.status).toBe(status);
    expect(got.why.at(-1)).toMatch(why);
  });
});

test("a host that nobody serves, at a gateway", () => {
  const got = ask("router", "http://shop.example.org/");
  expect(got).toMatchObject({ virtualHost: null, route: null, status: 404 });
  expect(got.why.join("\n")).toMatch(/no virtual host of http\.\d+ has the domain shop\.example\.org/);
});
