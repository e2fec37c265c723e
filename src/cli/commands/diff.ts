// serin diff: what `serin apply` of these files would change, as a unified diff from the running mesh to the files.
import { stringify } from "yaml";
import type { AdminClient, StoredResource } from "../../admin-api/index.ts";
import { SerinError } from "../../kit/index.ts";
import { parseSources, refOf, type Resource } from "../../resources/index.ts";
import type { AddCommand } from "../cli.ts";
import { addFileArguments, type FileOptions } from "../file-arguments.ts";
import { toUnifiedDiff } from "../diff/unified-diff.ts";
import { readDocuments } from "../documents.ts";
import { formatIssue } from "../issue-lines.ts";
import { addClientOptions, clientOf, type ClientOptions } from "../mesh-client.ts";
import { formatKey } from "../resource-names.ts";

interface Options extends ClientOptions, FileOptions {}

export const addDiffCommand: AddCommand = (program, cli) => {
  const command = addFileArguments(program.command("diff").description("what apply would change; exit 0 nothing, 1 something"));
  addClientOptions(cli.common(command)).action(async (paths: readonly string[], options: Options) => {
    const all = [...paths, ...options.filename];
    if (all.length === 0) command.error("error: give files, folders, or - for stdin");
    const { resources, issues } = parseSources(readDocuments(all));
    const errors = issues.filter((issue) => issue.severity === "error");
    if (errors.length > 0) {
      for (const issue of errors) cli.out.note(formatIssue(issue, cli.out));
      throw new SerinError("DOCUMENTS_INVALID", "the files have errors", { fix: "Mend what is listed above." });
    }
    const diffs = await diffAll(clientOf(cli, options), resources);
    const changed = diffs.filter(({ diff }) => diff !== "");
    if (options.output === "json") cli.out.json(changed);
    else for (const { diff } of changed) cli.out.print(colour(diff, (style, line) => cli.out.style(style, line)));
    if (changed.length > 0) cli.exit(1);
  });
};

async function diffAll(client: AdminClient, resources: readonly Resource[]) {
  const diffs: { readonly resource: { kind: string; namespace: string; name: string }; readonly diff: string }[] = [];
  for (const resource of resources) {
    const key = refOf(resource);
    const stored = await client.get(key);
    const after = toDocument(resource, stored);
    const before = stored === undefined ? "" : toText(stored);
    const name = formatKey(key);
    diffs.push({
      resource: key,
      diff: toUnifiedDiff({ before, after: toText(after), from: `running ${name}`, to: `${resource.locate("").file} ${name}` }),
    });
  }
  return diffs;
}

/** As the store would keep it: what the server sets and the file leaves out is that of the stored one. */
function toDocument(resource: Resource, stored: StoredResource | undefined): Pick<StoredResource, "apiVersion" | "kind" | "metadata"> {
  const flat = ["ConfigMap", "Secret", "ServiceAccount"].includes(resource.kind);
  let spec = resource.spec as Readonly<Record<string, unknown>>;
  const clusterIP = (stored?.spec as { readonly clusterIP?: string } | undefined)?.clusterIP;
  if (resource.kind === "Service" && spec["clusterIP"] === undefined && clusterIP !== undefined) spec = { ...spec, clusterIP };
  return {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    metadata: resource.metadata as unknown as StoredResource["metadata"],
    ...(flat ? spec : { spec }),
  };
}

/** What a user writes, in one order of keys. */
function toText(object: Pick<StoredResource, "apiVersion" | "kind" | "metadata"> & { readonly status?: unknown }): string {
  const { metadata, status: _status, ...rest } = object;
  const { name, namespace, labels, annotations } = metadata;
  const some = (map: Readonly<Record<string, string>> | undefined) => map !== undefined && Object.keys(map).length > 0;
  const shown = {
    ...rest,
    metadata: { name, namespace, ...(some(labels) ? { labels } : {}), ...(some(annotations) ? { annotations } : {}) },
  };
  return stringify(shown, { lineWidth: 0, sortMapEntries: true, aliasDuplicateObjects: false });
}

function colour(diff: string, style: (style: "red" | "green" | "cyan", line: string) => string): string {
  return diff
    .trimEnd()
    .split("\n")
    .map((line) =>
      line.startsWith("+")
        ? style("green", line)
        : line.startsWith("-")
          ? style("red", line)
          : line.startsWith("@@")
            ? style("cyan", line)
            : line,
    )
    .join("\n");
}
