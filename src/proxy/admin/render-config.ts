// /clusters, /listeners and /config_dump in Envoy's shapes.
import { anyToProtoJson, packBytes } from "../../envoy-api/index.ts";
import { TYPE_URL } from "../../kit/index.ts";
import type { ResourceStore } from "../client/resource-store.ts";
import type { DataPlane } from "../data-plane.ts";

export function renderClusters(plane: DataPlane): string {
  const lines: string[] = [];
  for (const { name, config, hosts } of plane.clusters()) {
    lines.push(`${name}::observability_name::${config.altStatName === "" ? name : config.altStatName}`);
    for (const [key, value] of Object.entries(config.breakers))
      lines.push(`${name}::default_priority::${key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}::${value}`);
    for (const host of hosts) {
      for (const [key, value] of Object.entries(host.stats))
        lines.push(`${name}::${host.address}::${key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}::${value}`);
      lines.push(
        `${name}::${host.address}::health_flags::${host.healthy ? "healthy" : "/failed_eds_health"}`,
        `${name}::${host.address}::weight::${host.weight}`,
      );
      lines.push(`${name}::${host.address}::priority::${host.priority}`, `${name}::${host.address}::hostname::${host.hostname}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

export function renderListeners(plane: DataPlane): string {
  return plane
    .listeners()
    .map(
      (l) =>
        `${l.name}::${l.address}:${l.port}${l.state === "listening" ? "" : `::${l.state}`}${l.error === undefined ? "" : `::${l.error}`}\n`,
    )
    .join("");
}

const DUMPS: readonly (readonly [typeUrl: string, section: string])[] = [
  [TYPE_URL.cluster, "dynamic_active_clusters"],
  [TYPE_URL.listener, "dynamic_listeners"],
  [TYPE_URL.route, "dynamic_route_configs"],
  [TYPE_URL.virtualHost, "dynamic_virtual_hosts"],
];

/** One section per type, with version and time of each resource, and what was refused. */
export function renderConfigDump(store: ResourceStore, options: { readonly endpoints: boolean }): unknown {
  const wanted = options.endpoints ? [...DUMPS, [TYPE_URL.endpoint, "dynamic_endpoint_configs"] as const] : DUMPS;
  return {
    configs: [
      ...wanted.map(([typeUrl, section]) => ({
        "@type": typeUrl,
        [section]: [...store.accepted(typeUrl)].map(([name, { version, bytes, at }]) => ({
          name,
          version_info: version,
          last_updated: new Date(at).toISOString(),
          resource: anyToProtoJson(packBytes(typeUrl, bytes)),
        })),
      })),
      { "@type": "serin.refused", error_state: [...store.refused()].map(([resource, details]) => ({ resource, details })) },
    ],
  };
}
