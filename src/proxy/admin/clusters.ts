// Clusters and their hosts as Envoy's admin endpoint shows them.
// https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--clusters
import { isSocketPath } from "../transport/socket-path.ts";
import type { ClusterStatus } from "../upstream/cluster-manager.ts";

type HostStatus = ClusterStatus["hosts"][number];

export interface ClusterView {
  readonly status: readonly ClusterStatus[];
  readonly isStatic: (name: string) => boolean;
}

export function renderClustersText({ status, isStatic }: ClusterView): string {
  const out: string[] = [];
  for (const { name, config, hosts } of status) {
    const { breakers } = config;
    const facts: [string, string | number | boolean][] = [
      ["observability_name", config.altStatName === "" ? name : config.altStatName],
      ["default_priority::max_connections", breakers.maxConnections],
      ["default_priority::max_pending_requests", breakers.maxPendingRequests],
      ["default_priority::max_requests", breakers.maxRequests],
      ["default_priority::max_retries", breakers.maxRetries],
      ["added_via_api", !isStatic(name)],
      ...(config.type === "EDS" ? ([["eds_service_name", config.edsServiceName]] as [string, string][]) : []),
    ];
    for (const [fact, value] of facts) out.push(`${name}::${fact}::${value}\n`);
    for (const host of hosts) for (const [fact, value] of hostFacts(host)) out.push(`${name}::${host.address}::${fact}::${value}\n`);
  }
  return out.join("");
}

function hostFacts(host: HostStatus): (readonly [string, string | number | boolean])[] {
  const [region = "", zone = "", subZone = ""] = host.locality.split("/");
  return [
    ...hostCounts(host),
    ["hostname", host.hostname],
    ["health_flags", healthFlags(host)],
    ["weight", host.weight],
    ["region", region],
    ["zone", zone],
    ["sub_zone", subZone],
    ["canary", false],
    ["priority", host.priority],
    ["success_rate", -1],
    ["local_origin_success_rate", -1],
  ];
}

function healthFlags({ healthy, degraded, ejected }: HostStatus): string {
  const flags = [
    ejected ? "/failed_outlier_check" : "",
    healthy ? "" : "/failed_eds_health",
    healthy && degraded ? "/degraded_eds_health" : "",
  ];
  return flags.join("") || "healthy";
}

function hostCounts({ stats }: HostStatus): (readonly [string, number])[] {
  return [
    ["cx_active", stats.cxActive],
    ["cx_connect_fail", stats.cxConnectFail],
    ["cx_total", stats.cxTotal],
    ["rq_active", stats.rqActive],
    ["rq_error", stats.rqError],
    ["rq_success", stats.rqSuccess],
    ["rq_timeout", stats.rqTimeout],
    ["rq_total", stats.rqTotal],
  ];
}

const GAUGES: ReadonlySet<string> = new Set(["cx_active", "rq_active"]);

export function renderClustersJson({ status, isStatic }: ClusterView): unknown {
  return {
    cluster_statuses: status.map(({ name, config, hosts }) => ({
      name,
      added_via_api: !isStatic(name),
      observability_name: config.altStatName === "" ? name : config.altStatName,
      ...(config.type === "EDS" ? { eds_service_name: config.edsServiceName } : {}),
      host_statuses: hosts.map(hostJson),
    })),
  };
}

function addressJson(text: string): unknown {
  if (isSocketPath(text)) return { pipe: { path: text } };
  const at = text.lastIndexOf(":");
  return { socket_address: { address: text.slice(0, at).replace(/^\[|\]$/g, ""), port_value: Number(text.slice(at + 1)) } };
}

function hostJson(host: HostStatus): unknown {
  const [region = "", zone = "", subZone = ""] = host.locality.split("/");
  return {
    address: addressJson(host.address),
    stats: hostCounts(host).map(([name, value]) => ({ name, value: String(value), ...(GAUGES.has(name) ? { type: "GAUGE" } : {}) })),
    health_status: {
      ...(host.ejected ? { failed_outlier_check: true } : {}),
      eds_health_status: host.healthy ? (host.degraded ? "DEGRADED" : "HEALTHY") : "UNHEALTHY",
    },
    weight: host.weight,
    hostname: host.hostname,
    priority: host.priority,
    locality: { region, zone, sub_zone: subZone },
  };
}
