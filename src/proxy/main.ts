// serin proxy -c FILE: the data plane as a process of its own. SIGTERM and SIGINT drain it; what nobody caught ends it.
import { parseArgs } from "node:util";
import { SerinError, systemClock } from "../kit/index.ts";
import { readBootstrap } from "./bootstrap/bootstrap.ts";
import { createLogger, parseLogLevel } from "./log.ts";
import { startProxy } from "./start-proxy.ts";
import { releaseStartupMemory } from "./startup-memory.ts";

const USAGE = `usage: serin proxy -c FILE [--log-level LEVEL] [--drain-time-s SECONDS] [--check]

  -c, --config-path FILE   Envoy bootstrap file, JSON or YAML
  -l, --log-level LEVEL    debug, info, warn, error or off (info)
      --drain-time-s N     at SIGTERM, what still runs after so long is cut (45)
      --check              only say whether the file is fine
`;

interface Arguments {
  readonly file: string;
  readonly logLevel: NonNullable<ReturnType<typeof parseLogLevel>>;
  readonly drainLimitMs: number;
  readonly check: boolean;
}

function usage(message: string): never {
  throw new SerinError("PROXY_USAGE", message, { fix: "serin proxy --help lists the options." });
}

/** undefined = help was asked for. */
function readArguments(argv: readonly string[]): Arguments | undefined {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        "config-path": { type: "string", short: "c" },
        "log-level": { type: "string", short: "l", default: "info" },
        "drain-time-s": { type: "string", default: "45" },
        check: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }));
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return undefined;
  const file = values["config-path"];
  if (file === undefined) return usage("no bootstrap file is given");
  const logLevel = parseLogLevel(values["log-level"]);
  if (logLevel === undefined) return usage(`${values["log-level"]} is no log level`);
  const drain = Number(values["drain-time-s"]);
  if (!(drain >= 0 && drain <= 3600)) return usage("--drain-time-s must be a number from 0 to 3600");
  return { file, logLevel, drainLimitMs: drain * 1000, check: values.check };
}

async function main(argv: readonly string[]): Promise<void> {
  const args = readArguments(argv);
  if (args === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const bootstrap = await readBootstrap(args.file);
  if (args.check) {
    for (const warning of bootstrap.warnings) process.stdout.write(`warning: ${warning}\n`);
    process.stdout.write(`${args.file}: OK\n`);
    return;
  }
  const logger = createLogger(args.logLevel, { clock: systemClock, write: (line) => void process.stderr.write(line) });
  process.on("uncaughtException", (error) => {
    logger.log("error", "the proxy ends: an error that nobody caught", { reason: error.stack ?? error.message });
    process.exit(70);
  });
  let ending = false;
  const proxy = await startProxy({ bootstrap, logger, drainLimitMs: args.drainLimitMs, onQuit: () => end("asked to quit", true) });

  function end(why: string, now: boolean): void {
    // A second signal does not wait.
    if (ending || now) {
      proxy.stop();
      // The answer to /quitquitquit goes out first.
      setImmediate(() => process.exit(0));
      return;
    }
    ending = true;
    logger.log("info", "draining", { why });
    void proxy.drain().then(() => {
      proxy.stop();
      process.exit(0);
    });
  }

  process.on("SIGTERM", () => end("SIGTERM", false));
  process.on("SIGINT", () => end("SIGINT", false));
  process.on("SIGHUP", () => undefined);
  const connections = (): number => proxy.plane.listeners().reduce((sum, listener) => sum + listener.connections, 0);
  releaseStartupMemory({ clock: systemClock, isIdle: () => proxy.state() === "LIVE" && connections() === 0 });
  logger.log("info", "started", { admin: proxy.adminPort ?? "none", xds: bootstrap.ads?.target.address ?? "none" });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof SerinError) {
    process.stderr.write(`${error.code}: ${error.message}\n${error.fix === undefined ? "" : `  ${error.fix}\n`}`);
    process.exitCode = error.code === "PROXY_USAGE" ? 2 : 1;
  } else {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 70;
  }
});
