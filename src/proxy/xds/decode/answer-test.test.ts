import { describe, expect, test } from "vitest";
import * as api from "../../../envoy-api/index.ts";
import { decodeWire } from "../../wire/decode-wire.ts";
import { Reader } from "../../wire/reader.ts";
import { decodeCluster } from "./cluster.ts";

const OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** What the outlier detection of a cluster with this matcher takes for an error. */
function isError(matcher: object | undefined) {
  const options = api.create(api.UpstreamHttpProtocolOptionsSchema, {
    ...(matcher === undefined ? {} : { outlierDetection: { errorMatcher: { rule: matcher } } }),
    upstreamProtocolOptions: { case: "explicitHttpConfig", value: {} },
  } as never);
  const cluster = api.create(api.ClusterSchema, {
    name: "c",
    outlierDetection: {},
    typedExtensionProtocolOptions: { [OPTIONS]: api.packAny(api.UpstreamHttpProtocolOptionsSchema, options) },
  });
  return decodeCluster(new Reader(decodeWire("envoy.config.cluster.v3.Cluster", api.toBinary(api.ClusterSchema, cluster)))).outliers
    ?.isError;
}

const header = (name: string, exact: string): object => ({
  case: "httpResponseHeadersMatch",
  value: { headers: [{ name, headerMatchSpecifier: { case: "stringMatch", value: { matchPattern: { case: "exact", value: exact } } } }] },
});
const rules = (...list: object[]): object => ({ rules: list.map((rule) => ({ rule })) });

describe("which answers are errors", () => {
  const answer = (status: number, headers: Readonly<Record<string, string>> = {}) => ({
    status,
    headerLines: (name: string) => (headers[name] === undefined ? [] : [headers[name]]),
  });

  test("those of the listed statuses", () => {
    const test = isError({ case: "orMatch", value: rules(header(":status", "429"), header(":status", "503")) });
    expect([429, 503, 500, 200].map((status) => test?.(answer(status)))).toEqual([true, true, false, false]);
  });

  test("and, not, headers of the answer, any", () => {
    const both = isError({ case: "andMatch", value: rules(header(":status", "200"), header("x-bad", "1")) });
    expect([both?.(answer(200, { "x-bad": "1" })), both?.(answer(200)), both?.(answer(201, { "x-bad": "1" }))]).toEqual([
      true,
      false,
      false,
    ]);
    const not = isError({ case: "notMatch", value: { rule: header(":status", "200") } });
    expect([not?.(answer(200)), not?.(answer(404))]).toEqual([false, true]);
    expect(isError({ case: "anyMatch", value: true })?.(answer(200))).toBe(true);
  });

  test("no matcher leaves it to the status; what looks at requests is refused", () => {
    expect(isError(undefined)).toBeUndefined();
    expect(() => isError({ case: "httpRequestHeadersMatch", value: {} })).toThrow("http_request_headers_match: is not supported");
  });
});
