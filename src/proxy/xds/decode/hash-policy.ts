// Envoy's RouteAction.HashPolicy. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto
import type { HashPolicy } from "../../config/index.ts";
import { bytesOf } from "../../regex/latin1.ts";
import type { Reader } from "../../wire/reader.ts";
import { decodeSubstitution } from "./text-matcher.ts";

export function decodeHashPolicies(reader: Reader): readonly HashPolicy[] {
  return reader.messages("hash_policy").flatMap(decodeHashPolicy);
}

function decodeHashPolicy(reader: Reader): HashPolicy[] {
  const terminal = reader.flag("terminal");
  const header = reader.message("header");
  if (header !== undefined) {
    const rewrite = header.message("regex_rewrite");
    const name = textOf(header, "header_name").toLowerCase();
    return [{ kind: "header", terminal, name, rewrite: rewrite === undefined ? undefined : decodeSubstitution(rewrite) }];
  }
  const cookie = reader.message("cookie");
  if (cookie !== undefined) return [{ ...decodeCookie(cookie), terminal }];
  const query = reader.message("query_parameter");
  if (query !== undefined) return [{ kind: "query", terminal, name: bytesOf(textOf(query, "name")) }];
  const connection = reader.message("connection_properties");
  if (connection === undefined) return reader.refuse("", "says nothing to hash");
  return connection.flag("source_ip") ? [{ kind: "sourceIp", terminal }] : [];
}

function textOf(reader: Reader, name: string): string {
  const text = reader.text(name);
  return text === "" ? reader.refuse(name, "is empty") : text;
}

/** Names and values stand in a header line: what would end or split it is refused. */
function cookiePart(reader: Reader, name: string): string {
  const text = reader.text(name);
  // oxlint-disable-next-line no-control-regex
  return /[\u0000-\u001f\u007f]/.test(text) ? reader.refuse(name, "has control characters") : bytesOf(text);
}

function decodeCookie(reader: Reader): Extract<HashPolicy, { kind: "cookie" }> {
  textOf(reader, "name");
  const ttl = reader.optionalNumber("ttl");
  return {
    kind: "cookie",
    terminal: false,
    name: cookiePart(reader, "name"),
    path: cookiePart(reader, "path"),
    ttlSeconds: ttl === undefined ? undefined : Math.floor(ttl / 1000),
    attributes: reader.messages("attributes").map((one) => [cookiePart(one, "name"), cookiePart(one, "value")] as const),
  };
}
