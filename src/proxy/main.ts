// serin proxy -c FILE: the data plane from an Envoy bootstrap. SIGTERM drains.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Logger, type LogLevel, SerinError } from "../kit/index.ts";
import { parseBootstrap } from "./bootstrap/parse-bootstrap.ts";
import { startProxy } from "./start-proxy.ts";

const USAGE = "usage: serin proxy -c FILE [--check] [--log-level debug|info|warn|error] [--drain-time SECONDS]";
const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const DEFAULT_DRAIN_SECONDS = 45;

function createLogger(least: LogLevel): Logger {
  return {
    log(level, message, fields) {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
      const more = Object.entries(fields ?? {})
        .map(([k, v]) => ` ${k}=${typeof v === "string" ? v : JSON.stringify(v)}`)
        .join("");
      process.stderr.write(`[${new Date().toISOString()}][${level}] ${message}${more}\n`);
    },
  };
}

function fail(error: unknown): never {
  if (error instanceof SerinError) process.stderr.write(`serin: ${error.message}\n${error.fix === undefined ? "" : `  ${error.fix}\n`}`);
  else process.stderr.write(`serin: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      config: { type: "string", short: "c" },
      check: { type: "boolean", default: false },
      "log-level": { type: "string", default: "warn" },
      "drain-time": { type: "string", default: String(DEFAULT_DRAIN_SECONDS) },
    },
  });
  if (values.config === undefined) {
    process.stderr.write(`${USAGE}\n`);
    process.exit(2);
  }
  const logger = createLogger(LEVELS.find((l) => l === values["log-level"]) ?? "warn");
  const bootstrap = await parseBootstrap(readFileSync(values.config, "utf8"), values.config);
  for (const warning of bootstrap.warnings) logger.log("warn", warning);
  if (values.check) return;
  const proxy = await startProxy({ bootstrap, logger, onQuit: () => void end() });
  let ending = false;
  async function end(): Promise<void> {
    // A second signal does not wait.
    if (ending) process.exit(0);
    ending = true;
    await proxy.drain(Number(values["drain-time"]) * 1000);
    proxy.stop();
    process.exit(0);
  }
  process.on("SIGTERM", () => void end());
  process.on("SIGINT", () => void end());
  // Never on with a broken state: whoever supervises starts a fresh one.
  process.on("uncaughtException", (error) => {
    process.stderr.write(`serin: the proxy ends on an unexpected error: ${error.stack ?? String(error)}\n`);
    process.exit(70);
  });
}

await main().catch(fail);
