// All commands, in the order in which help lists them.
import type { AddCommand } from "../cli.ts";
import { addAnalyzeCommand } from "./analyze.ts";
import { addApplyCommand } from "./apply.ts";
import { addCanaryCommand } from "./canary.ts";
import { addCompletionCommand } from "./completion.ts";
import { addDeleteCommand } from "./delete.ts";
import { addDescribeCommand } from "./describe.ts";
import { addDiffCommand } from "./diff.ts";
import { addDownCommand } from "./down.ts";
import { addExecCommand } from "./exec.ts";
import { addExplainCommand } from "./explain.ts";
import { addGetCommand } from "./get.ts";
import { addLoadCommand } from "./load.ts";
import { addLogsCommand } from "./logs.ts";
import { addProxyConfigCommand } from "./proxy-config.ts";
import { addProxyStatusCommand } from "./proxy-status.ts";
import { addStatusCommand } from "./status.ts";
import { addUpCommand } from "./up.ts";

export const COMMANDS: readonly AddCommand[] = [
  addUpCommand,
  addDownCommand,
  addStatusCommand,
  addApplyCommand,
  addDeleteCommand,
  addGetCommand,
  addDescribeCommand,
  addDiffCommand,
  addCanaryCommand,
  addAnalyzeCommand,
  addExplainCommand,
  addProxyStatusCommand,
  addProxyConfigCommand,
  addLogsCommand,
  addExecCommand,
  addLoadCommand,
  addCompletionCommand,
];
