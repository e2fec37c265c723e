// Access logs: the format compiled to a closure, lines collected and written in batches so that a request waits for no file.
// Istio's default text format and Envoy's JSON logs: https://istio.io/latest/docs/tasks/observability/logs/access-log/
import { err, ok, type Clock, type Result } from "../../kit/index.ts";
import type { AccessLog } from "../config/index.ts";
import { compileFormat, type Format } from "./format.ts";
import { flagMask } from "./response-flags.ts";
import type { StreamInfo } from "./stream-info.ts";

/** Where lines go: the proxy's main opens files and standard output, tests an array. */
export interface AccessLogSink {
  write(path: string, lines: string): void;
}

export interface AccessLogger {
  log(info: StreamInfo): void;
}

/** Lines of one path that have not been written yet. */
interface Pending {
  lines: string;
}

const FLUSH_MS = 200;
const FLUSH_CHARS = 65_536;
/** What an attacker puts into a header must not start a new line or steer a terminal. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f]|\n(?!$)/g;

export interface AccessLogs {
  /** Problems in formats are the config's: decode asks before it accepts. */
  logger(config: AccessLog): Result<AccessLogger>;
  flush(): void;
}

export function createAccessLogs(options: { sink: AccessLogSink; clock: Clock }): AccessLogs {
  const pending = new Map<string, Pending>();
  let cancel: (() => void) | undefined;

  function flush(): void {
    cancel?.();
    cancel = undefined;
    for (const [path, batch] of pending) {
      const { lines } = batch;
      batch.lines = "";
      if (lines !== "") options.sink.write(path, lines);
    }
  }

  function batchFor(path: string): Pending {
    const batch = pending.get(path) ?? { lines: "" };
    pending.set(path, batch);
    return batch;
  }

  function append(batch: Pending, line: string): void {
    batch.lines += line;
    if (batch.lines.length > FLUSH_CHARS) flush();
    else cancel ??= options.clock.after(FLUSH_MS, flush);
  }

  return {
    flush,
    logger(config) {
      const compiled = compileAccessLine(config);
      if (!compiled.ok) return compiled;
      const line = compiled.value;
      const batch = batchFor(config.path);
      if (config.responseFlags === undefined) return ok({ log: (info) => append(batch, line(info)) });
      const mask = flagMask(config.responseFlags);
      return ok({
        log(info) {
          if ((info.flags & mask) !== 0) append(batch, line(info));
        },
      });
    },
  };
}

/** For decode: undefined = fine, else what is wrong with it. */
export function accessLogProblem(config: AccessLog): string | undefined {
  const compiled = compileAccessLine(config);
  return compiled.ok ? undefined : compiled.error;
}

/** What a log writes of a stream; fails on a format with an unknown operator. */
export function compileAccessLine({ format, omitEmpty = false }: AccessLog): Result<(info: StreamInfo) => string> {
  return format.kind === "text" ? compileText(format.text, omitEmpty) : compileJson(format.template, omitEmpty);
}

function compileText(text: string, omitEmpty: boolean): Result<(info: StreamInfo) => string> {
  const format = compileFormat(text);
  if (!format.ok) return format;
  const { render } = format.value;
  const missing = omitEmpty ? "" : "-";
  return ok((info) => {
    const line = render(info, missing);
    CONTROL.lastIndex = 0;
    return CONTROL.test(line) ? line.replace(CONTROL, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`) : line;
  });
}

type JsonPart = (info: StreamInfo) => unknown;

function compileJson(template: Readonly<Record<string, unknown>>, omitEmpty: boolean): Result<(info: StreamInfo) => string> {
  const compiled = jsonPart(template, omitEmpty);
  if (!compiled.ok) return compiled;
  return ok((info) => JSON.stringify(compiled.value(info)) + "\n");
}

function jsonPart(value: unknown, omitEmpty: boolean): Result<JsonPart> {
  if (typeof value === "string") {
    const format = compileFormat(value);
    return format.ok ? ok(jsonString(format.value, omitEmpty)) : format;
  }
  if (Array.isArray(value)) {
    const items: JsonPart[] = [];
    for (const item of value) {
      const part = jsonPart(item, omitEmpty);
      if (!part.ok) return part;
      items.push(part.value);
    }
    return ok((info) => {
      const values = items.map((item) => item(info));
      return omitEmpty ? values.filter((one) => one !== null) : values;
    });
  }
  if (typeof value === "object" && value !== null) {
    const fields: [string, JsonPart][] = [];
    for (const [key, inner] of Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const part = jsonPart(inner, omitEmpty);
      if (!part.ok) return err(`${key}: ${part.error}`);
      fields.push([key, part.value]);
    }
    return ok((info) => {
      const values = fields.map(([key, part]): [string, unknown] => [key, part(info)]);
      return Object.fromEntries(omitEmpty ? values.filter(([, one]) => one !== null) : values);
    });
  }
  return ok(() => value);
}

function jsonString(format: Format, omitEmpty: boolean): JsonPart {
  const { single } = format;
  const missing = omitEmpty ? "" : "-";
  return single === undefined ? (info) => format.render(info, missing) : (info) => single(info) ?? null;
}
