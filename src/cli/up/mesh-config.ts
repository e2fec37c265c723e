// MeshConfig for `serin up`: checked here, where somebody reads what is wrong; the control plane reads the file again.
import type { RuntimeOptions } from "../../admin-api/index.ts";
import { SerinError } from "../../kit/index.ts";
import { readMeshConfigFile } from "../../resources/index.ts";
import type { Cli } from "../cli.ts";
import { countIssues, formatIssue } from "../issue-lines.ts";

export function readMeshConfig(cli: Cli, file: string): NonNullable<RuntimeOptions["meshConfig"]> {
  const { value, issues } = readMeshConfigFile(file);
  for (const issue of issues) cli.out.note(formatIssue(issue, cli.out));
  if (value === undefined)
    throw new SerinError("MESH_CONFIG_INVALID", `${file}: ${countIssues(issues)}`, { fix: "Mend the file and start again." });
  const { defaultConfig = {}, rootNamespace = "" } = value as {
    readonly defaultConfig?: Readonly<Record<string, unknown>>;
    readonly rootNamespace?: string;
  };
  return { file, defaultConfig, rootNamespace: rootNamespace === "" ? "istio-system" : rootNamespace };
}
