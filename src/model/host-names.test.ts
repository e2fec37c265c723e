import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHostIndex, hostCovers, hostsOverlap, isWildcardHost } from "./index.ts";

const label = fc.constantFrom("a", "b", "aa", "shop", "x-api");
const exact = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const host = fc.oneof(
  exact,
  exact.map((name) => `*.${name}`),
  exact.map((name) => `*-${name}`),
  fc.constant("*"),
);

describe("host names", () => {
  test.each([
    ["*.example.com", "a.example.com", true],
    ["*.example.com", "a.b.example.com", true],
    ["*.example.com", "example.com", false],
    ["*.example.com", "*.a.example.com", true],
    ["*.a.example.com", "*.example.com", false],
    ["*-api.example.org", "pay-api.example.org", true],
    ["*", "*", true],
    ["a", "*", false],
  ])("%s covers %s: %s", (pattern, name, expected) => expect(hostCovers(pattern, name)).toBe(expected));

  test("the index finds what a scan for the longest covering name finds", () => {
    fc.assert(
      fc.property(fc.uniqueArray(host, { maxLength: 12 }), host, (names, wanted) => {
        const covering = names.filter((name) => hostCovers(name, wanted) && (isWildcardHost(name) || name === wanted));
        const longest = covering.includes(wanted) ? wanted : covering.sort((a, b) => b.length - a.length)[0];
        expect(createHostIndex(new Map(names.map((name) => [name, name]))).mostSpecific(wanted)).toBe(longest);
      }),
    );
  });

  test("covering is reflexive and transitive, overlapping symmetric", () => {
    fc.assert(
      fc.property(host, host, host, (a, b, c) => {
        expect(hostCovers(a, a)).toBe(true);
        const chained = hostCovers(a, b) && hostCovers(b, c);
        expect(!chained || hostCovers(a, c)).toBe(true);
        expect(hostsOverlap(a, b)).toBe(hostsOverlap(b, a));
      }),
    );
  });
});
