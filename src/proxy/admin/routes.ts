// What the admin endpoint answers, path by path, in Envoy's shapes. https://www.envoyproxy.io/docs/envoy/latest/operations/admin
import { ok, type Result, VERSION } from "../../kit/index.ts";
import type { DataPlane } from "../data-plane.ts";
import type { Stats } from "../observe/stats.ts";
import { isSocketPath } from "../transport/socket-path.ts";
import { hostName } from "../upstream/host.ts";
import { compileSearch } from "../regex/regex.ts";
import type { Assembly } from "../xds/assembler.ts";
import type { ResourceStore } from "../xds/resource-store.ts";
import type { Values } from "../wire/values.ts";
import { renderClustersJson, renderClustersText } from "./clusters.ts";
import { dumpConfig } from "./config-dump.ts";
import { renderPrometheus } from "./prometheus.ts";
import { type AdminAnswer, type AdminRoute, jsonAnswer } from "./server.ts";
import { renderStatsJson, renderStatsText, type StatsFilter } from "./stats-text.ts";

export type ServerState = "LIVE" | "DRAINING" | "PRE_INITIALIZING" | "INITIALIZING";

export interface AdminContext {
  readonly plane: DataPlane;
  readonly stats: Stats;
  readonly store: ResourceStore;
  /** Of secrets that come by other streams. */
  secretStores(): readonly ResourceStore[];
  readonly bootstrap: Readonly<Record<string, unknown>>;
  readonly node: Values;
  readonly isStaticCluster: (name: string) => boolean;
  readonly startedAt: number;
  assembly(): Assembly;
  state(): ServerState;
  uptimeMs(): number;
  drain(): void;
  startDraining(): void;
  reopenLogs(): void;
  quit(): void;
}

export function adminRoutes(context: AdminContext): ReadonlyMap<string, AdminRoute> {
  const done = (act: () => void): AdminAnswer => {
    act();
    return { body: "OK\n" };
  };
  const post = (help: string, act: () => void): AdminRoute => ({ method: "POST", help, handle: () => done(act) });
  return new Map<string, AdminRoute>([
    ["/ready", { method: "GET", help: "200 when the proxy is live", handle: () => ready(context) }],
    [
      "/stats",
      { method: "GET", help: "statistics", parameters: ["filter", "format", "usedonly"], handle: (query) => stats(context, query) },
    ],
    [
      "/stats/prometheus",
      {
        method: "GET",
        help: "statistics for Prometheus",
        parameters: ["filter", "usedonly"],
        handle: (query) => stats(context, new URLSearchParams([...query, ["format", "prometheus"]])),
      },
    ],
    ["/clusters", { method: "GET", help: "clusters and their hosts", parameters: ["format"], handle: (query) => clusters(context, query) }],
    ["/listeners", { method: "GET", help: "listeners", parameters: ["format"], handle: (query) => listeners(context, query) }],
    [
      "/config_dump",
      { method: "GET", help: "the running config", parameters: ["include_eds"], handle: (query) => configDump(context, query) },
    ],
    ["/server_info", { method: "GET", help: "version, state, node", handle: () => serverInfo(context) }],
    ["/memory", { method: "GET", help: "memory in bytes", handle: memory }],
    ["/drain", post("finish what runs, accept nothing new", context.drain)],
    ["/drain_listeners", post("finish what runs, accept nothing new", context.drain)],
    ["/healthcheck/fail", post("ask callers to go elsewhere, still accept", context.startDraining)],
    ["/reopen_logs", post("open access logs anew", context.reopenLogs)],
    ["/quitquitquit", post("end the proxy", context.quit)],
  ]);
}

function ready(context: AdminContext): AdminAnswer {
  const state = context.state();
  return { status: state === "LIVE" ? 200 : 503, body: `${state}\n` };
}

function filterOf(query: URLSearchParams): Result<StatsFilter> {
  const usedOnly = query.has("usedonly");
  const pattern = query.get("filter");
  if (pattern === null || pattern === "") return ok({ matches: () => true, usedOnly });
  const compiled = compileSearch(pattern);
  return compiled.ok ? ok({ matches: compiled.value, usedOnly }) : compiled;
}

function stats(context: AdminContext, query: URLSearchParams): AdminAnswer {
  const filter = filterOf(query);
  if (!filter.ok) return { status: 400, body: `Invalid regex: ${filter.error}\n` };
  refreshServerStats(context);
  switch (query.get("format") ?? "text") {
    case "text":
      return { body: renderStatsText(context.stats, filter.value) };
    case "json":
      return jsonAnswer(renderStatsJson(context.stats, filter.value));
    case "prometheus":
      return { type: "text/plain; version=0.0.4", body: renderPrometheus(context.stats, filter.value) };
    default:
      return { status: 400, body: "usage: /stats?format=(text|json|prometheus)\n" };
  }
}

const STATES: readonly ServerState[] = ["LIVE", "DRAINING", "PRE_INITIALIZING", "INITIALIZING"];

function refreshServerStats(context: AdminContext): void {
  const { heapUsed, heapTotal, rss } = process.memoryUsage();
  const state = context.state();
  const values: Readonly<Record<string, number>> = {
    live: state === "LIVE" ? 1 : 0,
    state: STATES.indexOf(state),
    uptime: Math.floor(context.uptimeMs() / 1000),
    concurrency: 1,
    memory_allocated: heapUsed,
    memory_heap_size: heapTotal,
    memory_physical_size: rss,
  };
  for (const [name, value] of Object.entries(values))
    context.stats.gauge({ name: `server.${name}`, tags: {}, fullName: `server.${name}` }).value = value;
}

function clusters(context: AdminContext, query: URLSearchParams): AdminAnswer {
  const view = { status: context.plane.clusters(), isStatic: context.isStaticCluster };
  return query.get("format") === "json" ? jsonAnswer(renderClustersJson(view)) : { body: renderClustersText(view) };
}

function listeners(context: AdminContext, query: URLSearchParams): AdminAnswer {
  const all = context.plane.listeners();
  if (query.get("format") !== "json")
    return {
      body: all.map(({ name, address, port }) => `${name}::${hostName(address, port)}\n`).join(""),
    };
  return jsonAnswer({
    listener_statuses: all.map(({ name, address, port }) => ({
      name,
      local_address: isSocketPath(address) ? { pipe: { path: address } } : { socket_address: { address, port_value: port } },
    })),
  });
}

async function configDump(context: AdminContext, query: URLSearchParams): Promise<AdminAnswer> {
  const { warmingClusters, warmingListeners } = context.assembly();
  return jsonAnswer(
    await dumpConfig({
      store: context.store,
      secretStores: context.secretStores(),
      bootstrap: context.bootstrap,
      warmingClusters,
      warmingListeners,
      startedAt: context.startedAt,
      includeEds: query.has("include_eds"),
    }),
  );
}

function serverInfo(context: AdminContext): AdminAnswer {
  const uptime = `${Math.floor(context.uptimeMs() / 1000)}s`;
  return jsonAnswer({
    version: `serin/${VERSION}`,
    state: context.state(),
    uptime_current_epoch: uptime,
    uptime_all_epochs: uptime,
    node: context.bootstrap["node"] ?? {},
  });
}

function memory(): AdminAnswer {
  const { heapUsed, heapTotal, external, rss } = process.memoryUsage();
  return jsonAnswer({
    allocated: String(heapUsed),
    heap_size: String(heapTotal),
    external: String(external),
    total_physical_bytes: String(rss),
  });
}
