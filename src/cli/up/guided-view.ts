// What `up` shows: what runs where, the URL, the commands to try, and the split at the gateway while it moves.
import type { MeshFile, RuntimeState, StoredResource } from "../../admin-api/index.ts";
import type { Cli } from "../cli.ts";
import { type DestinationCount, parseClusterCounters, type Split, splitBetween } from "./cluster-counters.ts";
import { gatewayHosts, pathFor, splitRoutes } from "./entry-points.ts";

export function printOverview(options: {
  readonly cli: Cli;
  readonly mesh: MeshFile;
  readonly state: RuntimeState;
  readonly resources: readonly StoredResource[];
  /** "after 1.2 s" */
  readonly title: string;
}): void {
  const { cli, mesh, state, resources } = options;
  const { out } = cli;
  out.print(
    `${out.style(["bold", "green"], "Serin is up")} ${options.title} (data plane: ${mesh.proxy}). Everything listens on 127.0.0.1 only.\n`,
  );
  const rows = [["POD", "SIDECAR", "LISTENS"]];
  for (const pod of state.pods) {
    if (pod.owner === undefined) {
      const port = (service: number, at: number | undefined): string => `${service} → ${at ?? "?"}`;
      rows.push([
        `${pod.namespace}/${pod.name}`,
        "gateway",
        [port(80, pod.ports[0]?.meshPort), port(443, pod.ports[1]?.meshPort)].join(", "),
      ]);
      continue;
    }
    const ports = pod.ports.map((port) => `${port.containerPort} → ${port.meshPort}`).join(", ");
    rows.push([`${pod.namespace}/${pod.name}`, pod.sidecar === undefined ? "no" : "yes", ports]);
  }
  out.table(rows);
  const bare = state.pods.filter((pod) => pod.owner !== undefined && pod.sidecar === undefined);
  if (bare.length > 0) {
    const namespaces = [...new Set(bare.map((pod) => pod.namespace))].join(", ");
    const pods = bare.length === 1 ? "1 pod has" : `${bare.length} pods have`;
    out.print(
      out.style(
        "yellow",
        `\n${pods} no sidecar and cannot call Services by name. Istio's label for all pods of a namespace: istio-injection: enabled (${namespaces}).`,
      ),
    );
  }
  const hosts = gatewayHosts(resources);
  const own = mesh.name === "default" ? "" : ` --name ${mesh.name}`;
  if (hosts.length > 0) {
    out.print(`\nThe gateway: ${out.style("bold", mesh.gatewayUrl)}\n`);
    for (const host of hosts) {
      const url = `${mesh.gatewayUrl}${pathFor(host, resources)}`;
      out.print(`  ${host === "*" ? `curl ${url}` : `curl -H 'Host: ${host.replace("*", "any")}' ${url}`}`);
    }
  }
  const split = splitRoutes(resources)[0];
  if (split !== undefined) {
    const host = split.hosts.find((name) => !name.includes("*")) ?? split.service;
    out.print("\nIn another terminal:\n");
    out.print(`  ${cli.command} load${own} http://${host}/ --rate 50`);
    out.print(`  ${cli.command} canary set${own} ${split.service} ${split.subsets.at(-1) ?? ""}=25`);
    out.print(`  ${cli.command} status${own}`);
  }
  out.print("");
}

const SAMPLE_MS = 1000;

/** Prints the split of the last second whenever there was traffic. */
export function startSplitView(options: { readonly cli: Cli; readonly mesh: MeshFile; readonly quiet: boolean }): { stop(): void } {
  const { out } = options.cli;
  if (options.quiet) return { stop() {} };
  let before: readonly DestinationCount[] | undefined;
  let stopped = false;
  let idle = false;
  out.live(`Waiting for requests at ${options.mesh.gatewayUrl} (Ctrl-C stops everything).`);

  async function sample(): Promise<void> {
    const now = await readCounters(options.mesh.gatewayAdminUrl);
    if (stopped || now === undefined) return;
    const splits = before === undefined ? [] : splitBetween(before, now);
    before = now;
    if (splits.length > 0) out.live(splits.map((split) => formatSplit(split, options.cli)).join("   "));
    // On a log, silence; on a terminal the last line would look as if it were going on.
    else if (!idle && out.isTerminal && before.length > 0) out.live("no requests");
    idle = splits.length === 0;
  }

  const timer = setInterval(() => void sample(), SAMPLE_MS);
  void sample();
  return {
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}

function formatSplit({ host, parts, total }: Split, { out }: Cli): string {
  const shares = parts.map(({ subset, requests }) => {
    const share = ((100 * requests) / total).toFixed(0).padStart(3);
    return `${subset === "" ? "all" : subset} ${out.style("bold", `${share} %`)}`;
  });
  return `${host.split(".")[0] ?? host}  ${String(total).padStart(5)} requests/s  ${shares.join("  ")}`;
}

async function readCounters(adminUrl: string): Promise<DestinationCount[] | undefined> {
  try {
    const response = await fetch(`${adminUrl}/stats/prometheus`, { signal: AbortSignal.timeout(1000) });
    return response.ok ? parseClusterCounters(await response.text()) : undefined;
  } catch {
    return undefined;
  }
}
