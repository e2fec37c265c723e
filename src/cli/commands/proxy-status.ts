// serin proxy-status: which proxy has acknowledged what.
import type { ProxyStatus, ProxyTypeStatus } from "../../admin-api/index.ts";
import { TYPE_URL } from "../../kit/index.ts";
import type { AddCommand } from "../cli.ts";
import { shortType } from "../live-line.ts";
import { addClientOptions, clientOf, type ClientOptions } from "../mesh-client.ts";
import type { Output } from "../output.ts";

const TYPES = [
  ["CDS", TYPE_URL.cluster],
  ["EDS", TYPE_URL.endpoint],
  ["LDS", TYPE_URL.listener],
  ["RDS", TYPE_URL.route],
  ["VHDS", TYPE_URL.virtualHost],
] as const;

export const addProxyStatusCommand: AddCommand = (program, cli) => {
  const command = program
    .command("proxy-status")
    .alias("ps")
    .description("which proxy has which config")
    .argument("[name]", "only proxies whose name or id has this in it");
  addClientOptions(cli.common(command)).action(async (name: string | undefined, options: ClientOptions) => {
    const client = clientOf(cli, options);
    const { revision } = await client.status();
    const proxies = (await client.proxies()).filter((proxy) => name === undefined || proxy.id.includes(name));
    if (options.output === "json") return cli.out.json({ revision, proxies });
    if (proxies.length === 0) return cli.out.note("no proxy is connected");
    const head = ["NAME", "TYPE", "PROTOCOL", ...TYPES.map(([title]) => title), "REVISION"];
    cli.out.table([head, ...proxies.map((proxy) => toRow(proxy, { revision, out: cli.out }))]);
    for (const proxy of proxies) {
      for (const type of proxy.types) {
        if (type.nack !== undefined)
          cli.out.print(`${nameOf(proxy)} refuses ${shortType(type.typeUrl)} since ${type.nack.at}: ${type.nack.message}`);
      }
    }
    if (proxies.some((proxy) => proxy.types.some((type) => type.nack !== undefined))) cli.exit(1);
    return undefined;
  });
};

function nameOf(proxy: ProxyStatus): string {
  return `${proxy.name}.${proxy.namespace}`;
}

function toRow(proxy: ProxyStatus, options: { readonly revision: number; readonly out: Output }): string[] {
  const states = TYPES.map(([, url]) =>
    stateOf(
      proxy.types.find((type) => type.typeUrl === url),
      options.out,
    ),
  );
  const behind = options.revision - proxy.revision;
  return [nameOf(proxy), proxy.type, proxy.protocol, ...states, `${proxy.revision}${behind > 0 ? ` (${behind} behind)` : ""}`];
}

function stateOf(type: ProxyTypeStatus | undefined, out: Output): string {
  if (type === undefined) return "-";
  if (type.nack !== undefined) return out.style("red", "REFUSED");
  return type.sent === type.acked ? out.style("green", `SYNCED ${type.resources}`) : out.style("yellow", `STALE ${type.resources}`);
}
