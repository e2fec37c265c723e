// serin canary: moves the share of a version. `set` edits the weights of the routes that name it and waits until every proxy has them.
import type { AdminClient, StoredResource } from "../../admin-api/index.ts";
import { SerinError } from "../../kit/index.ts";
import { type CanaryTarget, parseWeights, type RouteSplit, setWeights, type Weights } from "../canary/split.ts";
import type { AddCommand } from "../cli.ts";
import { formatIssue } from "../issue-lines.ts";
import { printLive, waitLive } from "../live-line.ts";
import { addClientOptions, clientOf, type ClientOptions } from "../mesh-client.ts";
import type { Output } from "../output.ts";

interface Options extends ClientOptions {
  readonly namespace?: string;
  readonly timeout: string;
  readonly wait: boolean;
}

interface Changed {
  readonly virtualService: StoredResource;
  readonly splits: readonly RouteSplit[];
  readonly revision: number;
}

/** How often a write that someone else overtook is made again on the newer version. */
const ATTEMPTS = 10;

export const addCanaryCommand: AddCommand = (program, cli) => {
  const canary = program.command("canary").description("steer a canary release");
  const set = canary
    .command("set")
    .description("set the share of a version: serin canary set demo4 v2=25")
    .argument("<host>", "host of the service, or name of the VirtualService")
    .argument("<weights...>", "SUBSET=PERCENT...; the other subsets share the rest")
    .option("-n, --namespace <namespace>", "namespace of the VirtualService or of the short host name")
    .option("--no-wait", "do not wait until the proxies have it")
    .option("--timeout <time>", "how long to wait", "30s");
  addClientOptions(cli.common(set)).action(async (host: string, args: readonly string[], options: Options) => {
    const weights = parseWeights(args);
    if (!weights.ok) throw new SerinError("CANARY_WEIGHTS_INVALID", weights.error, { fix: "Write them as v2=25." });
    const client = clientOf(cli, options);
    const changed = await changeAll(client, { target: { name: host, namespace: options.namespace }, weights: weights.value, out: cli.out });
    const revision = Math.max(...changed.map((change) => change.revision));
    const live = options.wait ? await waitLive(client, { revision, timeout: options.timeout }) : undefined;
    if (options.output === "json") {
      const routes = changed.flatMap(({ virtualService: { metadata }, splits }) =>
        splits.map((split) => ({ virtualService: { namespace: metadata.namespace, name: metadata.name }, ...split })),
      );
      cli.out.json({ revision, routes, ...(live === undefined ? {} : { live }) });
    } else {
      cli.out.table([["VIRTUALSERVICE", "ROUTE", "HOST", "SPLIT", "BEFORE"], ...changed.flatMap(toRows)]);
      if (live !== undefined) printLive(live, cli.out);
    }
    if (live?.live === false) cli.exit(1);
  });
};

function toRows({ virtualService: { metadata }, splits }: Changed): string[][] {
  const show = (parts: RouteSplit["after"]) => parts.map(({ subset, weight }) => `${subset}=${weight}`).join(" ");
  return splits.map((split) => [`${metadata.namespace}/${metadata.name}`, split.route, split.host, show(split.after), show(split.before)]);
}

async function changeAll(
  client: AdminClient,
  options: { readonly target: CanaryTarget; readonly weights: Weights; readonly out: Output },
): Promise<readonly Changed[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await changeOnce(client, options);
    } catch (error) {
      if (!(error instanceof SerinError) || error.code !== "STORE_CONFLICT" || attempt === ATTEMPTS) throw error;
    }
  }
}

/** All VirtualServices in one apply, each at the version it was read at. */
async function changeOnce(
  client: AdminClient,
  options: { readonly target: CanaryTarget; readonly weights: Weights; readonly out: Output },
): Promise<readonly Changed[]> {
  const { items } = await client.list({ kind: "VirtualService" });
  const edits: { readonly document: StoredResource; readonly splits: readonly RouteSplit[] }[] = [];
  for (const item of items) {
    const result = setWeights(item, options);
    if (!result.ok) throw new SerinError("CANARY_REFUSED", result.error, { fix: "Change the VirtualService and apply it." });
    if (result.value.splits.length > 0) edits.push(result.value);
  }
  if (edits.length === 0) {
    const subsets = [...options.weights.keys()].join(" and ");
    throw new SerinError("CANARY_NOT_FOUND", `no route to ${options.target.name} names ${subsets} and another subset beside`, {
      fix: "See `serin get vs`; a route with both subsets, even at weight 0, can be steered.",
    });
  }
  const documents = edits.map(({ document }) => {
    const { status: _status, ...rest } = document;
    return { file: `VirtualService ${document.metadata.namespace}/${document.metadata.name}`, text: JSON.stringify(rest) };
  });
  const response = await client.apply({ documents });
  if (response.results.some((result) => result.action === "refused")) {
    for (const issue of response.issues) options.out.note(formatIssue(issue, options.out));
    throw new SerinError("APPLY_REFUSED", "the change was refused", { fix: "Mend what is listed above." });
  }
  return edits.map((edit) => ({ virtualService: edit.document, splits: edit.splits, revision: response.revision }));
}
