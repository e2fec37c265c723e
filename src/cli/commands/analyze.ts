// serin analyze: every issue of files, or of the running mesh. Exit 0 no errors, 1 errors, 2 could not run.
import type { AddCommand } from "../cli.ts";
import { addFileArguments, type FileOptions } from "../file-arguments.ts";
import { countIssues, formatIssue } from "../issue-lines.ts";
import { addClientOptions, clientOf, type ClientOptions } from "../mesh-client.ts";
import { readOfflineMesh, sortIssues } from "../offline-mesh.ts";

interface Options extends ClientOptions, FileOptions {
  readonly meshConfig?: string;
}

export const addAnalyzeCommand: AddCommand = (program, cli) => {
  const command = addFileArguments(
    program.command("analyze").description("what is wrong in files, or without any, in the running mesh"),
  ).option("--mesh-config <file>", "Istio's MeshConfig for the files");
  addClientOptions(cli.common(command)).action(async (paths: readonly string[], options: Options) => {
    const all = [...paths, ...options.filename];
    const issues =
      all.length > 0
        ? readOfflineMesh({ paths: all, meshConfig: options.meshConfig }).issues
        : sortIssues(await clientOf(cli, options).issues());
    if (options.output === "json") cli.out.json(issues);
    else {
      for (const issue of issues) cli.out.print(formatIssue(issue, cli.out));
      cli.out.print(issues.length === 0 ? "no issues" : countIssues(issues));
    }
    if (issues.some((issue) => issue.severity === "error")) cli.exit(1);
  });
};
