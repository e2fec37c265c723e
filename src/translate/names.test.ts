import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byAge, isVisible, resolveExportTo, resolveGateway, resolveHost, selects } from "./names.ts";

const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);

describe("names", () => {
  test.each([
    ["demo", "demo.shop.svc.cluster.local"],
    ["demo.default", "demo.default"],
    ["Demo", "Demo.shop.svc.cluster.local"],
    ["*", "*"],
    ["*.local", "*.local"],
    ["10.0.0.1", "10.0.0.1"],
    ["fe80::1", "fe80::1"],
    ["", ""],
  ])("host %s", (host, expected) => expect(resolveHost(host, "shop", "cluster.local")).toBe(expected));

  test.each([
    ["mesh", "mesh"],
    ["edge", "shop/edge"],
    ["./edge", "shop/edge"],
    ["istio-system/edge", "istio-system/edge"],
    ["edge.istio-system", "istio-system/edge"],
    ["edge.istio-system.svc.cluster.local", "istio-system/edge"],
  ])("gateway %s", (gateway, expected) => expect(resolveGateway(gateway, "shop")).toBe(expected));

  test("resolving is idempotent, and only the writer's namespace matters to a short name", () => {
    fc.assert(
      fc.property(label, label, label, (name, home, other) => {
        const host = resolveHost(name, home, "cluster.local");
        expect(resolveHost(host, other, "cluster.local")).toBe(host);
        const gateway = resolveGateway(name === "mesh" ? "edge" : name, home);
        expect(resolveGateway(gateway, other)).toBe(gateway);
        expect(resolveGateway(`${name}.${home}`, other)).toBe(`${home}/${name}`);
      }),
    );
  });

  test("exportTo: own namespace for a dot, the default when empty, ~ nowhere, * everywhere", () => {
    expect(resolveExportTo([".", "zoo"], "shop", ["*"])).toEqual(["shop", "zoo"]);
    expect(resolveExportTo([], "shop", ["."])).toEqual(["shop"]);
    expect(isVisible(["~"], "~")).toBe(false);
    fc.assert(
      fc.property(label, fc.array(label), (namespace, list) => {
        expect(isVisible([...list, "*"], namespace)).toBe(true);
        expect(isVisible(list, namespace)).toBe(list.includes(namespace));
      }),
    );
  });

  test("age, then name, then namespace is a total order", () => {
    const aged = fc.record({
      createdAt: fc.integer({ min: 0, max: 2 }),
      name: fc.constantFrom("a", "b"),
      namespace: fc.constantFrom("x", "y"),
    });
    fc.assert(
      fc.property(fc.array(aged), (list) => {
        const sorted = [...list].sort(byAge);
        expect(list.toReversed().sort(byAge)).toEqual(sorted);
      }),
    );
  });

  test("a selector chooses what has all of its labels, and own properties only", () => {
    expect(selects({ a: "1" }, { a: "1", b: "2" })).toBe(true);
    expect(selects({ a: "1", b: "3" }, { a: "1", b: "2" })).toBe(false);
    expect(selects({}, {})).toBe(true);
    expect(selects({ constructor: "x" }, {})).toBe(false);
  });
});
