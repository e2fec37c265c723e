// Envoy's ClusterLoadAssignment. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/endpoint/v3/endpoint.proto
import type { EndpointConfig, EndpointSet } from "../../config/index.ts";
import type { Reader } from "../../wire/reader.ts";
import { decodeAddress } from "./address.ts";

const UNHEALTHY: ReadonlySet<string> = new Set(["UNHEALTHY", "DRAINING", "TIMEOUT"]);

/** `clusterName` for an assignment inside a cluster, which need not repeat it. */
export function decodeEndpoints(reader: Reader, clusterName = ""): EndpointSet {
  const name = reader.text("cluster_name");
  if (name === "" && clusterName === "") reader.refuse("cluster_name", "is empty");
  return Object.freeze({
    clusterName: clusterName === "" ? name : clusterName,
    endpoints: reader.messages("endpoints").flatMap(decodeGroup),
    overprovisioningFactor: reader.message("policy")?.number("overprovisioning_factor", 140) ?? 140,
  });
}

function transportMatchOf(entry: Reader): Readonly<Record<string, unknown>> | undefined {
  return entry.message("metadata")?.structMap("filter_metadata").get("envoy.transport_socket_match");
}

function decodeGroup(group: Reader): EndpointConfig[] {
  const place = group.message("locality");
  const locality = place === undefined ? "" : [place.text("region"), place.text("zone"), place.text("sub_zone")].join("/");
  const priority = group.number("priority", 0);
  return group.messages("lb_endpoints").map((entry) => {
    const endpoint = entry.message("endpoint");
    if (endpoint === undefined) return entry.refuse("endpoint", "is missing");
    const { host, port } = decodeAddress(endpoint, "address");
    return {
      address: host,
      port,
      hostname: endpoint.text("hostname"),
      weight: Math.max(1, entry.number("load_balancing_weight", 1)),
      healthy: !UNHEALTHY.has(entry.choice("health_status", "UNKNOWN")),
      priority,
      locality,
      transportMatch: transportMatchOf(entry),
      metadata: undefined,
    };
  });
}
