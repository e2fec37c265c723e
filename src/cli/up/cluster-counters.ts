// Requests by destination, as a proxy counts them: the cluster counters of its Prometheus page
// (https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats).
export interface DestinationCount {
  readonly host: string;
  readonly subset: string;
  readonly requests: number;
}

/** Outbound clusters only, summed over their lines, sorted by host and subset. */
export function parseClusterCounters(text: string): DestinationCount[] {
  const counts = new Map<string, DestinationCount>();
  for (const [, labels = "", value] of text.matchAll(/^envoy_cluster_upstream_rq_total\{([^}]*)\} (\d+)/gm)) {
    const name = /envoy_cluster_name="([^"]*)"/.exec(labels)?.[1] ?? "";
    const [direction, port = "", subset = "", host = ""] = name.split("|");
    if (direction !== "outbound") continue;
    const key = `${host}|${port}|${subset}`;
    const requests = (counts.get(key)?.requests ?? 0) + Number(value);
    counts.set(key, { host: `${host}:${port}`, subset, requests });
  }
  return [...counts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count);
}

export interface Split {
  readonly host: string;
  /** Requests since the sample before, by subset. */
  readonly parts: readonly { readonly subset: string; readonly requests: number }[];
  readonly total: number;
}

/** What happened between two samples, by host; hosts without a request are left out. */
export function splitBetween(before: readonly DestinationCount[], after: readonly DestinationCount[]): Split[] {
  const hosts = new Map<string, { subset: string; requests: number }[]>();
  for (const { host, subset, requests } of after) {
    const earlier = before.find((one) => one.host === host && one.subset === subset)?.requests ?? 0;
    // A proxy that was restarted counts from 0 again.
    const fresh = requests >= earlier ? requests - earlier : requests;
    hosts.set(host, [...(hosts.get(host) ?? []), { subset, requests: fresh }]);
  }
  return [...hosts]
    .map(([host, parts]) => ({ host, parts, total: parts.reduce((sum, part) => sum + part.requests, 0) }))
    .filter((split) => split.total > 0);
}
