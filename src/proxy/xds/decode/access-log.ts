// Envoy's file and stream access loggers. https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
import type { AccessLog } from "../../config/index.ts";
import { accessLogProblem } from "../../observe/access-log.ts";
import { isFlagName } from "../../observe/response-flags.ts";
import type { Reader } from "../../wire/reader.ts";
import { readDataSource } from "./data-source.ts";

const LOGGERS = "envoy.extensions.access_loggers";
const STREAMS: Readonly<Record<string, string>> = {
  [`${LOGGERS}.stream.v3.StdoutAccessLog`]: "/dev/stdout",
  [`${LOGGERS}.stream.v3.StderrAccessLog`]: "/dev/stderr",
};

/** Envoy's own, for a logger that names none. */
const DEFAULT_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" ' +
  '"%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n';

export function decodeAccessLogs(reader: Reader, field: string): readonly AccessLog[] {
  return reader.messages(field).map(decodeAccessLog);
}

function decodeAccessLog(reader: Reader): AccessLog {
  const any = reader.any("typed_config");
  if (any === undefined) return reader.refuse("typed_config", "is missing");
  const stream = STREAMS[any.typeName];
  if (stream === undefined && any.typeName !== `${LOGGERS}.file.v3.FileAccessLog`)
    reader.refuse("typed_config", `${any.typeName} is not supported`);
  const config = any.read();
  const path = stream ?? config.text("path");
  if (path === "") config.refuse("path", "is empty");
  const format = config.message("log_format");
  checkFormatters(format);
  const omitEmpty = format?.flag("omit_empty_values") ?? false;
  const log: AccessLog = { path, format: decodeFormat(config), omitEmpty, responseFlags: decodeFlags(reader) };
  const problem = accessLogProblem(log);
  if (problem !== undefined) reader.refuse("typed_config", problem);
  return log;
}

/** Operators that Envoy has in extensions; those of this one are always known here. */
function checkFormatters(format: Reader | undefined): void {
  for (const formatter of format?.messages("formatters") ?? []) {
    const name = formatter.any("typed_config")?.typeName ?? "no config";
    if (name !== "envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery")
      formatter.refuse("typed_config", `${name} is not supported`);
  }
}

function decodeFlags(reader: Reader): readonly string[] | undefined {
  const filter = reader.message("filter");
  if (filter === undefined) return undefined;
  const flags = filter.message("response_flag_filter")?.texts("flags") ?? [];
  for (const flag of flags) if (!isFlagName(flag)) filter.refuse("response_flag_filter", `${flag} is no response flag`);
  return flags.length === 0 ? filter.refuse("", "without response flags is not supported") : flags;
}

function decodeFormat(reader: Reader): AccessLog["format"] {
  const format = reader.message("log_format");
  const text =
    reader.optionalText("format") ??
    format?.optionalText("text_format") ??
    (format === undefined ? undefined : readDataSource(format, "text_format_source")?.toString("utf8"));
  if (text !== undefined && text !== "") return { kind: "text", text };
  const template = reader.struct("json_format") ?? reader.struct("typed_json_format") ?? format?.struct("json_format");
  return template === undefined ? { kind: "text", text: DEFAULT_FORMAT } : { kind: "json", template };
}
