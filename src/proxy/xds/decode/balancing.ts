// What of Envoy's Cluster says how requests are spread. https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancing
import type { Balancing, ClusterConfig, LbPolicy, OriginalDestination, SlowStart, ZoneRouting } from "../../config/index.ts";
import type { Reader } from "../../wire/reader.ts";

const POLICIES = "envoy.extensions.load_balancing_policies";
const MERGE_WINDOW_MS = 1000;
const RING_LIMIT = 8_388_608;
const MINIMUM_RING = 1024;
const MAGLEV_TABLE = 65_537;
const LARGEST_MAGLEV = 5_000_011;

export interface DecodedBalancing {
  readonly policy: LbPolicy;
  readonly choiceCount: number;
  readonly balancing: Balancing;
}

const KNOWN_POLICIES: Readonly<Record<string, LbPolicy>> = {
  [`${POLICIES}.least_request.v3.LeastRequest`]: "LEAST_REQUEST",
  [`${POLICIES}.round_robin.v3.RoundRobin`]: "ROUND_ROBIN",
  [`${POLICIES}.random.v3.Random`]: "RANDOM",
};
const LEGACY_POLICIES: readonly string[] = ["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM", "RING_HASH", "MAGLEV", "CLUSTER_PROVIDED"];

export function decodeBalancing(reader: Reader, type: ClusterConfig["type"]): DecodedBalancing {
  const balancing = decodeSettings(reader);
  const policies = reader.message("load_balancing_policy")?.messages("policies") ?? [];
  for (const entry of policies) {
    const any = entry.message("typed_extension_config")?.any("typed_config");
    const policy = any === undefined ? undefined : KNOWN_POLICIES[any.typeName];
    // The first that is known is taken, as Envoy does.
    if (any !== undefined && policy !== undefined) {
      const own = any.read();
      const localities = decodeLocalities(own.message("locality_lb_config"));
      return { policy, choiceCount: own.number("choice_count", 2), balancing: { ...balancing, ...localities } };
    }
  }
  if (policies.length > 0) reader.refuse("load_balancing_policy", "has no policy that is supported");
  const policy = reader.choice<string>("lb_policy", "ROUND_ROBIN");
  if (!LEGACY_POLICIES.includes(policy)) reader.refuse("lb_policy", `${policy} is not supported`);
  if ((policy === "CLUSTER_PROVIDED") !== (type === "ORIGINAL_DST" || type === "DYNAMIC"))
    reader.refuse("lb_policy", "CLUSTER_PROVIDED and types that find hosts by request (ORIGINAL_DST, dynamic_forward_proxy) go together");
  return {
    policy: policy as LbPolicy,
    choiceCount: reader.message("least_request_lb_config")?.number("choice_count", 2) ?? 2,
    balancing,
  };
}

function decodeSettings(reader: Reader): Balancing {
  const least = reader.message("least_request_lb_config");
  const slowStart = (least ?? reader.message("round_robin_lb_config"))?.message("slow_start_config");
  const common = reader.message("common_lb_config");
  return {
    activeRequestBias: least?.message("active_request_bias")?.number("default_value", 0) ?? 1,
    slowStart: slowStart === undefined ? undefined : decodeSlowStart(slowStart),
    ring: decodeRing(reader.message("ring_hash_lb_config")),
    maglevTableSize: decodeMaglev(reader.message("maglev_lb_config")),
    hashHostname: common?.message("consistent_hashing_lb_config")?.flag("use_hostname_for_hashing") ?? false,
    ...decodeLocalities(common),
    mergeWindowMs: common?.number("update_merge_window", MERGE_WINDOW_MS) ?? MERGE_WINDOW_MS,
    originalDestination: {
      ...decodeOriginalDestination(reader.message("original_dst_lb_config")),
      cleanupMs: reader.number("cleanup_interval", CLEANUP_MS),
    },
  };
}

const MINIMUM_CLUSTER = 6;

/** Of a cluster, or of a policy of its own; without any of it, zones count in a proxy that knows its own cluster. */
function decodeLocalities(reader: Reader | undefined): Pick<Balancing, "localityWeighted" | "zones" | "failOnPanic"> {
  const localityWeighted = reader?.has("locality_weighted_lb_config") ?? false;
  const zones = reader?.message("zone_aware_lb_config");
  const failOnPanic = zones?.flag("fail_traffic_on_panic") ?? false;
  const routing: ZoneRouting = {
    routingEnabled: Math.round(zones?.message("routing_enabled")?.number("value", 0) ?? 100),
    minClusterSize: zones?.number("min_cluster_size", MINIMUM_CLUSTER) ?? MINIMUM_CLUSTER,
    failOnPanic,
  };
  return { localityWeighted, zones: localityWeighted ? undefined : routing, failOnPanic };
}

function decodeSlowStart(reader: Reader): SlowStart | undefined {
  const windowMs = reader.number("slow_start_window", 0);
  if (windowMs <= 0) return undefined;
  const aggression = reader.message("aggression")?.number("default_value", 0) ?? 1;
  return {
    windowMs,
    // As Envoy does with a value it cannot use.
    aggression: aggression > 0 ? aggression : 1,
    minWeight: (reader.message("min_weight_percent")?.number("value", 0) ?? 10) / 100,
  };
}

function decodeRing(reader: Reader | undefined): Balancing["ring"] {
  if (reader === undefined) return { minimumSize: MINIMUM_RING, maximumSize: RING_LIMIT };
  if (reader.choice("hash_function", "XX_HASH") !== "XX_HASH") reader.refuse("hash_function", "is not supported other than XX_HASH");
  const minimumSize = reader.number("minimum_ring_size", MINIMUM_RING);
  const maximumSize = reader.number("maximum_ring_size", RING_LIMIT);
  if (minimumSize > RING_LIMIT) reader.refuse("minimum_ring_size", `is more than ${RING_LIMIT}`);
  if (maximumSize > RING_LIMIT) reader.refuse("maximum_ring_size", `is more than ${RING_LIMIT}`);
  if (minimumSize > maximumSize) reader.refuse("minimum_ring_size", "is more than maximum_ring_size");
  return { minimumSize, maximumSize };
}

function decodeMaglev(reader: Reader | undefined): number {
  const size = reader?.number("table_size", MAGLEV_TABLE) ?? MAGLEV_TABLE;
  if (size > LARGEST_MAGLEV) reader?.refuse("table_size", `is more than ${LARGEST_MAGLEV}`);
  if (!isPrime(size)) reader?.refuse("table_size", `${size} is no prime number`);
  return size;
}

function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let factor = 2; factor * factor <= value; factor++) if (value % factor === 0) return false;
  return true;
}

const DEFAULT_HEADER = "x-envoy-original-dst-host";

const CLEANUP_MS = 5000;

function decodeOriginalDestination(reader: Reader | undefined): Omit<OriginalDestination, "cleanupMs"> {
  if (reader === undefined) return { header: undefined, port: undefined };
  const name = reader.text("http_header_name");
  const byHeader = reader.flag("use_http_header");
  if (!byHeader && name !== "") reader.refuse("http_header_name", "needs use_http_header");
  return {
    header: byHeader ? (name === "" ? DEFAULT_HEADER : name.toLowerCase()) : undefined,
    port: reader.optionalNumber("upstream_port_override"),
  };
}
