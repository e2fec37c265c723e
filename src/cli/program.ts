// The command line as commander sees it: every command of the registry, usage errors with exit code 2.
import { Command } from "commander";
import { VERSION } from "../kit/index.ts";
import type { Cli } from "./cli.ts";
import { COMMANDS } from "./commands/index.ts";

/** Run by bin/serin before this program is loaded; here for help and completion. */
const PROGRAMS = [
  ["control-plane", "run the control plane alone on a folder of YAML"],
  ["proxy", "run the data plane from an Envoy bootstrap file"],
] as const;

export function createProgram(cli: Cli): Command {
  const program = new Command("serin");
  program
    .description("A service mesh with canary release built in.")
    .version(VERSION)
    .helpCommand(true)
    .showHelpAfterError("(`serin help COMMAND` shows its options)")
    .enablePositionalOptions()
    .exitOverride();
  for (const add of COMMANDS) add(program, cli);
  for (const [name, description] of PROGRAMS)
    program
      .command(name)
      .description(description)
      .allowUnknownOption()
      .action(() => {});
  program.addHelpText("after", "\nExit codes: 0 done; 1 done, and the answer is no (errors found, refused, timed out); 2 could not run.");
  return program;
}
