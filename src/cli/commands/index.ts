// All commands, in the order in which help lists them.
import type { AddCommand } from "../cli.ts";

export const COMMANDS: readonly AddCommand[] = [];
