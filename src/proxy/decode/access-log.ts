// Envoy's file and stdout access logs.
import {
  type AccessLog as Message,
  FileAccessLogSchema,
  StdoutAccessLogSchema,
  type SubstitutionFormatString,
  unpackAny,
} from "../../envoy-api/index.ts";
import type { AccessLog } from "../config/index.ts";
import { accessLogProblem } from "../observe/access-log.ts";
import { refuse } from "./guard.ts";

const ENVOY_DEFAULT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" ' +
  '"%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n';

function formatOf(message: SubstitutionFormatString | undefined, path: string): AccessLog["format"] {
  const format = message?.format;
  switch (format?.case) {
    case undefined:
      return { kind: "text", text: ENVOY_DEFAULT };
    case "textFormat":
      return { kind: "text", text: format.value };
    case "textFormatSource":
      return format.value.specifier.case === "inlineString"
        ? { kind: "text", text: format.value.specifier.value }
        : refuse(path, "only inline formats are supported");
    case "jsonFormat":
      return { kind: "json", template: format.value };
  }
}

export function decodeAccessLogs(messages: readonly Message[], path: string): AccessLog[] {
  return messages.map((message, i) => {
    const at = `${path}.access_log[${i}]`;
    const any = message.configType.case === "typedConfig" ? message.configType.value : undefined;
    const file = unpackAny(FileAccessLogSchema, any);
    const stdout = unpackAny(StdoutAccessLogSchema, any);
    if (file === undefined && stdout === undefined) refuse(at, `${message.name} is not supported yet`);
    const kind = file?.accessLogFormat ?? stdout?.accessLogFormat;
    const format: AccessLog["format"] =
      kind?.case === "format"
        ? { kind: "text", text: kind.value }
        : kind?.case === "logFormat"
          ? formatOf(kind.value, at)
          : kind?.case === undefined
            ? formatOf(undefined, at)
            : refuse(at, `${kind.case} is not supported yet`);
    const log: AccessLog = { path: file?.path ?? "/dev/stdout", format, responseFlags: flagsOf(message, at) };
    const problem = accessLogProblem(log);
    return problem === undefined ? log : refuse(at, problem);
  });
}

function flagsOf(message: Message, path: string): readonly string[] | undefined {
  const filter = message.filter?.filterSpecifier;
  if (filter === undefined || filter.case === undefined) return undefined;
  return filter.case === "responseFlagFilter" ? filter.value.flags : refuse(`${path}.filter`, `${filter.case} is not supported yet`);
}
