import { describe, expect, test } from "vitest";
import { parseCurlArgs } from "./curl-args.ts";

const NOTHING = ["-H", "user-agent:", "-H", "accept:"];

describe("requests", () => {
  test.each<[string, string[], object]>([
    [
      "a URL alone",
      ["http://demo4.a.com/"],
      {
        method: "GET",
        scheme: "http",
        host: "demo4.a.com",
        port: 80,
        authority: "demo4.a.com",
        path: "/",
        headers: [
          ["user-agent", "curl/8"],
          ["accept", "*/*"],
        ],
      },
    ],
    ["no scheme, no path", ["demo4:8080"], { host: "demo4", port: 8080, authority: "demo4:8080", path: "/" }],
    ["query without path", ["http://a?x=1"], { path: "/?x=1" }],
    ["the word curl", ["curl", "-sS", "http://a/"], { host: "a" }],
    [
      "headers",
      [...NOTHING, "http://a/", "-H", "Cookie: a=b; c=d", "--header=X-Empty;"],
      {
        headers: [
          ["cookie", "a=b; c=d"],
          ["x-empty", ""],
        ],
      },
    ],
    [
      "a header twice",
      [...NOTHING, "-H", "x: 1", "-H", "x: 2", "a"],
      {
        headers: [
          ["x", "1"],
          ["x", "2"],
        ],
      },
    ],
    ["Host by hand", ["-H", "Host: demo4.a.com", "http://127.0.0.1:8080/x"], { host: "127.0.0.1", port: 8080, authority: "demo4.a.com" }],
    ["method glued", ["-XDELETE", "http://a/"], { method: "DELETE" }],
    ["HEAD", ["-sI", "http://a/"], { method: "HEAD" }],
    [
      "data",
      [...NOTHING, "-d", "a=1", "-d", "b=2", "a"],
      {
        method: "POST",
        headers: [
          ["content-length", "7"],
          ["content-type", "application/x-www-form-urlencoded"],
        ],
      },
    ],
    ["data as query", ["-G", "-d", "a=1", "http://a/p?z=0"], { method: "GET", path: "/p?z=0&a=1" }],
    [
      "json",
      ["--json", "{}", "http://a/"],
      {
        method: "POST",
        headers: [
          ["user-agent", "curl/8"],
          ["accept", "application/json"],
          ["content-length", "2"],
          ["content-type", "application/json"],
        ],
      },
    ],
    ["cookie", [...NOTHING, "-b", "user=1", "http://a/"], { headers: [["cookie", "user=1"]] }],
    ["user", [...NOTHING, "-u", "a:b", "http://a/"], { headers: [["authorization", "Basic YTpi"]] }],
    ["dots resolved", ["http://a/x/../y/./z/.."], { path: "/y/" }],
    ["dots kept", ["--path-as-is", "http://a/x/../y"], { path: "/x/../y" }],
    ["https", ["https://a/"], { scheme: "https", port: 443, authority: "a" }],
    ["default port written", ["http://a:80/"], { authority: "a" }],
    ["IPv6", ["http://[::1]:8080/"], { host: "[::1]", port: 8080 }],
    ["tcp", ["tcp://mongo:27017"], { scheme: "tcp", host: "mongo", port: 27017 }],
    ["fragment is not sent", ["http://a/x#y"], { path: "/x" }],
  ])("%s", (_name, args, expected) => {
    expect(parseCurlArgs(args)).toMatchObject({ ok: true, value: expected });
  });

  test.each<[string, string[], RegExp]>([
    ["nothing", [], /no URL/],
    ["two URLs", ["a", "b"], /two URLs/],
    ["an unknown option", ["--frobnicate", "a"], /--frobnicate/],
    ["an upload", ["-F", "x=@y", "a"], /-F/],
    ["a scheme", ["ftp://a/"], /ftp/],
    ["a port", ["http://a:99999/"], /99999/],
    ["a header", ["-H", "no header", "a"], /not a header/],
    ["a header with a line break", ["-H", "x: a\r\ny: b", "a"], /line break/],
    ["a missing value", ["http://a/", "-H"], /needs a value/],
    ["tcp without port", ["tcp://a"], /needs a port/],
  ])("refused: %s", (_name, args, message) => {
    const result = parseCurlArgs(args);
    expect(result.ok ? "taken" : result.error).toMatch(message);
  });
});
