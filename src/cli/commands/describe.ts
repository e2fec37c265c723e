// serin describe: one resource with what is wrong with it, which proxies have it, and where it leads.
import { stringify } from "yaml";
import type { StoredResource } from "../../admin-api/index.ts";
import type { AddCommand } from "../cli.ts";
import { endpointsFor, holdersOf, readDumps } from "../holders.ts";
import { formatIssue } from "../issue-lines.ts";
import { addClientOptions, clientOf, type ClientOptions } from "../mesh-client.ts";
import { findOne, parseNameArgs } from "../resource-names.ts";

interface Options extends ClientOptions {
  readonly namespace?: string;
}

export const addDescribeCommand: AddCommand = (program, cli) => {
  const command = program
    .command("describe")
    .description("one resource with its issues, the proxies that have it and its endpoints")
    .argument("<what...>", "KIND NAME or KIND/NAME")
    .option("-n, --namespace <namespace>", "namespace of the resource");
  addClientOptions(cli.common(command)).action(async (what: readonly string[], options: Options) => {
    const queries = parseNameArgs(what, options.namespace);
    const [query] = queries;
    if (query?.name === undefined || queries.length > 1) return command.error("error: describe takes one KIND and NAME");
    const client = clientOf(cli, options);
    const object = await findOne(client, query);
    const { kind, metadata } = object;
    const issues = (await client.issues()).filter(
      (issue) => issue.resource.kind === kind && issue.resource.namespace === metadata.namespace && issue.resource.name === metadata.name,
    );
    const all = await readDumps(client);
    const revision = Number(metadata.resourceVersion);
    const holders = holdersOf(object, all).map(({ proxy }) => ({
      id: proxy.id,
      name: `${proxy.name}.${proxy.namespace}`,
      hasThisVersion: proxy.revision >= revision,
    }));
    const endpoints = endpointsFor(hostsOf(object), all);
    if (options.output === "json") return cli.out.json({ resource: object, issues, proxies: holders, endpoints });
    cli.out.print(stringify(object, { lineWidth: 0 }).trimEnd());
    cli.out.print(`\n${cli.out.style("bold", "Issues")}`);
    cli.out.print(issues.length === 0 ? "none" : issues.map((issue) => formatIssue(issue, cli.out)).join("\n"));
    if (kind !== "Pod" && kind !== "Deployment") {
      cli.out.print(`\n${cli.out.style("bold", "Proxies that have it")}`);
      if (holders.length === 0) cli.out.print("none");
      else cli.out.table([["PROXY", "THIS VERSION"], ...holders.map((holder) => [holder.name, holder.hasThisVersion ? "yes" : "not yet"])]);
    }
    if (endpoints.length > 0) {
      cli.out.print(`\n${cli.out.style("bold", "Endpoints")}`);
      const rows = endpoints.flatMap(({ cluster, endpoints: list }) =>
        list.length === 0 ? [[cluster, "none", ""]] : list.map(({ address, health }) => [cluster, address, health]),
      );
      cli.out.table([["CLUSTER", "ENDPOINT", "HEALTH"], ...rows]);
    }
    return undefined;
  });
};

/** The hosts whose endpoints the resource leads to. */
function hostsOf(object: StoredResource): readonly string[] {
  const { name, namespace } = object.metadata;
  const spec = (object.spec ?? {}) as {
    readonly host?: string;
    readonly hosts?: readonly string[];
    readonly http?: unknown;
    readonly tcp?: unknown;
    readonly tls?: unknown;
  };
  const full = (host: string) => (host.includes(".") ? host : `${host}.${namespace}.svc.cluster.local`).toLowerCase();
  if (object.kind === "Service") return [full(name)];
  if (object.kind === "ServiceEntry") return (spec.hosts ?? []).map(full);
  if (object.kind === "DestinationRule" && spec.host !== undefined) return [full(spec.host)];
  if (object.kind !== "VirtualService") return [];
  const found = JSON.stringify([spec.http, spec.tcp, spec.tls]).matchAll(/"destination":\{[^{}]*?"host":"([^"]+)"/g);
  return [...new Set([...found].map((match) => full(match[1] ?? "")))];
}
