// serin delete: resources by kind and name, or those that files name.
import type { LiveStatus, ResourceKey } from "../../admin-api/index.ts";
import { SerinError } from "../../kit/index.ts";
import { parseSources, refOf } from "../../resources/index.ts";
import type { AddCommand } from "../cli.ts";
import { readDocuments } from "../documents.ts";
import { addFilenameOption, type FileOptions } from "../file-arguments.ts";
import { formatIssue } from "../issue-lines.ts";
import { printLive, waitLive } from "../live-line.ts";
import { addClientOptions, clientOf, type ClientOptions } from "../mesh-client.ts";
import { findOne, formatKey, parseNameArgs } from "../resource-names.ts";

interface Options extends ClientOptions, FileOptions {
  readonly namespace?: string;
  readonly ignoreNotFound?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
}

export const addDeleteCommand: AddCommand = (program, cli) => {
  const command = program
    .command("delete")
    .description("delete resources: serin delete vs demo4, serin delete -f canary.yaml")
    .argument("[what...]", "KIND NAME... or KIND/NAME...");
  addFilenameOption(command, "the resources that this file or folder names; may be repeated")
    .option("-n, --namespace <namespace>", "namespace of the named resources")
    .option("--ignore-not-found", "what is not there is no failure")
    .option("--wait", "until every proxy has the change")
    .option("--timeout <time>", "how long --wait waits", "30s");
  addClientOptions(cli.common(command)).action(async (what: readonly string[], options: Options) => {
    if (what.length === 0 && options.filename.length === 0) command.error("error: give KIND NAME, or -f FILE");
    const client = clientOf(cli, options);
    const keys: ResourceKey[] = keysOfFiles(options.filename);
    const queries = what.length === 0 ? [] : parseNameArgs(what, options.namespace);
    if (queries.some((query) => query.name === undefined)) command.error("error: delete needs names; it does not delete all of a kind");
    for (const query of queries) {
      try {
        const { kind, metadata } = await findOne(client, query);
        keys.push({ kind, namespace: metadata.namespace, name: metadata.name });
      } catch (error) {
        if (options.ignoreNotFound !== true || !(error instanceof SerinError) || error.code !== "RESOURCE_NOT_FOUND") throw error;
      }
    }
    const present = options.ignoreNotFound === true ? await onlyPresent(keys, (key) => client.get(key)) : keys;
    const response = await client.delete(present);
    const refused = response.results.some((result) => result.action === "refused");
    let live: LiveStatus | undefined;
    if (options.wait === true && !refused) live = await waitLive(client, { revision: response.revision, timeout: options.timeout });
    if (options.output === "json") cli.out.json({ ...response, ...(live === undefined ? {} : { live }) });
    else {
      for (const issue of response.issues) cli.out.note(formatIssue(issue, cli.out));
      for (const { key, action } of response.results) cli.out.print(`${formatKey(key)} ${action}`);
      if (live !== undefined) printLive(live, cli.out);
    }
    if (refused || live?.live === false) cli.exit(1);
  });
};

async function onlyPresent(keys: readonly ResourceKey[], get: (key: ResourceKey) => Promise<unknown>): Promise<ResourceKey[]> {
  const found: ResourceKey[] = [];
  for (const key of keys) if ((await get(key)) !== undefined) found.push(key);
  return found;
}

/** Documents with errors count too, when they say what they are. */
function keysOfFiles(paths: readonly string[]): ResourceKey[] {
  if (paths.length === 0) return [];
  const { resources, issues } = parseSources(readDocuments(paths));
  const keys = new Map(
    [...resources.map(refOf), ...issues.map((issue) => issue.resource)].map((key) => [`${key.kind}/${key.namespace}/${key.name}`, key]),
  );
  return [...keys.values()].filter((key) => key.kind !== "" && key.name !== "");
}
