// The proxy's own log: one line each on standard error, in Envoy's manner; a small writer, because a log library costs an idle proxy memory.
import type { Clock, Logger, LogLevel } from "../kit/index.ts";

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Envoy's names of levels, and ours. */
const LEVELS: Readonly<Record<string, LogLevel | "off">> = {
  trace: "debug",
  debug: "debug",
  info: "info",
  warn: "warn",
  warning: "warn",
  error: "error",
  critical: "error",
  off: "off",
};

export function parseLogLevel(text: string): LogLevel | "off" | undefined {
  return Object.hasOwn(LEVELS, text) ? LEVELS[text] : undefined;
}

export function createLogger(level: LogLevel | "off", options: { clock: Clock; write: (line: string) => void }): Logger {
  const least = level === "off" ? ORDER.length : ORDER.indexOf(level);
  return {
    log(at, message, fields = {}) {
      if (ORDER.indexOf(at) < least) return;
      const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${typeof value === "number" ? value : JSON.stringify(value)}`);
      options.write(`[${new Date(options.clock.wall()).toISOString()}][${at}] ${message}${pairs.join("")}\n`);
    },
  };
}
