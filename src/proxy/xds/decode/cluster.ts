// Envoy's Cluster with its defaults. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto
import type { AnswerTest, AutoSni, CircuitBreakers, ClusterConfig, EndpointSet, TcpKeepalive } from "../../config/index.ts";
import type { Reader } from "../../wire/reader.ts";
import { keepsHeaderCase } from "./header-case.ts";
import { decodeSocketAddress } from "./address.ts";
import { decodeAnswerTest } from "./answer-test.ts";
import { decodeBalancing } from "./balancing.ts";
import { checkAds } from "./config-source.ts";
import { decodeDiscovery } from "./discovery.ts";
import { decodeEndpoints } from "./endpoints.ts";
import { decodeHttp2Options } from "./http2-options.ts";
import { decodeOutliers } from "./outliers.ts";
import { decodeTransportMatches, decodeUpstreamTransport } from "./transport.ts";

const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const HOUR_MS = 3_600_000;

export function decodeCluster(reader: Reader): ClusterConfig {
  const name = reader.text("name");
  if (name === "") reader.refuse("name", "is empty");
  const { type, dns, dnsCache, insecure } = decodeDiscovery(reader);
  const { version, common, http1, http2, autoSni, isError } = decodeProtocol(reader);
  if (common?.has("max_stream_duration") === true) common.refuse("max_stream_duration", "is not supported for clusters");
  const eds = reader.message("eds_cluster_config");
  if (type === "EDS" && eds === undefined) reader.refuse("eds_cluster_config", "is missing");
  const serviceName = eds?.text("service_name") ?? "";
  const assignment = reader.message("load_assignment");
  const balancing = decodeBalancing(reader, type);
  const names = type === "DYNAMIC" && !hasProtocolOptions(reader) ? FOLLOWS_HOST : autoSni;
  if (type === "DYNAMIC" && !insecure && !(names?.sni === true && names.sanValidation))
    reader.refuse("cluster_type", "must have auto_sni and auto_san_validation, or allow_insecure_cluster_options");
  const source = reader.message("upstream_bind_config")?.message("source_address");
  return Object.freeze({
    name,
    type,
    edsServiceName: serviceName === "" ? name : serviceName,
    edsTimeoutMs: type === "EDS" && eds !== undefined ? checkAds(eds, "eds_config") : 0,
    dns,
    dnsCache,
    connectTimeoutMs: reader.number("connect_timeout", 5000),
    lbPolicy: balancing.policy,
    leastRequestChoiceCount: balancing.choiceCount,
    balancing: balancing.balancing,
    outliers: decodeOutliers(reader.message("outlier_detection"), isError),
    breakers: decodeBreakers(reader.message("circuit_breakers")),
    idleTimeoutMs: common?.number("idle_timeout", HOUR_MS) ?? HOUR_MS,
    maxConnectionDurationMs: common?.number("max_connection_duration", 0) ?? 0,
    maxRequestsPerConnection: common?.optionalNumber("max_requests_per_connection") ?? reader.number("max_requests_per_connection", 0),
    protocol: version,
    http1Trailers: http1?.flag("enable_trailers") ?? false,
    maxHeadersCount: common?.number("max_headers_count", 100) ?? 100,
    keepsHeaderCase: keepsHeaderCase(http1),
    http2: decodeHttp2Options(http2),
    sourceAddress: source === undefined ? undefined : decodeSocketAddress(source).host,
    tcpKeepalive: decodeKeepalive(reader.message("upstream_connection_options")?.message("tcp_keepalive")),
    transport: decodeUpstreamTransport(reader),
    transportMatches: decodeTransportMatches(reader),
    autoSni: names,
    panicThreshold: reader.message("common_lb_config")?.message("healthy_panic_threshold")?.number("value", 0) ?? 50,
    endpoints: type === "EDS" || assignment === undefined ? undefined : decodeInline(assignment, { name, type }),
    altStatName: reader.text("alt_stat_name"),
    metadata: undefined,
  });
}

function decodeInline(assignment: Reader, { name, type }: Pick<ClusterConfig, "name" | "type">): EndpointSet {
  const byName = type === "STRICT_DNS" || type === "LOGICAL_DNS";
  const set = decodeEndpoints(assignment, { clusterName: name, byName });
  if (type !== "LOGICAL_DNS") return set;
  const [only, ...more] = set.endpoints;
  if (only === undefined || more.length > 0) return assignment.refuse("endpoints", "LOGICAL_DNS clusters must have a single endpoint");
  return Object.freeze({ ...set, endpoints: [{ ...only, priority: 0 }] });
}

