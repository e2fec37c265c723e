// Splits a command line into words as a POSIX shell does for quotes and backslashes, and nothing else: no variables, globs or operators.
import { err, ok, type Result } from "../kit/index.ts";

export function parseShellWords(text: string): Result<string[]> {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? "";
    if (c === "'") {
      const end = text.indexOf("'", i + 1);
      if (end === -1) return err("a single quote is not closed");
      word = (word ?? "") + text.slice(i + 1, end);
      i = end;
    } else if (c === '"') {
      word ??= "";
      for (i++; text[i] !== '"'; i++) {
        if (i >= text.length) return err("a double quote is not closed");
        if (text[i] === "\\" && '"\\$`'.includes(text[i + 1] ?? " ")) i++;
        word += text[i] ?? "";
      }
    } else if (c === "\\") {
      if (i + 1 >= text.length) return err("a backslash stands at the end");
      word = (word ?? "") + (text[++i] ?? "");
    } else if (c === " " || c === "\t" || c === "\n") {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if ("|&;<>".includes(c)) {
      return err(`${c} needs a shell: write ["sh", "-c", "…"]`);
    } else {
      word = (word ?? "") + c;
    }
  }
  if (word !== undefined) words.push(word);
  return words.length === 0 ? err("the command is empty") : ok(words);
}
