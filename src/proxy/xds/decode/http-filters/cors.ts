// Envoy's CorsPolicy. https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/cors/v3/cors.proto
import type { CorsConfig } from "../../../http-filters/cors/cors-config.ts";
import { bytesOf } from "../../../regex/latin1.ts";
import type { Reader } from "../../../wire/reader.ts";
import { decodeRuntimeFraction } from "../fraction.ts";
import { decodeStringMatcher } from "../text-matcher.ts";

// eslint-disable-next-line no-control-regex
const BAD_VALUE = /[\x00\r\n]/;

function headerValue(reader: Reader, field: string): string {
  const value = bytesOf(reader.text(field));
  return BAD_VALUE.test(value) ? reader.refuse(field, "has a line break or NUL") : value;
}

export function decodeCorsPolicy(reader: Reader): CorsConfig {
  return Object.freeze({
    allowOrigins: reader.messages("allow_origin_string_match").map((one) => decodeStringMatcher(one).test),
    allowMethods: headerValue(reader, "allow_methods"),
    allowHeaders: headerValue(reader, "allow_headers"),
    exposeHeaders: headerValue(reader, "expose_headers"),
    maxAge: headerValue(reader, "max_age"),
    allowCredentials: optionalFlag(reader, "allow_credentials"),
    allowPrivateNetwork: optionalFlag(reader, "allow_private_network_access"),
    forwardUnmatchedPreflights: optionalFlag(reader, "forward_not_matching_preflights"),
    enabled: decodeRuntimeFraction(reader.message("filter_enabled")) ?? 1,
    shadowed: decodeRuntimeFraction(reader.message("shadow_enabled")) ?? 0,
  });
}

function optionalFlag(reader: Reader, field: string): boolean | undefined {
  return reader.has(field) ? reader.flag(field) : undefined;
}
