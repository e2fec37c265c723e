// Envoy's ClusterLoadAssignment. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/endpoint/v3/endpoint.proto
import type { EndpointConfig, EndpointSet } from "../../config/index.ts";
import type { Reader } from "../../wire/reader.ts";
import { isIP } from "node:net";
import { isSocketPath } from "../../transport/socket-path.ts";
import { decodeSocketOrPipe } from "./address.ts";

const UNHEALTHY: ReadonlySet<string> = new Set(["UNHEALTHY", "DRAINING", "TIMEOUT"]);

export interface InlineAssignment {
  /** Need not be repeated inside. */
  readonly clusterName: string;
  /** Its endpoints may be names. */
  readonly byName: boolean;
}

export function decodeEndpoints(
  reader: Reader,
  { clusterName, byName }: InlineAssignment = { clusterName: "", byName: false },
): EndpointSet {
  const name = reader.text("cluster_name");
  if (name === "" && clusterName === "") reader.refuse("cluster_name", "is empty");
  return Object.freeze({
    clusterName: clusterName === "" ? name : clusterName,
    endpoints: reader.messages("endpoints").flatMap((group) => decodeGroup(group, byName)),
    overprovisioningFactor: reader.message("policy")?.number("overprovisioning_factor", 140) ?? 140,
    weightedPriorityHealth: reader.message("policy")?.flag("weighted_priority_health") ?? false,
  });
}

/** `region/zone/sub_zone`, "" where none of them is given. */
export function localityText(place: Reader | undefined): string {
  if (place === undefined) return "";
  const text = [place.text("region"), place.text("zone"), place.text("sub_zone")].join("/");
  return text === "//" ? "" : text;
}

function transportMatchOf(entry: Reader): Readonly<Record<string, unknown>> | undefined {
  return entry.message("metadata")?.structMap("filter_metadata").get("envoy.transport_socket_match");
}

function decodeGroup(group: Reader, byName: boolean): EndpointConfig[] {
  const locality = localityText(group.message("locality"));
  const priority = group.number("priority", 0);
  const localityWeight = group.number("load_balancing_weight", 0);
  return group.messages("lb_endpoints").map((entry) => {
    const endpoint = entry.message("endpoint");
    if (endpoint === undefined) return entry.refuse("endpoint", "is missing");
    const { host, port } = decodeSocketOrPipe(endpoint, "address");
    if (!byName && isIP(host) === 0 && !isSocketPath(host))
      return endpoint.refuse("address", `malformed IP address: ${host}: names need a cluster of type STRICT_DNS or LOGICAL_DNS`);
    const health = entry.choice<string>("health_status", "UNKNOWN");
    return {
      address: host,
      port,
      hostname: endpoint.text("hostname"),
      weight: Math.max(1, entry.number("load_balancing_weight", 1)),
      healthy: !UNHEALTHY.has(health),
      degraded: health === "DEGRADED",
      priority,
      locality,
      localityWeight,
      transportMatch: transportMatchOf(entry),
      metadata: undefined,
    };
  });
}
