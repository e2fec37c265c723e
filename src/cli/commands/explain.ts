// serin explain: which listener, virtual host, rule, cluster and endpoints a request meets, and why not the earlier rules.
import { existsSync } from "node:fs";
import { Option } from "commander";
import { SerinError } from "../../kit/index.ts";
import { decodeResources } from "../../proxy/matcher.ts";
import { inboundFor, viewFor } from "../../translate/index.ts";
import { generate } from "../../xds/index.ts";
import type { AddCommand } from "../cli.ts";
import { chooseArrival } from "../explain/arrival.ts";
import { describeCaller } from "../explain/caller.ts";
import { type CurlRequest, parseCurlArgs } from "../explain/curl-args.ts";
import { explain, noListener } from "../explain/explain.ts";
import { type Explanation, formatShare } from "../explain/explanation.ts";
import { readOfflineWorld, readRunningWorld, type World } from "../explain/world.ts";
import { addClientOptions, clientOf, type ClientOptions } from "../mesh-client.ts";
import type { Output } from "../output.ts";

interface Options extends Omit<ClientOptions, "output"> {
  readonly output: string;
  readonly from?: string;
  readonly gateway?: string;
  readonly meshConfig?: string;
  readonly port?: string;
}

export const addExplainCommand: AddCommand = (program, cli) => {
  const command = program
    .command("explain")
    .description("where a request goes and why: serin explain curl -H 'cookie: a=b' http://demo4.a.com/")
    .argument("<request...>", "the request as curl takes it, with or without the word curl; tcp://HOST:PORT for a plain connection")
    .option("--from <caller>", "pod of the running mesh, or labels: app=client,ns=default")
    .option("--gateway <labels>", "at the gateway with these labels: istio=ingressgateway")
    .option("--port <port>", "straight at this port of the proxy")
    .option("--mesh-config <file>", "Istio's MeshConfig for the files")
    .option("-o, --output <format>", "text or json", "text")
    .addOption(new Option("--name <mesh>", "name of the mesh").default("default").env("SERIN_MESH"))
    .addHelpText("after", "\n  -f, --filename <path>   a mesh from this file or folder instead of the running one; may be repeated")
    .allowUnknownOption();
  addClientOptions(command).action(async (_request: readonly string[], options: Options) => {
    const { paths, rest } = takeFiles(command.args);
    const request = parseCurlArgs(rest);
    if (!request.ok) throw new SerinError("EXPLAIN_REQUEST_INVALID", request.error, { fix: "Write the request as curl takes it." });
    const caller = { from: options.from, gateway: options.gateway };
    const world =
      paths.length > 0
        ? readOfflineWorld(request.value, { ...caller, paths, meshConfig: options.meshConfig })
        : await readRunningWorld(request.value, clientOf(cli, { ...options, output: "json" }), caller);
    const explanation = explainIn(world, request.value, options.port === undefined ? undefined : parsePort(options.port));
    if (options.output === "json") cli.out.json(explanation);
    else printExplanation(explanation, { request: request.value, caller: describeCaller(world.caller), out: cli.out });
  });
};

/** `-f PATH` is ours where the path is there; curl's own -f takes no value. */
function takeFiles(args: readonly string[]): { readonly paths: readonly string[]; readonly rest: readonly string[] } {
  const paths: string[] = [];
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    const next = args[i + 1];
    if (arg.startsWith("--filename=")) paths.push(arg.slice(11));
    else if (arg === "--filename" && next !== undefined) paths.push(args[++i] ?? "");
    else if (arg === "-f" && next !== undefined && (next === "-" || existsSync(next) || args[0] !== "curl")) paths.push(args[++i] ?? "");
    else if (arg !== "-f") rest.push(arg);
  }
  return { paths, rest };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new SerinError("EXPLAIN_REQUEST_INVALID", `${text} is not a port`, { fix: "Give a number from 1 to 65535." });
}

function explainIn({ snapshot, caller }: World, request: CurlRequest, port: number | undefined): Explanation {
  const view = viewFor(snapshot, caller);
  const resources = generate({ config: view, inbound: inboundFor(snapshot, caller), endpoints: snapshot.endpoints });
  const config = decodeResources(resources);
  const arrival = chooseArrival(request, { view, config, port });
  return typeof arrival === "string" ? noListener(request, arrival) : explain(request, arrival, config);
}

function printExplanation(
  explanation: Explanation,
  context: { readonly request: CurlRequest; readonly caller: string; readonly out: Output },
): void {
  const { request, out } = context;
  out.print(`${request.method} ${request.scheme}://${request.authority}${request.path} from the ${context.caller}`);
  for (const line of explanation.why) out.print(`  ${line}`);
  const rows = [
    ["listener", explanation.listener],
    ["filter chain", explanation.filterChain],
    ["route config", explanation.routeConfig],
    ["virtual host", explanation.virtualHost],
    ["route", explanation.route],
    ["clusters", explanation.clusters.length === 0 ? null : explanation.clusters.map(formatShare).join(", ")],
    ["status", explanation.status === null ? null : String(explanation.status)],
  ].filter((row): row is [string, string] => row[1] !== null);
  if (rows.length > 0) out.table(rows);
  for (const endpoint of explanation.endpoints)
    out.print(`  ${endpoint.address}${endpoint.healthy ? "" : " (unhealthy)"}  ${endpoint.cluster}`);
}
