// Files as arguments or with -f, alike in every command that reads documents.
import type { Command } from "commander";

export interface FileOptions {
  readonly filename: readonly string[];
}

export function addFilenameOption(command: Command, help: string): Command {
  return command.option("-f, --filename <path>", help, (path: string, paths: string[]) => [...paths, path], [] as string[]);
}

export function addFileArguments(command: Command): Command {
  return addFilenameOption(command.argument("[path...]", "files, folders, or - for stdin"), "the same as an argument; may be repeated");
}
