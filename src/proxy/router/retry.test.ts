// Envoy's retry conditions, one by one (router_filter#x-envoy-retry-on), and the back-off.
import { describe, expect, test } from "vitest";
import type { HeaderMatcher } from "../config/index.ts";
import { HeaderList } from "../http/header-list.ts";
import type { AnswerHead, RequestHead } from "../http/message.ts";
import type { ResetReason } from "../observe/failure.ts";
import { retryPolicy } from "../testing/config.ts";
import { backoffMs, compileRetry, mayRetry, type RetryRules } from "./retry.ts";

function answer(status: number, headers: Readonly<Record<string, string>> = {}): AnswerHead {
  const first = (name: string): string | undefined => headers[name];
  return {
    version: "HTTP/1.1",
    status,
    contentLength: -1,
    hasDate: false,
    nameAt: () => "",
    first,
    headerLines: (name) => (headers[name] === undefined ? [] : [headers[name]]),
    toList: () => new HeaderList(),
  };
}

function rulesOf(on: string, over: Parameters<typeof retryPolicy>[0] = {}): RetryRules {
  const rules = compileRetry(retryPolicy({ on: new Set(on.split(",")), ...over }));
  if (rules === undefined) throw new Error("no rules");
  return rules;
}

const present = (name: string): HeaderMatcher => ({
  name,
  invert: false,
  treatMissingAsEmpty: false,
  test: undefined,
  absent: false,
  describe: "present",
});

describe("answers", () => {
  test.each<[on: string, retried: readonly number[], not: readonly number[]]>([
    ["5xx", [500, 501, 503, 599], [200, 409, 429, 499]],
    ["gateway-error", [502, 503, 504], [500, 501, 505, 429]],
    ["retriable-4xx", [409], [400, 429, 500]],
    ["retriable-status-codes", [418, 503], [500, 409]],
    ["reset,connect-failure,refused-stream", [], [500, 502, 503, 504, 409]],
    ["gateway-error,retriable-4xx", [502, 409], [500]],
  ])("%s", (on, retried, not) => {
    const rules = rulesOf(on, { retriableStatusCodes: new Set([418, 503]) });
    expect(retried.filter((status) => !rules.answer(answer(status)))).toEqual([]);
    expect(not.filter((status) => rules.answer(answer(status)))).toEqual([]);
  });

  test.each<[on: string, grpcStatus: string]>([
    ["cancelled", "1"],
    ["deadline-exceeded", "4"],
    ["resource-exhausted", "8"],
    ["internal", "13"],
    ["unavailable", "14"],
  ])("gRPC: %s", (on, grpcStatus) => {
    const rules = rulesOf(on);
    const hit = ["0", "1", "2", "4", "8", "13", "14", "x"].filter((status) => rules.answer(answer(200, { "grpc-status": status })));
    expect(hit).toEqual([grpcStatus]);
    expect(rules.answer(answer(503))).toBe(false);
  });

  test("what is rate limited is tried again only where that is asked for, and then whatever its status", () => {
    const limited = { "x-envoy-ratelimited": "true" };
    expect(rulesOf("5xx").answer(answer(503, limited))).toBe(false);
    expect(rulesOf("retriable-status-codes", { retriableStatusCodes: new Set([429]) }).answer(answer(429, limited))).toBe(false);
    expect(rulesOf("envoy-ratelimited").answer(answer(429, limited))).toBe(true);
    expect(rulesOf("envoy-ratelimited").answer(answer(200, limited))).toBe(true);
    expect(rulesOf("envoy-ratelimited").answer(answer(429))).toBe(false);
    expect(rulesOf("envoy-ratelimited,5xx").answer(answer(500))).toBe(true);
  });

  test("headers of the answer, where their condition is on", () => {
    const retriableHeaders = [present("x-again")];
    expect(rulesOf("retriable-headers", { retriableHeaders }).answer(answer(200, { "x-again": "1" }))).toBe(true);
    expect(rulesOf("retriable-headers", { retriableHeaders }).answer(answer(503))).toBe(false);
    expect(rulesOf("reset", { retriableHeaders }).answer(answer(200, { "x-again": "1" }))).toBe(false);
  });
});

describe("failures", () => {
  const ALL: readonly (readonly [ResetReason, boolean])[] = [
    ["connection termination", true],
    ["connection termination", false],
    ["remote connection failure", false],
    ["local connection failure", false],
    ["connection timeout", false],
    ["protocol error", true],
    ["overflow", false],
    ["local reset", true],
    ["remote reset", true],
    ["remote refused stream reset", true],
  ];
  const retried = (on: string): string[] =>
    ALL.filter(([reason, sent]) => rulesOf(on).reset(reason, sent)).map(([reason, sent]) => (sent ? `${reason}, sent` : reason));

  test.each(["5xx", "gateway-error", "reset"])("%s: everything but a full cluster", (on) => {
    expect(retried(on)).toHaveLength(ALL.length - 1);
    expect(retried(on)).not.toContain("overflow");
  });

  test("the others", () => {
    expect(retried("connect-failure")).toEqual(["remote connection failure", "local connection failure", "connection timeout"]);
    expect(retried("refused-stream")).toEqual(["remote refused stream reset, sent"]);
    expect(retried("reset-before-request")).toEqual([
      "connection termination",
      "remote connection failure",
      "local connection failure",
      "connection timeout",
    ]);
    for (const on of ["retriable-4xx", "retriable-status-codes", "unavailable", "envoy-ratelimited", "http3-post-connect-failure"])
      expect(retried(on)).toEqual([]);
  });
});

test("no tries left or no condition is no policy", () => {
  expect(compileRetry(undefined)).toBeUndefined();
  expect(compileRetry(retryPolicy({ numRetries: 0 }))).toBeUndefined();
  expect(compileRetry(retryPolicy({ on: new Set() }))).toBeUndefined();
});

test("conditions on the request: one of them holds", () => {
  const request = { headerLines: (name: string) => (name === "x-b" ? ["1"] : []) } as unknown as RequestHead;
  expect(mayRetry(rulesOf("5xx"), request)).toBe(true);
  expect(mayRetry(rulesOf("5xx", { retriableRequestHeaders: [present("x-a"), present("x-b")] }), request)).toBe(true);
  expect(mayRetry(rulesOf("5xx", { retriableRequestHeaders: [present("x-a")] }), request)).toBe(false);
});

test("the back-off doubles from the base to the maximum, and lies anywhere below", () => {
  const policy = retryPolicy({ backoffBaseMs: 25, backoffMaxMs: 250 });
  const highest = [1, 2, 3, 4, 5, 6, 40].map((retry) => backoffMs(policy, retry, () => 0.999_999));
  expect(highest).toEqual([24, 49, 99, 199, 249, 249, 249]);
  expect(backoffMs(policy, 3, () => 0)).toBe(0);
});
