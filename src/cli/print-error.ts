// The one place where a failure becomes text and an exit code.
import { CommanderError } from "commander";
import { SerinError } from "../kit/index.ts";
import type { Output } from "./output.ts";

/** Codes whose exit status is 1: the command ran, and the answer is no. Everything else could not run: 2. */
const ANSWERED_NO = new Set(["APPLY_REFUSED", "UP_FAILED", "RESOURCE_NOT_FOUND", "PROXY_NOT_FOUND", "STORE_CONFLICT", "POD_NOT_FOUND"]);

export function printError(error: unknown, out: Output): 0 | 1 | 2 {
  // Commander has printed its message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof SerinError) {
    out.note(`serin: ${error.message} (${error.code})`);
    if (error.fix !== undefined) out.note(`  ${error.fix}`);
    if (process.env["SERIN_DEBUG"] !== undefined && error.cause !== undefined)
      out.note(String((error.cause as Error).stack ?? error.cause));
    return ANSWERED_NO.has(error.code) ? 1 : 2;
  }
  out.note(`serin: this is a bug: ${String((error as Error).stack ?? error)}`);
  return 2;
}
