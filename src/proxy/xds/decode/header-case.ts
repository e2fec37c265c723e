// How HTTP/1 header names are written: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/header_casing
import type { Reader } from "../../wire/reader.ts";

const PRESERVE_CASE = "envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig";

/** `http1`: HTTP/1 options of a connection manager or a cluster. */
export function keepsHeaderCase(http1: Reader | undefined): boolean {
  const format = http1?.message("header_key_format");
  if (format === undefined) return false;
  const formatter = format.message("stateful_formatter");
  const config = formatter?.any("typed_config");
  if (config === undefined) return format.refuse("", "has no formatter that keeps names as they came");
  if (config.typeName !== PRESERVE_CASE) return format.refuse("stateful_formatter", `${config.typeName} is not supported`);
  config.read();
  return true;
}
