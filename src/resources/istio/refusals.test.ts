// What real istiod refuses and accepts at load, each asked alone. A refusal refuses the whole resource.
import { describe, expect, test } from "vitest";
import { parseSources } from "../parse-sources.ts";

function errorsOf(kind: string, spec: string): readonly string[] {
  const text = `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: x, namespace: default}\nspec: ${spec}\n`;
  const { issues, resources } = parseSources([{ file: "x.yaml", text }]);
  const errors = issues.filter((issue) => issue.severity === "error");
  expect(resources).toHaveLength(errors.length === 0 ? 1 : 0);
  return errors.map((issue) => issue.message);
}

const ROUTE = "route: [{destination: {host: demo}}]";
const matching = (match: string): string => `{hosts: [demo], http: [{match: [${match}], ${ROUTE}}]}`;
const doing = (rule: string): string => `{hosts: [demo], http: [{${rule}}]}`;

describe("VirtualService", () => {
  test.each([
    '{uri: {regex: "(?=a)"}}',
    '{headers: {x: {regex: "(?!a)b"}}}',
    '{uri: {regex: "(a)\\\\1"}}',
    '{uri: {regex: "*"}}',
    '{headers: {x: {regex: "*"}}}',
    '{uri: {regex: ""}}',
    `{uri: {regex: "${"a".repeat(1025)}"}}`,
    '{uri: {regex: "a{1001}"}}',
    '{uri: {regex: "["}}',
    '{headers: {x: {prefix: ""}}}',
    '{withoutHeaders: {x: {prefix: ""}}}',
    '{queryParams: {x: {prefix: ""}}}',
    '{method: {prefix: ""}}',
    '{authority: {prefix: ""}}',
    '{headers: {"x y": {exact: a}}}',
    '{headers: {"": {exact: a}}}',
    '{headers: {":protocol": {exact: a}}}',
    "{port: 65536}",
    "{port: -1}",
    '{sourceNamespace: "a.b"}',
    '{sourceLabels: {"a b": c}}',
    "{gateways: [a/b/c]}",
  ])("the match %s is refused", (match) => {
    expect(errorsOf("VirtualService", matching(match))).not.toEqual([]);
  });

  test.each([
    '{uri: {prefix: ""}}',
    '{uri: {exact: ""}}',
    '{headers: {x: {exact: ""}}}',
    "{headers: {x: null}}",
    "{headers: {x: {}}}",
    '{headers: {":path": {exact: /a}}}',
    '{withoutHeaders: {x: {regex: "*"}}}',
    '{queryParams: {"": {exact: a}}}',
    "{port: 0}",
    '{sourceLabels: {app: ""}}',
    "{gateways: [a.b]}",
  ])("the match %s is accepted", (match) => {
    expect(errorsOf("VirtualService", matching(match))).toEqual([]);
  });

  test.each([
    `timeout: 0s, ${ROUTE}`,
    `timeout: 1.0005s, ${ROUTE}`,
    `retries: {attempts: 1, perTryTimeout: 0s}, ${ROUTE}`,
    `retries: {attempts: 1, retryOn: "999"}, ${ROUTE}`,
    "route: [{destination: {host: demo}, weight: 0}, {destination: {host: b}, weight: 0}]",
    "route: [{destination: {host: demo, port: {number: 0}}}]",
    `redirect: {uri: /a}, ${ROUTE}`,
    "redirect: {uri: /a, redirectCode: 305}",
    `directResponse: {status: 200}, ${ROUTE}`,
    "timeout: 1s",
  ])("the rule %s is refused", (rule) => {
    expect(errorsOf("VirtualService", doing(rule))).not.toEqual([]);
  });

  test.each([
    ["nowhere", `{exportTo: ["~"], hosts: [demo], http: [{${ROUTE}}]}`],
    ["everywhere and somewhere", `{exportTo: ["*", a], hosts: [demo], http: [{${ROUTE}}]}`],
    ["every host of the mesh", `{hosts: ["*"], http: [{${ROUTE}}]}`],
    ["a delegate that delegates", "{http: [{delegate: {name: a}}]}"],
  ])("%s is refused", (_what, spec) => {
    expect(errorsOf("VirtualService", spec)).not.toEqual([]);
  });
});

describe("other kinds", () => {
  test.each([
    ["DestinationRule", '{host: a, exportTo: ["~"]}'],
    ["DestinationRule", "{host: a, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 10s, aggression: 0.5}}}}"],
    ["ServiceEntry", '{hosts: ["*"], resolution: NONE, ports: [{number: 80, name: a, protocol: HTTP}]}'],
    ["ServiceEntry", "{hosts: [a.b], resolution: STATIC, ports: [{number: 80, name: a, protocol: HTTP}], endpoints: [{address: a.b.c}]}"],
    ["ServiceEntry", '{hosts: ["*.b"], location: MESH_INTERNAL, resolution: DYNAMIC_DNS, ports: [{number: 80, name: a, protocol: HTTP}]}'],
    ["Sidecar", '{egress: [{hosts: ["*/*"]}, {port: {number: 80, protocol: HTTP, name: a}, hosts: ["*/*"]}]}'],
    ["Sidecar", '{outboundTrafficPolicy: {mode: REGISTRY_ONLY, egressProxy: {host: a.b, port: {number: 80}}}, egress: [{hosts: ["*/*"]}]}'],
    ["WorkloadGroup", "{template: {}, probe: {}}"],
  ])("%s %s is refused", (kind, spec) => {
    expect(errorsOf(kind, spec)).not.toEqual([]);
  });

  test.each([
    ["ServiceEntry", "{hosts: [a.b], resolution: NONE, ports: [{number: 80, name: a, protocol: HTTP, targetPort: 0}]}"],
    ["ServiceEntry", '{hosts: ["*.b"], resolution: DYNAMIC_DNS, ports: [{number: 80, name: a, protocol: HTTP}]}'],
    ["Sidecar", '{egress: [{port: {number: 0, protocol: HTTP, name: a}, bind: "unix:///a", hosts: ["*/*"]}]}'],
    ["WorkloadEntry", '{address: "unix:///a"}'],
  ])("%s %s is accepted", (kind, spec) => {
    expect(errorsOf(kind, spec)).toEqual([]);
  });
});
