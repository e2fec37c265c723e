import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseNode } from "../../model/index.ts";
import { buildMesh, viewFor } from "../index.ts";
import { nodeOf, resourcesOf } from "../resources-of.fixture.ts";

const SCENARIOS = join(import.meta.dirname, "../../../scenarios/hosts");

interface Case {
  readonly resources: string;
  readonly calls: readonly { readonly name: string; readonly url: string }[];
}

interface Answer {
  readonly status: number;
  readonly seen?: { readonly tls?: { readonly sni: string } };
}

/** The recorded cases show which rule a client used by the SNI that the rule sets. */
describe.each([
  "destination-rule-client-wildcard",
  "destination-rule-lookup-from-client-namespace",
  "destination-rule-workload-selector",
  "two-destination-rules-one-host",
])("%s, as real Istio answered", (name) => {
  const { resources, calls } = parse(readFileSync(join(SCENARIOS, `${name}.yaml`), "utf8")) as Case;
  const answers = JSON.parse(readFileSync(join(SCENARIOS, `${name}.expect.json`), "utf8")) as readonly Answer[];
  const node = parseNode(nodeOf("sidecar", "default", { app: "client", version: "v1" }));
  if (!node.ok) throw new Error(node.error);
  const view = viewFor(buildMesh({ resources: resourcesOf(resources) }), node.value);

  test.each(calls.map((call, index) => [call.name, call.url, answers[index]] as const))("%s", (_name, url, answer) => {
    const [, host = "", path = ""] = /^http:\/\/([^/]+)\/(.*)$/.exec(url) ?? [];
    const found =
      view.servicesByHost.get(host) ??
      view.servicesByHost.get(`${host}.svc.cluster.local`) ??
      view.servicesByHost.get(`${host}.default.svc.cluster.local`);
    if (found === undefined) throw new Error(`no service for ${host}`);
    const rule = found.destinationRule;
    // A path names a subset, as the case's VirtualService has it.
    const subset = path === "sub" ? "v1" : path;
    const known = subset === "" || rule?.subsets.some((one) => one.name === subset) === true;
    const sni = known ? rule?.policyFor(80, subset).tls?.sni : undefined;
    expect(sni).toBe(answer?.seen?.tls?.sni);
  });
});

describe("precedence", () => {
  const rule = (policy: string, subsets: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a, namespace: default}
spec: {host: a.default.svc.cluster.local, trafficPolicy: ${policy}, subsets: ${subsets}}
`;
  const POLICY = `{loadBalancer: {simple: RANDOM}, connectionPool: {tcp: {maxConnections: 7, connectTimeout: 1.5s}}, outlierDetection: {consecutive5xxErrors: 3},
    portLevelSettings: [{port: {number: 81}, connectionPool: {http: {maxRetries: 2}}}]}`;
  const SUBSETS = `[{name: plain, labels: {}}, {name: pool, labels: {}, trafficPolicy: {connectionPool: {http: {http2MaxRequests: 9}}}},
    {name: port, labels: {}, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}, portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: LEAST_CONN}}]}}]`;
  const [model] = buildMesh({ resources: resourcesOf(rule(POLICY, SUBSETS)) }).config.destinationRules;

  test.each([
    ["the host", 80, "", { simple: "RANDOM", maxConnections: 7, errors: 3 }],
    ["a port level of the host replaces everything", 81, "", { maxRetries: 2 }],
    ["a subset without a policy has the host's", 80, "plain", { simple: "RANDOM", maxConnections: 7, errors: 3 }],
    ["a subset's pool replaces the whole pool, the rest stays", 80, "pool", { simple: "RANDOM", http2: 9, errors: 3 }],
    ["a subset over a port level of the host", 81, "port", { simple: "ROUND_ROBIN", maxRetries: 2 }],
    ["a port level of the subset replaces everything", 80, "port", { simple: "LEAST_REQUEST" }],
  ])("%s", (_name, port, subset, expected) => {
    const policy = model?.policyFor(port, subset);
    const seen = {
      simple: policy?.loadBalancer?.simple,
      maxConnections: policy?.connectionPool?.tcp.maxConnections,
      maxRetries: policy?.connectionPool?.http.maxRetries,
      http2: policy?.connectionPool?.http.http2MaxRequests,
      errors: policy?.outlierDetection?.consecutive5xxErrors,
    };
    expect(Object.fromEntries(Object.entries(seen).filter(([, value]) => value !== undefined))).toEqual(expected);
    expect(model?.policyFor(port, subset)).toBe(policy);
  });
});
