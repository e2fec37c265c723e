import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { destinationsOf, type HttpMatch, type HttpRoute, type StringMatch } from "../../model/index.ts";
import { buildMesh } from "../index.ts";
import { resourcesOf } from "../resources-of.fixture.ts";
import { matchCovers } from "../checks/shadowing.ts";
import { mergeRoute } from "./delegates.ts";
import { toHttpMatch } from "./matches.ts";

function http(spec: string): readonly HttpRoute[] {
  const text = `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: one, namespace: shop}, spec: {hosts: [a], http: ${spec}}}`;
  return buildMesh({ resources: resourcesOf(text) }).config.virtualServices[0]?.http ?? [];
}

describe("matches", () => {
  test('nothing, {}, and regex * mean that a header is there; exact "" means there and empty; names are sorted', () => {
    const match = toHttpMatch(
      { headers: { d: { regex: "*" }, c: { exact: "" }, b: {}, a: null }, withoutHeaders: { e: { regex: "*" } } },
      "x",
    );
    expect(match.headers).toEqual([
      ["a", { kind: "present" }],
      ["b", { kind: "present" }],
      ["c", { kind: "exact", value: "" }],
      ["d", { kind: "present" }],
    ]);
    expect(match.withoutHeaders).toEqual([["e", { kind: "present" }]]);
  });

  test('uri {} is no condition, prefix "" is one; method {} must be there', () => {
    expect(toHttpMatch({ uri: {}, method: {} }, "x")).toMatchObject({ uri: undefined, method: { kind: "present" } });
    expect(toHttpMatch({ uri: { prefix: "" } }, "x").uri).toEqual({ kind: "prefix", value: "" });
    expect(toHttpMatch(null, "x").headers).toEqual([]);
  });
});

describe("actions", () => {
  test("durations, defaults and old fields", () => {
    const [route, redirect, direct] =
      http(`[{route: [{destination: {host: a}}], timeout: 1.5s, retries: {attempts: 2, perTryTimeout: 250ms, retryOn: "503", backoff: 10ms},
      fault: {delay: {percent: 30, fixedDelay: 2s}, abort: {httpStatus: 418}}, mirror: {host: m}, mirrorPercent: 7,
      corsPolicy: {allowOrigin: ["*"], maxAge: 24h}, headers: {request: {set: {b: "1", a: "2"}, remove: [z]}}, match: [{uri: {prefix: /a}}]},
      {match: [{uri: {prefix: /b}}], redirect: {uri: /x}}, {directResponse: {status: 503, body: {bytes: aGk=}}}]`);
    expect(route).toMatchObject({
      timeoutMs: 1500,
      retries: { attempts: 2, perTryTimeoutMs: 250, retryOn: "503", backoffMs: 10 },
      fault: { delay: { fixedDelayMs: 2000, percentage: 30 }, abort: { httpStatus: 418, percentage: 0 } },
      mirrors: [{ destination: { host: "m.shop.svc.cluster.local" }, percentage: 7 }],
      corsPolicy: { allowOrigins: [{ kind: "exact", value: "*" }], maxAgeMs: 86_400_000 },
      headers: {
        request: {
          set: [
            ["a", "2"],
            ["b", "1"],
          ],
          add: [],
          remove: ["z"],
        },
        response: { set: [] },
      },
    });
    expect(redirect?.redirect).toMatchObject({ redirectCode: 301, uri: "/x" });
    expect(direct?.directResponse?.body).toEqual({ bytes: new Uint8Array([104, 105]) });
  });

  test("every destination of a route is found, mirrors too, and weights are kept as written", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.integer({ min: 1, max: 1000 })), { minLength: 1, maxLength: 5 }),
        (list) => {
          const route = list.map(([host, weight]) => ({ destination: { host }, weight }));
          const [model] = http(JSON.stringify([{ route, mirrors: [{ destination: { host: "m" }, percentage: { value: 0.5 } }] }]));
          expect(model?.route.map((one) => one.weight)).toEqual(list.map(([, weight]) => weight));
          expect(model === undefined ? [] : destinationsOf(model).map((one) => one.host)).toEqual(
            [...list.map(([host]) => host), "m"].map((host) => `${host}.shop.svc.cluster.local`),
          );
        },
      ),
      { numRuns: 50 },
    );
  });
});

const text = fc.constantFrom("/", "/a", "/a/b", "/b", "x");
const value = fc.oneof(
  text.map((value): StringMatch => ({ kind: "exact", value })),
  text.map((value): StringMatch => ({ kind: "prefix", value })),
);
const ANY: HttpMatch = toHttpMatch(null, "x");
const match: fc.Arbitrary<HttpMatch> = fc
  .record({
    uri: fc.option(value, { nil: undefined }),
    method: fc.option(value, { nil: undefined }),
    headers: fc.option(value, { nil: undefined }).map((one): HttpMatch["headers"] => (one === undefined ? [] : [["h", one]])),
  })
  .map((part) => ({ ...ANY, ...part }));
const [EMPTY] = http("[{route: [{destination: {host: a}}]}]");
if (EMPTY === undefined) throw new Error("no rule");
const rule = fc.array(match, { maxLength: 3 }).map((matches): HttpRoute => ({ ...EMPTY, match: matches }));

describe("merging a delegate", () => {
  test("whatever survives is no wider than the root and no wider than the delegate", () => {
    fc.assert(
      fc.property(rule, rule, (root, leaf) => {
        const merged = mergeRoute(root, leaf);
        const withinOf = (wide: readonly HttpMatch[], narrow: HttpMatch): boolean =>
          wide.length === 0 || wide.some((one) => matchCovers(one, narrow));
        const wider = (merged?.match ?? []).filter((narrow) => !withinOf(root.match, narrow) || !withinOf(leaf.match, narrow));
        expect(wider).toEqual([]);
        const becameCatchAll = merged !== undefined && merged.match.length === 0 && root.match.length + leaf.match.length > 0;
        expect(becameCatchAll).toBe(false);
      }),
    );
  });

  test("a regex on either side contradicts any other value", () => {
    const regex = (pattern: string): HttpRoute => ({ ...EMPTY, match: [{ ...ANY, uri: { kind: "regex", value: pattern } }] });
    const prefix: HttpRoute = { ...EMPTY, match: [{ ...ANY, uri: { kind: "prefix", value: "/" } }] };
    expect(mergeRoute(regex("/a"), prefix)).toBeUndefined();
    expect(mergeRoute(prefix, regex("/a"))).toBeUndefined();
    expect(mergeRoute(regex("/a"), regex("/a"))).toBeUndefined();
  });
});
