// serin completion: the script that teaches a shell the commands, options and pods.
import { Argument } from "commander";
import { readRuntimeState } from "../../admin-api/index.ts";
import type { AddCommand } from "../cli.ts";
import { completeWords, completionScript, type Shell, SHELLS } from "../completion.ts";

export const addCompletionCommand: AddCommand = (program, cli) => {
  program
    .command("completion")
    .description("print the completion script: source <(serin completion bash)")
    .addArgument(new Argument("<shell>", "which shell").choices([...SHELLS]))
    .action((shell: Shell) => cli.out.print(completionScript(shell).trimEnd()));
  program
    .command("__complete", { hidden: true })
    .argument("[words...]")
    .passThroughOptions()
    .allowUnknownOption()
    .action((words: readonly string[]) => {
      const state = readRuntimeState(cli.paths({ name: cli.env["SERIN_MESH"] ?? "default" }));
      const pods = state?.pods.map((pod) => pod.name) ?? [];
      const found = completeWords(program, words.length === 0 ? [""] : words, pods);
      if (found.length > 0) cli.out.print(found.join("\n"));
    });
};
