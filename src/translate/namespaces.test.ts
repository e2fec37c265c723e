import { describe, expect, test } from "vitest";
import { parseNode } from "../model/index.ts";
import { buildMesh, checkReferences, viewFor } from "./index.ts";
import { matchesSelector } from "./namespaces.ts";
import { resourcesOf } from "./resources-of.fixture.ts";

const namespace = (name: string, labels: string): string => `
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {${labels}}}`;

const entry = (namespace: string, host: string, rest = ""): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${host.replaceAll(/\W/g, "-")}, namespace: ${namespace}}
spec:
  hosts: [${host}]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 10.0.0.1}]
  ${rest}`;

const TEXT = [
  namespace("shop", "team: shop, env: prod"),
  namespace("lab", "team: lab"),
  entry("shop", "a.shop"),
  entry("lab", "a.lab"),
  entry("lab", "named.lab", "exportTo: [shop]"),
  entry("unwritten", "a.unwritten"),
].join("\n---\n");

const meshOf = (meshConfig: unknown, text = TEXT) => buildMesh({ resources: resourcesOf(text), meshConfig });
type Mesh = ReturnType<typeof meshOf>;

/** Hosts that a sidecar of this namespace has clusters for. */
function hostsFor(mesh: Mesh, namespace: string): readonly string[] {
  const node = parseNode({
    id: `sidecar~10.9.9.9~client-1.${namespace}~${namespace}.svc.cluster.local`,
    metadata: { NAMESPACE: namespace },
  });
  if (!node.ok) throw new Error(node.error);
  return viewFor(mesh, node.value)
    .clusters.map(({ service }) => service.hostname)
    .sort();
}

describe("a label selector", () => {
  const labels = { team: "shop", env: "prod" };
  test.each<[object, boolean]>([
    [{ matchLabels: { team: "shop", env: "prod" } }, true],
    [{ matchLabels: { team: "lab" } }, false],
    [{}, true],
    [{ matchExpressions: [{ key: "env", operator: "In", values: ["dev", "prod"] }] }, true],
    [{ matchExpressions: [{ key: "none", operator: "In", values: ["x"] }] }, false],
    [{ matchExpressions: [{ key: "none", operator: "NotIn", values: ["x"] }] }, true],
    [{ matchExpressions: [{ key: "env", operator: "NotIn", values: ["prod"] }] }, false],
    [{ matchExpressions: [{ key: "env", operator: "Exists", values: [] }] }, true],
    [{ matchExpressions: [{ key: "env", operator: "DoesNotExist", values: [] }] }, false],
    [{ matchExpressions: [{ key: "constructor", operator: "Exists", values: [] }] }, false],
    [{ matchLabels: { team: "shop" }, matchExpressions: [{ key: "env", operator: "DoesNotExist", values: [] }] }, false],
  ])("%j: %s", (selector, expected) => {
    expect(matchesSelector({ matchLabels: {}, matchExpressions: [], ...selector }, labels)).toBe(expected);
  });
});

describe("discoverySelectors", () => {
  test("leave out whole namespaces, those too that nobody wrote down; one of several is enough", () => {
    const selectors = [{ matchLabels: { team: "none" } }, { matchExpressions: [{ key: "env", operator: "Exists" }] }];
    const mesh = meshOf({ discoverySelectors: selectors });
    expect(hostsFor(mesh, "lab")).toEqual(["a.shop"]);
    const told = checkReferences(mesh, () => undefined).filter(({ code }) => code === "SERIN0213");
    expect(told.map(({ resource, severity }) => [resource.name, severity])).toEqual([
      ["a-lab", "info"],
      ["named-lab", "info"],
      ["a-unwritten", "info"],
    ]);
  });

  test("a namespace that gets the label is discovered, and without selectors all are", () => {
    const mesh = meshOf({ discoverySelectors: [{ matchLabels: { found: "yes" } }] });
    expect(hostsFor(mesh, "shop")).toEqual([]);
    const labelled = TEXT.replace("team: lab", "team: lab, found: 'yes'");
    const next = buildMesh(
      { resources: resourcesOf(labelled), meshConfig: { discoverySelectors: [{ matchLabels: { found: "yes" } }] } },
      mesh,
    );
    expect(hostsFor(next, "shop")).toEqual(["a.lab", "named.lab"]);
    expect(hostsFor(meshOf({}), "shop")).toEqual(["a.lab", "a.shop", "a.unwritten", "named.lab"]);
  });
});

// Newer than istiod 1.29, which does not know it.
describe("serviceEntryVisibility", () => {
  const policy = (visibility: string, ...rules: object[]) => ({
    visibility,
    matchingRules: rules.map((namespaceSelector) => ({ namespaceSelector })),
  });
  const visibleWith = (rules: object, from: string) =>
    hostsFor(meshOf({ serviceEntryVisibility: { applyToSidecars: true, ...rules } }), from);

  test("narrows what exportTo says, by the first policy whose rules all fit", () => {
    const rules = { policies: [policy("NAMESPACE", { matchLabels: { team: "lab" } }), policy("NONE", {})] };
    expect(visibleWith(rules, "lab")).toEqual(["a.lab"]);
    expect(visibleWith(rules, "shop")).toEqual([]);
    const both = {
      policies: [policy("NONE", { matchLabels: { team: "shop" } }, { matchLabels: { env: "dev" } })],
      defaultVisibility: "NAMESPACE",
    };
    expect(visibleWith(both, "shop")).toEqual(["a.shop"]);
    expect(visibleWith(both, "unwritten")).toEqual(["a.unwritten"]);
  });

  test("a rule without a selector fits nothing; PUBLIC is as it was; without applyToSidecars it is not for us", () => {
    expect(visibleWith({ policies: [{ visibility: "NONE", matchingRules: [{}] }] }, "shop")).toContain("a.shop");
    expect(visibleWith({ policies: [policy("PUBLIC", {})], defaultVisibility: "NONE" }, "lab")).toContain("a.shop");
    const mesh = meshOf({ serviceEntryVisibility: { defaultVisibility: "NONE" } });
    expect(hostsFor(mesh, "shop")).toContain("a.shop");
  });
});
