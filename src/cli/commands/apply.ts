// serin apply: documents to the running mesh, all or nothing; with --wait until every proxy has them.
import type { LiveStatus } from "../../admin-api/index.ts";
import type { AddCommand } from "../cli.ts";
import { addFileArguments, type FileOptions } from "../file-arguments.ts";
import { readDocuments } from "../documents.ts";
import { countIssues, formatIssue } from "../issue-lines.ts";
import { printLive, waitLive } from "../live-line.ts";
import { addClientOptions, clientOf, type ClientOptions } from "../mesh-client.ts";
import { formatKey } from "../resource-names.ts";

interface Options extends ClientOptions, FileOptions {
  readonly wait?: boolean;
  readonly timeout: string;
  readonly dryRun?: boolean;
}

export const addApplyCommand: AddCommand = (program, cli) => {
  const command = addFileArguments(program.command("apply").description("apply files to the running mesh"))
    .option("--wait", "until every proxy has the change")
    .option("--timeout <time>", "how long --wait waits", "30s")
    .option("--dry-run", "only check");
  addClientOptions(cli.common(command)).action(async (paths: readonly string[], options: Options) => {
    const all = [...paths, ...options.filename];
    if (all.length === 0) command.error("error: give files, folders, or - for stdin");
    const documents = readDocuments(all);
    const client = clientOf(cli, options);
    const response = await client.apply({ documents, ...(options.dryRun === undefined ? {} : { dryRun: true }) });
    const refused = response.results.some((result) => result.action === "refused");
    let live: LiveStatus | undefined;
    if (!refused && options.wait === true && options.dryRun !== true) {
      live = await waitLive(client, { revision: response.revision, timeout: options.timeout });
    }
    if (options.output === "json") cli.out.json({ ...response, ...(live === undefined ? {} : { live }) });
    else {
      for (const issue of response.issues) cli.out.note(formatIssue(issue, cli.out));
      for (const { key, action } of response.results)
        cli.out.print(`${formatKey(key)} ${action}${options.dryRun === true ? " (dry run)" : ""}`);
      if (refused) cli.out.note(`nothing was applied: ${countIssues(response.issues)}`);
      if (live !== undefined) printLive(live, cli.out);
    }
    if (refused || live?.live === false) cli.exit(1);
  });
};
