// Shell completion from the commands themselves: one hidden command answers for all shells, the scripts only ask it.
import type { Command } from "commander";

export type Shell = "bash" | "zsh" | "fish";

export const SHELLS: readonly Shell[] = ["bash", "zsh", "fish"];

/** Words after `serin`, the last one being typed → what it may become. `pods` are names for commands that take a pod. */
export function completeWords(program: Command, words: readonly string[], pods: readonly string[] = []): string[] {
  let command = program;
  for (const word of words.slice(0, -1)) {
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (next !== undefined) command = next;
  }
  const last = words.at(-1) ?? "";
  const before = words.at(-2) ?? "";
  const option = command.options.find((one) => one.long === before || one.short === before);
  if (option?.argChoices !== undefined) return option.argChoices.filter((choice) => choice.startsWith(last));
  if (last.startsWith("-")) {
    return command.options.flatMap((one) => (one.long?.startsWith(last) === true && !one.hidden ? [one.long] : [])).sort();
  }
  const names = command.commands.filter((one) => !(one as { _hidden?: boolean })._hidden).map((one) => one.name());
  const takesPod = command.registeredArguments[0]?.name() === "pod";
  return [...names, ...(takesPod ? pods : [])].filter((name) => name.startsWith(last)).sort();
}

export function completionScript(shell: Shell): string {
  switch (shell) {
    case "bash":
      return `_serin() {
  local IFS=$'\\n'
  COMPREPLY=($(serin __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _serin serin
`;
    case "zsh":
      return `#compdef serin
_serin() {
  local -a found
  found=(\${(f)"$(serin __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -- $found; else _files; fi
}
compdef _serin serin
`;
    case "fish":
      return `function __serin_complete
  set -l words (commandline -opc) (commandline -ct)
  serin __complete -- $words[2..-1] 2>/dev/null
end
complete -c serin -a '(__serin_complete)'
`;
  }
}