function decodeKeepalive(reader: Reader | undefined): TcpKeepalive | undefined {
  if (reader === undefined) return undefined;
  const seconds = (field: string): number | undefined => {
    const value = reader.optionalNumber(field);
    return value === undefined ? undefined : value * 1000;
  };
  return {
    timeMs: seconds("keepalive_time"),
    intervalMs: seconds("keepalive_interval"),
    probes: reader.optionalNumber("keepalive_probes"),
  };
}

/** Where requests bring the names, and nothing else is said. */
const FOLLOWS_HOST: AutoSni = { sni: true, sanValidation: true, header: "" };

function hasProtocolOptions(reader: Reader): boolean {
  return reader.anyMap("typed_extension_protocol_options").length > 0 || reader.has("upstream_http_protocol_options");
}

interface Protocol {
  readonly version: ClusterConfig["protocol"];
  readonly common: Reader | undefined;
  readonly http1: Reader | undefined;
  readonly http2: Reader | undefined;
  readonly autoSni: AutoSni | undefined;
  readonly isError: AnswerTest | undefined;
}

function decodeAutoSni(reader: Reader | undefined): AutoSni | undefined {
  const sni = reader?.flag("auto_sni") ?? false;
  const sanValidation = reader?.flag("auto_san_validation") ?? false;
  if (reader === undefined || (!sni && !sanValidation)) return undefined;
  return { sni, sanValidation, header: reader.text("override_auto_sni_header").toLowerCase() };
}

function decodeProtocol(reader: Reader): Protocol {
  const common = reader.message("common_http_protocol_options");
  for (const [key, any] of reader.anyMap("typed_extension_protocol_options")) {
    if (any.typeName !== HTTP_OPTIONS)
      return reader.refuse("typed_extension_protocol_options", `${any.typeName} (${key}) is not supported`);
    const options = any.read();
    const downstream = options.message("use_downstream_protocol_config");
    const explicit = options.message("explicit_http_config");
    const version = downstream !== undefined ? "downstream" : explicit?.has("http2_protocol_options") === true ? "http2" : "http1";
    const own = downstream ?? explicit;
    const isError = options.message("outlier_detection")?.message("error_matcher");
    return {
      version,
      common: options.message("common_http_protocol_options") ?? common,
      http1: own?.message("http_protocol_options"),
      http2: own?.message("http2_protocol_options"),
      autoSni: decodeAutoSni(options.message("upstream_http_protocol_options")),
      isError: isError === undefined ? undefined : decodeAnswerTest(isError),
    };
  }
  const follows = reader.choice<string>("protocol_selection", "USE_CONFIGURED_PROTOCOL") === "USE_DOWNSTREAM_PROTOCOL";
  const http2 = reader.message("http2_protocol_options");
  const version = follows ? "downstream" : http2 === undefined ? "http1" : "http2";
  const autoSni = decodeAutoSni(reader.message("upstream_http_protocol_options"));
  return { version, common, http1: reader.message("http_protocol_options"), http2, autoSni, isError: undefined };
}

function decodeBreakers(reader: Reader | undefined): CircuitBreakers {
  const limits = reader?.messages("thresholds").find((one) => one.choice("priority", "DEFAULT") === "DEFAULT");
  return {
    maxConnections: limits?.number("max_connections", 1024) ?? 1024,
    maxPendingRequests: limits?.number("max_pending_requests", 1024) ?? 1024,
    maxRequests: limits?.number("max_requests", 1024) ?? 1024,
    maxRetries: limits?.number("max_retries", 3) ?? 3,
    retryBudget: decodeRetryBudget(limits?.message("retry_budget")),
  };
}

function decodeRetryBudget(reader: Reader | undefined): CircuitBreakers["retryBudget"] {
  if (reader === undefined) return undefined;
  return {
    percent: reader.message("budget_percent")?.number("value", 0) ?? 20,
    minConcurrency: reader.number("min_retry_concurrency", 3),
    intervalMs: reader.number("budget_interval", 0),
  };
}
