// Envoy's HTTP connection manager with its defaults.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto
import type { HttpConnectionManagerConfig, HttpFilterConfig, Listener } from "../../config/index.ts";
import { ROUTER_FILTER } from "../../http-filters/index.ts";
import type { Reader } from "../../wire/reader.ts";
import { keepsHeaderCase } from "./header-case.ts";
import { decodeAccessLogs } from "./access-log.ts";
import { checkAds } from "./config-source.ts";
import { decodeHttpFilter } from "./http-filters/index.ts";
import { decodeHttp2Options } from "./http2-options.ts";
import { decodeInlineTable } from "./route-config.ts";

const MINUTE_MS = 60_000;

export function decodeHttpManager(reader: Reader, direction: Listener["direction"]): HttpConnectionManagerConfig {
  const codec = reader.choice<"AUTO" | "HTTP1" | "HTTP2" | "HTTP3">("codec_type", "AUTO");
  if (codec === "HTTP3") return reader.refuse("codec_type", `${codec} is not supported`);
  const filters = decodeFilters(reader);
  const common = reader.message("common_http_protocol_options");
  if (common?.has("max_requests_per_connection") === true) common.refuse("max_requests_per_connection", "is not supported for listeners");
  const http1 = reader.message("http_protocol_options");
  const escaped = reader.choice<string>("path_with_escaped_slashes_action", "KEEP_UNCHANGED");
  return {
    kind: "http",
    statPrefix: reader.text("stat_prefix"),
    routes: decodeRoutes(reader),
    codec,
    http2: decodeHttp2Options(reader.message("http2_protocol_options")),
    filters: filters.configs,
    upgrades: reader
      .messages("upgrade_configs")
      .filter((one) => one.flag("enabled", true))
      .map((one) => one.text("upgrade_type").toLowerCase()),
    useRemoteAddress: reader.flag("use_remote_address"),
    xffNumTrustedHops: reader.number("xff_num_trusted_hops", 0),
    skipXffAppend: reader.flag("skip_xff_append"),
    generateRequestId: reader.flag("generate_request_id", true),
    preserveExternalRequestId: reader.flag("preserve_external_request_id"),
    alwaysSetRequestIdInResponse: reader.flag("always_set_request_id_in_response"),
    tracing: !reader.has("tracing") ? "none" : direction === "OUTBOUND" ? "egress" : "ingress",
    appendXForwardedPort: reader.flag("append_x_forwarded_port"),
    serverName: reader.text("server_name") === "" ? "envoy" : reader.text("server_name"),
    serverHeader: reader.choice("server_header_transformation", "OVERWRITE"),
    suppressEnvoyHeaders: filters.suppressEnvoyHeaders,
    via: reader.text("via"),
    normalizePath: reader.flag("normalize_path"),
    mergeSlashes: reader.flag("merge_slashes"),
    escapedSlashes: (escaped === "IMPLEMENTATION_SPECIFIC_DEFAULT"
      ? "KEEP_UNCHANGED"
      : escaped) as HttpConnectionManagerConfig["escapedSlashes"],
    stripMatchingHostPort: reader.flag("strip_matching_host_port"),
    stripAnyHostPort: reader.flag("strip_any_host_port"),
    stripTrailingHostDot: reader.flag("strip_trailing_host_dot"),
    forwardClientCert: reader.choice("forward_client_cert_details", "SANITIZE"),
    clientCertDetails: decodeClientCertDetails(reader.message("set_current_client_cert_details")),
    http10: { accept: http1?.flag("accept_http_10") ?? false, defaultHost: http1?.text("default_host_for_http_10") ?? "" },
    allowAbsoluteUrl: http1?.flag("allow_absolute_url", true) ?? true,
    proxy100Continue: reader.flag("proxy_100_continue"),
    enableTrailers: http1?.flag("enable_trailers") ?? false,
    keepsHeaderCase: keepsHeaderCase(http1),
    headersWithUnderscores: common?.choice("headers_with_underscores_action", "ALLOW") ?? "ALLOW",
    maxRequestHeadersKb: reader.number("max_request_headers_kb", 60),
    maxHeadersCount: common?.number("max_headers_count", 100) ?? 100,
    streamIdleTimeoutMs: reader.number("stream_idle_timeout", 5 * MINUTE_MS),
    requestTimeoutMs: reader.number("request_timeout", 0),
    requestHeadersTimeoutMs: reader.number("request_headers_timeout", 0),
    idleTimeoutMs: common?.number("idle_timeout", 60 * MINUTE_MS) ?? 60 * MINUTE_MS,
    maxStreamDurationMs: common?.number("max_stream_duration", 0) ?? 0,
    maxConnectionDurationMs: common?.number("max_connection_duration", 0) ?? 0,
    maxRequestsPerConnection: common?.number("max_requests_per_connection", 0) ?? 0,
    drainTimeoutMs: reader.number("drain_timeout", 5000),
    delayedCloseTimeoutMs: reader.number("delayed_close_timeout", 1000),
    accessLogs: decodeAccessLogs(reader, "access_log"),
    schemeToOverwrite: reader.message("scheme_header_transformation")?.text("scheme_to_overwrite") ?? "",
  };
}

const CLIENT_CERT_DETAILS = ["cert", "chain", "subject", "uri", "dns"] as const;

function decodeClientCertDetails(reader: Reader | undefined): HttpConnectionManagerConfig["clientCertDetails"] {
  return reader === undefined ? [] : CLIENT_CERT_DETAILS.filter((detail) => reader.flag(detail));
}

function decodeRoutes(reader: Reader): HttpConnectionManagerConfig["routes"] {
  const rds = reader.message("rds");
  if (rds !== undefined) {
    const timeoutMs = checkAds(rds, "config_source");
    const name = rds.text("route_config_name");
    return name === "" ? rds.refuse("route_config_name", "is empty") : { kind: "rds", name, timeoutMs };
  }
  const inline = reader.message("route_config");
  if (inline === undefined) return reader.refuse("", "has no route configuration");
  return { kind: "inline", table: decodeInlineTable(inline) };
}

interface Filters {
  readonly configs: readonly HttpFilterConfig[];
  readonly suppressEnvoyHeaders: boolean;
}

function decodeFilters(reader: Reader): Filters {
  const configs: HttpFilterConfig[] = [];
  let suppressEnvoyHeaders = false;
  for (const filter of reader.messages("http_filters")) {
    const config = decodeHttpFilter(filter);
    if (config === undefined) continue;
    if (config.typeUrl === ROUTER_FILTER) suppressEnvoyHeaders = filter.any("typed_config")?.read().flag("suppress_envoy_headers") ?? false;
    configs.push(config);
  }
  if (configs.at(-1)?.typeUrl !== ROUTER_FILTER) reader.refuse("http_filters", "must end with the router");
  return { configs, suppressEnvoyHeaders };
}
