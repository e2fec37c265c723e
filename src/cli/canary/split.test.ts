import { describe, expect, test } from "vitest";
import type { StoredResource } from "../../admin-api/index.ts";
import { parseWeights, setWeights } from "./split.ts";

function virtualService(http: unknown, name = "demo4-vs"): StoredResource {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name, namespace: "test1", creationTimestamp: "", uid: "", resourceVersion: "1", generation: 1 },
    spec: { hosts: ["demo4.a.com"], http },
  };
}

const to = (subset: string, weight?: number, host = "demo4.test1.svc.cluster.local") => ({
  destination: { host, subset },
  ...(weight === undefined ? {} : { weight }),
});

function weightsAfter(http: unknown, args: string[], target = "demo4"): unknown {
  const weights = parseWeights(args);
  if (!weights.ok) return weights.error;
  const result = setWeights(virtualService(http), { target: { name: target, namespace: undefined }, weights: weights.value });
  if (!result.ok) return result.error;
  return result.value.splits.map((split) => split.after.map(({ subset, weight }) => `${subset}=${weight}`).join(" "));
}

describe("weights", () => {
  const two = [{ route: [to("v1", 90), to("v2", 10)] }];
  test.each([
    ["two subsets", two, ["v2=25"], ["v1=75 v2=25"]],
    ["both given", two, ["v1=40", "v2=60"], ["v1=40 v2=60"]],
    ["all of it", two, ["v2=100"], ["v1=0 v2=100"]],
    ["nothing", two, ["v2=0"], ["v1=100 v2=0"]],
    ["three: the others keep their proportion", [{ route: [to("v1", 60), to("v2", 10), to("v3", 30)] }], ["v2=25"], ["v1=50 v2=25 v3=25"]],
    ["three: rounded to make 100", [{ route: [to("v1", 1), to("v2", 98), to("v3", 1)] }], ["v2=25"], ["v1=38 v2=25 v3=37"]],
    ["the others had nothing", [{ route: [to("v1", 0), to("v2", 100), to("v3", 0)] }], ["v2=50"], ["v1=25 v2=50 v3=25"]],
    [
      "each route that names both; single ones stay",
      [{ match: [{}], route: [to("v1", 50), to("v2", 50)] }, { route: [to("v1")] }],
      ["v2=5"],
      ["v1=95 v2=5"],
    ],
    ["no weights written", [{ route: [to("v1"), to("v2")] }], ["v2=25"], ["v1=75 v2=25"]],
    ["another host", [{ route: [to("v1", 90, "other"), to("v2", 10, "other")] }], ["v2=25"], []],
    ["unknown subset", two, ["v9=25"], []],
  ])("%s", (_name, http, args, expected) => {
    expect(weightsAfter(http, args)).toEqual(expected);
  });

  test.each([
    ["sum over 100", ["v1=60", "v2=60"], /120/],
    ["not enough, nobody else", ["v1=10", "v2=10"], /20/],
    ["no number", ["v2=x"], /SUBSET=PERCENT/],
    ["twice", ["v2=1", "v2=2"], /twice/],
  ])("refused: %s", (_name, args, message) => {
    expect(weightsAfter(two, args)).toMatch(message);
  });

  test("a route with another host in it is left to the user", () => {
    expect(weightsAfter([{ route: [to("v1", 50), to("v2", 20), to("v1", 30, "other")] }], ["v2=25"])).toMatch(/by hand/);
  });

  test.each(["demo4", "demo4.test1", "demo4.test1.svc.cluster.local", "demo4-vs", "test1/demo4-vs"])("found by %s", (target) => {
    expect(weightsAfter(two, ["v2=25"], target)).toEqual(["v1=75 v2=25"]);
  });

  test("nothing but the weights changes", () => {
    const http = [
      { name: "r", timeout: "5s", headers: { request: { set: { a: "b" } } }, route: [{ ...to("v1", 90), headers: {} }, to("v2", 10)] },
    ];
    const result = setWeights(virtualService(http), { target: { name: "demo4", namespace: "test1" }, weights: new Map([["v2", 25]]) });
    const expected = [{ ...http[0], route: [{ ...to("v1", 75), headers: {} }, to("v2", 25)] }];
    expect(result).toMatchObject({ ok: true, value: { document: virtualService(expected) } });
  });
});
