import { describe, expect, test } from "vitest";
import { normalizePath, type PathRules } from "./path-normalize.ts";

const NONE: PathRules = { normalizePath: false, mergeSlashes: false, escapedSlashes: "KEEP_UNCHANGED" };
const BASE: PathRules = { ...NONE, normalizePath: true };
const MERGE: PathRules = { ...BASE, mergeSlashes: true };
const DECODE: PathRules = { ...MERGE, escapedSlashes: "UNESCAPE_AND_FORWARD" };

function result(path: string, rules: PathRules): string {
  const got = normalizePath(path, rules);
  return got.kind === "same" ? path : got.kind === "refused" ? "refused" : got.path;
}

describe("the four levels", () => {
  test.each<[string, string, string, string, string]>([
    ["//a//b", "//a//b", "//a//b", "/a/b", "/a/b"],
    ["/a/../b", "/a/../b", "/b", "/b", "/b"],
    ["/a/%2e%2E/b", "/a/%2e%2E/b", "/b", "/b", "/b"],
    ["/a%2Fb", "/a%2Fb", "/a%2Fb", "/a%2Fb", "/a/b"],
    ["/a%5cb", "/a%5cb", "/a%5cb", "/a%5cb", "/a/b"],
    ["/a\\b", "/a\\b", "/a/b", "/a/b", "/a/b"],
    ["/../../b", "/../../b", "/b", "/b", "/b"],
    ["/a/..", "/a/..", "/", "/", "/"],
    ["/a//../b", "/a//../b", "/a/b", "/a/b", "/a/b"],
    ["/a/.", "/a/.", "/a/", "/a/", "/a/"],
    ["/%61dmin", "/%61dmin", "/admin", "/admin", "/admin"],
    ["/a;x=1/../b", "/a;x=1/../b", "/b", "/b", "/b"],
    ["/a%2f..%2fb", "/a%2f..%2fb", "/a%2f..%2fb", "/a%2f..%2fb", "/b"],
    ["/a%2541/%zz/%", "/a%2541/%zz/%", "/a%2541/%zz/%", "/a%2541/%zz/%", "/a%2541/%zz/%"],
    ["/...", "/...", "/...", "/...", "/..."],
    ["/a?x=/../b//c%2F", "/a?x=/../b//c%2F", "/a?x=/../b//c%2F", "/a?x=/../b//c%2F", "/a?x=/../b//c%2F"],
    ["/a/..;/c", "/a/..;/c", "/c", "/c", "/c"],
    ["/a/..;x=1/c;y", "/a/..;x=1/c;y", "/c;y", "/c;y", "/c;y"],
    ["/a/.;b/c", "/a/.;b/c", "/a/c", "/a/c", "/a/c"],
    ["/a/b/..;?x", "/a/b/..;?x", "/a/?x", "/a/?x", "/a/?x"],
    ["/a/...;/c", "/a/...;/c", "/a/...;/c", "/a/...;/c", "/a/...;/c"],
    ["/a/%2e%2e;/c", "/a/%2e%2e;/c", "/a/..;/c", "/a/..;/c", "/a/..;/c"],
    [
      '/"<>^`{|}?"<>^`{|}',
      '/"<>^`{|}?"<>^`{|}',
      '/%22%3C%3E%5E%60%7B%7C%7D?"<>^`{|}',
      '/%22%3C%3E%5E%60%7B%7C%7D?"<>^`{|}',
      '/%22%3C%3E%5E%60%7B%7C%7D?"<>^`{|}',
    ],
    ["/!$&'()*+,;=:@[]~-_.", "/!$&'()*+,;=:@[]~-_.", "/!$&'()*+,;=:@[]~-_.", "/!$&'()*+,;=:@[]~-_.", "/!$&'()*+,;=:@[]~-_."],
    ["/a%00b", "/a%00b", "refused", "refused", "refused"],
    ["/a?%00", "/a?%00", "/a?%00", "/a?%00", "/a?%00"],
    ["/a#top", "/a", "/a", "/a", "/a"],
    ["/a?b#frag?c", "/a?b", "/a?b", "/a?b", "/a?b"],
  ])("%s", (path, ...expected) => {
    expect([NONE, BASE, MERGE, DECODE].map((rules) => result(path, rules))).toEqual(expected);
  });

  test("escaped slashes can be refused or redirected", () => {
    expect(normalizePath("/a%2fb", { ...BASE, escapedSlashes: "REJECT_REQUEST" })).toEqual({ kind: "refused" });
    expect(normalizePath("/a%2fb", { ...BASE, escapedSlashes: "UNESCAPE_AND_REDIRECT" })).toEqual({ kind: "redirect", path: "/a/b" });
  });

  test("normalising twice is normalising once", () => {
    for (const path of ["/a/%2e%2e/%2e/b", "/..%2f../x", "/%5c%2e%2e\\a", "/.%2e/..;/a"]) {
      for (const rules of [BASE, MERGE, DECODE]) expect(result(result(path, rules), rules)).toBe(result(path, rules));
    }
  });
});
