// One line per listener, route, cluster or endpoint of a config dump (Envoy's protojson), as `istioctl proxy-config` shows them.
type Json = Readonly<Record<string, unknown>>;

const object = (value: unknown): Json => (value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Json) : {});
const array = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(object) : []);
const text = (value: unknown): string => (value === undefined || value === null ? "-" : String(value));

export interface DumpEntry {
  readonly name: string;
  readonly version: string;
  readonly resource: unknown;
}

function addressOf(value: unknown): string {
  const fields = object(value);
  if (fields["pipe"] !== undefined) return text(object(fields["pipe"])["path"]);
  const socket = object(fields["socket_address"]);
  return `${text(socket["address"])}:${text(socket["port_value"])}`;
}

function filterSummary(chain: Json): string {
  const filters = array(chain["filters"]);
  const config = object(filters.at(-1)?.["typed_config"]);
  const rds = object(config["rds"])["route_config_name"];
  if (rds !== undefined) return `route ${text(rds)}`;
  if (config["route_config"] !== undefined) return `inline route ${text(object(config["route_config"])["name"])}`;
  const weighted = array(object(config["weighted_clusters"])["clusters"]);
  if (weighted.length > 0) return weighted.map((cluster) => `${text(cluster["name"])} ${text(cluster["weight"])}`).join(", ");
  return `cluster ${text(config["cluster"])}`;
}

function matchSummary(chain: Json): string {
  const match = object(chain["filter_chain_match"]);
  const parts = [
    ...(match["destination_port"] === undefined ? [] : [`port ${text(match["destination_port"])}`]),
    ...array(match["prefix_ranges"]).map((range) => `${text(range["address_prefix"])}/${text(range["prefix_len"])}`),
    ...(Array.isArray(match["server_names"]) ? [`SNI ${match["server_names"].join(",")}`] : []),
    ...(match["transport_protocol"] === undefined ? [] : [text(match["transport_protocol"])]),
    ...(Array.isArray(match["application_protocols"]) ? [match["application_protocols"].join(",")] : []),
  ];
  return parts.length === 0 ? "ALL" : parts.join("; ");
}

export function listenerRows(entries: readonly DumpEntry[]): string[][] {
  const rows = entries.flatMap((entry) => {
    const listener = object(entry.resource);
    const fallback = listener["default_filter_chain"] === undefined ? [] : [object(listener["default_filter_chain"])];
    const chains = [...array(listener["filter_chains"]), ...fallback];
    return chains.map((chain) => [entry.name, addressOf(listener["address"]), matchSummary(chain), filterSummary(chain)]);
  });
  return [["LISTENER", "ADDRESS", "MATCH", "DESTINATION"], ...rows];
}

function routeMatch(match: Json): string {
  const [kind, value] = Object.entries(match).find(([name]) =>
    ["prefix", "path", "safe_regex", "path_separated_prefix", "connect_matcher"].includes(name),
  ) ?? ["", ""];
  const path =
    kind === "prefix"
      ? `${text(value)}*`
      : kind === "safe_regex"
        ? `regex ${text(object(value)["regex"])}`
        : kind === "path_separated_prefix"
          ? `${text(value)}/*`
          : text(value);
  const more = array(match["headers"]).length + array(match["query_parameters"]).length;
  return more === 0 ? path : `${path} +${more}`;
}

function routeTarget(route: Json): string {
  const forward = object(route["route"]);
  const weighted = array(object(forward["weighted_clusters"])["clusters"]);
  if (weighted.length > 0) return weighted.map((cluster) => `${text(cluster["name"])} ${text(cluster["weight"] ?? 0)}`).join(", ");
  if (forward["cluster"] !== undefined) return text(forward["cluster"]);
  if (forward["cluster_header"] !== undefined) return `cluster of header ${text(forward["cluster_header"])}`;
  if (route["redirect"] !== undefined) return "redirect";
  if (route["direct_response"] !== undefined) return `answer ${text(object(route["direct_response"])["status"])}`;
  return "-";
}

/** `configs` are whole route configurations, `virtualHosts` those sent as resources of their own (`CONFIG/HOST`). */
export function routeRows(configs: readonly DumpEntry[], virtualHosts: readonly DumpEntry[]): string[][] {
  const own = virtualHosts.map((entry) => ({ config: entry.name.slice(0, entry.name.indexOf("/")), host: object(entry.resource) }));
  const rows = configs.flatMap((entry) => {
    const inline = array(object(entry.resource)["virtual_hosts"]);
    const hosts = [...own.filter(({ config }) => config === entry.name).map(({ host }) => host), ...inline];
    return hosts.flatMap((host) =>
      array(host["routes"]).map((route) => [
        entry.name,
        text(host["name"]),
        domainsOf(host),
        routeMatch(object(route["match"])),
        routeTarget(route),
        text(route["name"]),
      ]),
    );
  });
  return [["ROUTE CONFIG", "VIRTUAL HOST", "DOMAINS", "MATCH", "DESTINATION", "ROUTE"], ...rows];
}

function domainsOf(host: Json): string {
  const domains = (Array.isArray(host["domains"]) ? host["domains"] : []).map(String);
  return domains.length > 2 ? `${domains.slice(0, 2).join(", ")} +${domains.length - 2}` : domains.join(", ");
}

export function clusterRows(entries: readonly DumpEntry[]): string[][] {
  const rows = entries.map((entry) => {
    const cluster = object(entry.resource);
    const [direction, port, subset, host] = entry.name.split("|");
    const named = host !== undefined;
    return [
      named && host !== "" ? host : entry.name,
      named ? text(port) : "-",
      named ? subset || "-" : "-",
      named ? text(direction) : "-",
      text(cluster["type"] ?? "STATIC"),
      text(cluster["lb_policy"] ?? "ROUND_ROBIN"),
    ];
  });
  return [["HOST", "PORT", "SUBSET", "DIRECTION", "TYPE", "BALANCER"], ...rows];
}

export function endpointRows(entries: readonly DumpEntry[]): string[][] {
  const rows = entries.flatMap((entry) =>
    endpointsOf(entry).map(({ address, health, weight }) => [address, health, String(weight), entry.name]),
  );
  return [["ENDPOINT", "HEALTH", "WEIGHT", "CLUSTER"], ...rows];
}

export function endpointsOf(entry: DumpEntry): { readonly address: string; readonly health: string; readonly weight: number }[] {
  return array(object(entry.resource)["endpoints"]).flatMap((locality) =>
    array(locality["lb_endpoints"]).map((endpoint) => ({
      address: addressOf(object(endpoint["endpoint"])["address"]),
      health: text(endpoint["health_status"] ?? "HEALTHY"),
      weight: Number(endpoint["load_balancing_weight"] ?? 1),
    })),
  );
}
