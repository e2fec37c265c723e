// `serin control-plane`: reads the command line, starts, says where it listens, and stops cleanly on SIGTERM and SIGINT.
import { CommanderError } from "commander";
import { SerinError, systemClock } from "../kit/index.ts";
import { startControlPlane } from "./control-plane.ts";
import { createLogger } from "./log.ts";
import { parseOptions, readIstiodSettings } from "./options.ts";

/** A stop that hangs is ended: nothing is lost, every answered write is on disk. */
const STOP_MS = 3000;

try {
  const options = parseOptions(process.argv.slice(2));
  const logger = createLogger({ level: options.logLevel, pretty: process.stderr.isTTY === true });
  process.on("uncaughtException", (error) => {
    logger.log("error", "the control plane stops: an error nobody expected", { error: error.stack ?? String(error) });
    process.exit(70);
  });
  const plane = await startControlPlane(options, { clock: systemClock, logger, istiod: readIstiodSettings(process.env) });
  if (options.printAddresses)
    process.stdout.write(`${JSON.stringify({ admin: plane.admin, xds: plane.xds, tokenFile: plane.tokenFile })}\n`);
  let stopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      logger.log("info", "stopping", { signal });
      setTimeout(() => process.exit(0), STOP_MS).unref();
      void plane.stop().then(() => process.exit(0));
    });
  }
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
  const known = error instanceof SerinError;
  process.stderr.write(
    known
      ? `serin control-plane: ${error.message} (${error.code})\n`
      : `serin control-plane: this is a bug: ${String((error as Error).stack ?? error)}\n`,
  );
  if (known && error.fix !== undefined) process.stderr.write(`  ${error.fix}\n`);
  process.exit(2);
}
