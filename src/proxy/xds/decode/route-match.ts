// Envoy's RouteMatch → what router/match tests. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto
import type { HeaderMatcher, PathMatcher, QueryParameterMatcher, RouteMatch } from "../../config/index.ts";
import { bytesOf } from "../../regex/latin1.ts";
import type { Reader } from "../../wire/reader.ts";
import { decodeRuntimeFraction } from "./fraction.ts";
import { type Described, decodeRegex, decodeStringMatcher, plainMatcher } from "./text-matcher.ts";

export function decodeRouteMatch(reader: Reader): RouteMatch {
  return {
    path: decodePath(reader),
    headers: reader.messages("headers").map(decodeHeaderMatcher),
    queryParameters: reader.messages("query_parameters").map(decodeQuery),
    fraction: decodeRuntimeFraction(reader.message("runtime_fraction")),
    grpcOnly: reader.has("grpc"),
  };
}

function decodePath(reader: Reader): PathMatcher {
  const ignoreCase = !reader.flag("case_sensitive", true);
  const regex = reader.message("safe_regex");
  if (regex !== undefined) {
    const { source, test } = decodeRegex(regex);
    return { kind: "regex", source, test };
  }
  if (reader.has("connect_matcher")) return { kind: "connect" };
  const kinds = { prefix: "prefix", path: "exact", path_separated_prefix: "separatedPrefix" } as const;
  for (const [field, kind] of Object.entries(kinds)) {
    const value = reader.optionalText(field);
    if (value !== undefined) return { kind, value: bytesOf(value), ignoreCase };
  }
  return reader.refuse("", "has no path to match");
}

const PLAIN = { exact_match: "exact", prefix_match: "prefix", suffix_match: "suffix", contains_match: "contains" } as const;

export function decodeHeaderMatcher(reader: Reader): HeaderMatcher {
  const name = reader.text("name").toLowerCase();
  if (name === "") reader.refuse("name", "is empty");
  const invert = reader.flag("invert_match");
  const absent = reader.flag("present_match", true) === false;
  const matcher = decodeHeaderTest(reader);
  const says = absent ? "absent" : (matcher?.describe ?? "present");
  return {
    name,
    invert,
    treatMissingAsEmpty: reader.flag("treat_missing_header_as_empty"),
    test: matcher?.test,
    absent,
    describe: invert ? `not ${says}` : says,
  };
}

function decodeHeaderTest(reader: Reader): Described | undefined {
  const string = reader.message("string_match");
  if (string !== undefined) return decodeStringMatcher(string);
  const regex = reader.message("safe_regex_match");
  if (regex !== undefined) return decodeRegex(regex);
  for (const [field, kind] of Object.entries(PLAIN)) {
    const text = reader.optionalText(field);
    if (text === undefined) continue;
    if (text === "" && kind !== "exact") reader.refuse(field, "is empty");
    return plainMatcher(kind, text);
  }
  return undefined;
}

function decodeQuery(reader: Reader): QueryParameterMatcher {
  const name = bytesOf(reader.text("name"));
  const string = reader.message("string_match");
  if (string === undefined) {
    if (!reader.flag("present_match", true)) reader.refuse("present_match", "false is not supported");
    return { name, test: undefined, describe: "present" };
  }
  const { test, describe } = decodeStringMatcher(string);
  return { name, test, describe };
}
