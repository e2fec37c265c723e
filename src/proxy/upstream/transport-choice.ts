// Which transport an endpoint is reached by: the first of the cluster's matches that fits the endpoint's metadata, else the cluster's own.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto (transport_socket_matches)
import type { ClusterConfig, UpstreamTransport } from "../config/index.ts";

export function chooseTransport(
  config: ClusterConfig,
  metadata: Readonly<Record<string, unknown>> | undefined,
): UpstreamTransport | undefined {
  if (config.transportMatches.length === 0) return config.transport;
  const found = config.transportMatches.find(({ match }) =>
    Object.entries(match).every(([key, value]) => metadata !== undefined && Object.hasOwn(metadata, key) && isEqual(metadata[key], value)),
  );
  return found === undefined ? config.transport : found.transport;
}

function isEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = Object.entries(a);
  return (
    left.length === Object.keys(b).length &&
    left.every(([key, value]) => Object.hasOwn(b, key) && isEqual(value, (b as Readonly<Record<string, unknown>>)[key]))
  );
}
