// serin proxy-config: what the control plane sends to one proxy, and the bootstrap it was started with.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { Argument } from "commander";
import { stringify } from "yaml";
import { SerinError, TYPE_URL } from "../../kit/index.ts";
import type { AddCommand, Cli } from "../cli.ts";
import { findProxy } from "../find-proxy.ts";
import { addClientOptions, clientOf, type ClientOptions } from "../mesh-client.ts";
import { clusterRows, type DumpEntry, endpointRows, listenerRows, routeRows } from "../proxy-config-table.ts";

interface Options extends ClientOptions {
  readonly namespace?: string;
}

const PARTS = {
  listeners: [TYPE_URL.listener],
  routes: [TYPE_URL.route, TYPE_URL.virtualHost],
  clusters: [TYPE_URL.cluster],
  endpoints: [TYPE_URL.endpoint],
  bootstrap: [],
} as const;

const ALIASES: Readonly<Record<string, keyof typeof PARTS>> = {
  listener: "listeners",
  l: "listeners",
  route: "routes",
  r: "routes",
  cluster: "clusters",
  c: "clusters",
  endpoint: "endpoints",
  ep: "endpoints",
  b: "bootstrap",
};

export const addProxyConfigCommand: AddCommand = (program, cli) => {
  const command = program
    .command("proxy-config")
    .alias("pc")
    .description("what a proxy is told: serin proxy-config routes demo4-v1-abc")
    .addArgument(new Argument("<part>", "what to show").choices([...Object.keys(PARTS), ...Object.keys(ALIASES)]))
    .argument("<pod>", "name of the pod, or the beginning of it")
    .option("-n, --namespace <namespace>", "namespace of the pod");
  addClientOptions(cli.common(command, ["table", "yaml", "json"])).action(async (named: string, pod: string, options: Options) => {
    const part = ALIASES[named] ?? (named as keyof typeof PARTS);
    const client = clientOf(cli, options);
    const proxy = await findProxy(client, pod, options.namespace);
    if (part === "bootstrap") return printValue(cli, options, readBootstrap(cli, options, proxy.id));
    const dump = await client.proxyConfig(proxy.id);
    const entries = (typeUrl: string): readonly DumpEntry[] => dump.byType[typeUrl] ?? [];
    if (options.output !== "table")
      return printValue(cli, options, Object.fromEntries(PARTS[part].map((typeUrl) => [typeUrl, entries(typeUrl)])));
    const rows = {
      listeners: () => listenerRows(entries(TYPE_URL.listener)),
      routes: () => routeRows(entries(TYPE_URL.route), entries(TYPE_URL.virtualHost)),
      clusters: () => clusterRows(entries(TYPE_URL.cluster)),
      endpoints: () => endpointRows(entries(TYPE_URL.endpoint)),
    }[part]();
    return cli.out.table(rows);
  });
};

function printValue(cli: Cli, options: Options, value: unknown): void {
  if (options.output === "json") cli.out.json(value);
  else cli.out.print(stringify(value, { lineWidth: 0 }).trimEnd());
}

/** The bootstrap file that the runtime wrote for this proxy; proxies that someone else started keep theirs. */
function readBootstrap(cli: Cli, options: Options, id: string): unknown {
  const { run } = cli.paths(options);
  const files = existsSync(run) ? readdirSync(run, { recursive: true, encoding: "utf8" }) : [];
  for (const file of files.filter((name) => name.endsWith(".json"))) {
    const value = readJson(path.join(run, file));
    if (value?.node?.id === id) return value;
  }
  throw new SerinError("BOOTSTRAP_NOT_FOUND", `the runtime has no bootstrap file of ${id}`, {
    fix: "Ask the proxy's own admin address: /config_dump.",
  });
}

function readJson(file: string): { readonly node?: { readonly id?: string } } | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as { readonly node?: { readonly id?: string } };
  } catch {
    return undefined;
  }
}
