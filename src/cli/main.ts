// The `serin` program: reads the command line, runs the command, turns what was thrown into text and an exit code.
import { createCli } from "./cli.ts";
import { printError } from "./print-error.ts";
import { createProgram } from "./program.ts";

const cli = createCli();
// A reader that has seen enough (`serin get … | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 2));
try {
  await createProgram(cli).parseAsync();
} catch (error) {
  process.exitCode = printError(error, cli.out);
}
