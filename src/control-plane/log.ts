// The control plane's log: pino underneath, one JSON line each, or a readable line on a terminal. Written to stderr; stdout is for answers.
import { pino } from "pino";
import type { Logger, LogLevel } from "../kit/index.ts";

export function createLogger(options: { readonly level: LogLevel; readonly pretty: boolean }): Logger {
  if (options.pretty) return createPrettyLogger(options.level);
  const sink = pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    pino.destination({ dest: 2, sync: true }),
  );
  return { log: (level, message, fields) => sink[level](fields ?? {}, message) };
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

function createPrettyLogger(least: LogLevel): Logger {
  return {
    log(level, message, fields = {}) {
      if (ORDER.indexOf(level) < ORDER.indexOf(least)) return;
      const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
      process.stderr.write(`${new Date().toISOString().slice(11, 23)} ${level.padEnd(5)} ${message}${rest.join("")}\n`);
    },
  };
}
