// serin get: resources of the running mesh as a table, YAML or JSON.
import { stringify } from "yaml";
import type { StoredResource } from "../../admin-api/index.ts";
import type { AddCommand } from "../cli.ts";
import { addClientOptions, clientOf, type ClientOptions } from "../mesh-client.ts";
import { findResources, notFound, parseNameArgs } from "../resource-names.ts";
import { toTables } from "../resource-table.ts";

interface Options extends ClientOptions {
  readonly namespace?: string;
}

export const addGetCommand: AddCommand = (program, cli) => {
  const command = program
    .command("get")
    .description("list resources: serin get vs, serin get svc,dr -n test1, serin get vs/demo4 -o yaml")
    .argument("<what...>", "KIND[,KIND] [NAME...], KIND/NAME..., or all")
    .option("-n, --namespace <namespace>", "only this namespace (default: all)")
    .option("-A, --all-namespaces", "all namespaces, the default here");
  addClientOptions(cli.common(command, ["table", "yaml", "json"])).action(async (what: readonly string[], options: Options) => {
    const client = clientOf(cli, options);
    const queries = parseNameArgs(what, options.namespace);
    const found: StoredResource[] = [];
    for (const query of queries) {
      const objects = await findResources(client, query);
      if (objects.length === 0 && query.name !== undefined) throw notFound(query);
      found.push(...objects);
    }
    const one = queries.length === 1 && queries[0]?.name !== undefined && found.length === 1 ? found[0] : undefined;
    const value = one ?? { apiVersion: "v1", kind: "List", items: found };
    if (options.output === "json") cli.out.json(value);
    else if (options.output === "yaml") cli.out.print(found.map((object) => stringify(object, { lineWidth: 0 }).trimEnd()).join("\n---\n"));
    else if (found.length === 0) cli.out.note("nothing found");
    else for (const rows of toTables(found, Date.now())) cli.out.table(rows);
  });
};
