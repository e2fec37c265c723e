// Envoy's HttpConnectionManager, with Envoy's defaults filled in.
import {
  durationMs,
  type HttpConnectionManager as Message,
  HttpConnectionManager_CodecType as Codec,
  HttpConnectionManager_ForwardClientCertDetails as ClientCert,
  HttpConnectionManager_PathWithEscapedSlashesAction as Slashes,
  HttpConnectionManager_ServerHeaderTransformation as Server,
  HttpConnectionManagerSchema,
  HttpProtocolOptions_HeadersWithUnderscoresAction as Underscores,
  HttpProtocolOptionsSchema,
} from "../../envoy-api/index.ts";
import type { HttpConnectionManagerConfig as Config, HttpFilterConfig } from "../config/index.ts";
import { compileRouteTable } from "../router/route-table.ts";
import { isKnownFilter } from "../http-filters/index.ts";
import { decodeAccessLogs } from "./access-log.ts";
import { guard, refuse } from "./guard.ts";
import { toRouteConfig } from "./route.ts";

const FIELDS = {
  used: [
    "codec_type",
    "stat_prefix",
    "rds",
    "route_config",
    "http_filters",
    "common_http_protocol_options",
    "http_protocol_options",
    "server_name",
    "server_header_transformation",
    "scheme_header_transformation",
    "max_request_headers_kb",
    "stream_idle_timeout",
    "request_timeout",
    "request_headers_timeout",
    "drain_timeout",
    "delayed_close_timeout",
    "access_log",
    "use_remote_address",
    "xff_num_trusted_hops",
    "skip_xff_append",
    "via",
    "generate_request_id",
    "preserve_external_request_id",
    "always_set_request_id_in_response",
    "forward_client_cert_details",
    "set_current_client_cert_details",
    "upgrade_configs",
    "normalize_path",
    "merge_slashes",
    "path_with_escaped_slashes_action",
    "strip_matching_host_port",
    "strip_any_host_port",
    "strip_trailing_host_dot",
    "internal_address_config",
  ],
  inert: ["http2_protocol_options", "tracing", "represent_ipv4_remote_address_as_ipv4_mapped_ipv6"],
};

const CERTS: Readonly<Record<ClientCert, Config["forwardClientCert"]>> = {
  [ClientCert.SANITIZE]: "SANITIZE",
  [ClientCert.FORWARD_ONLY]: "FORWARD_ONLY",
  [ClientCert.APPEND_FORWARD]: "APPEND_FORWARD",
  [ClientCert.SANITIZE_SET]: "SANITIZE_SET",
  [ClientCert.ALWAYS_FORWARD_ONLY]: "ALWAYS_FORWARD_ONLY",
};
const SLASHES: Readonly<Record<Slashes, Config["escapedSlashes"]>> = {
  [Slashes.IMPLEMENTATION_SPECIFIC_DEFAULT]: "KEEP_UNCHANGED",
  [Slashes.KEEP_UNCHANGED]: "KEEP_UNCHANGED",
  [Slashes.REJECT_REQUEST]: "REJECT_REQUEST",
  [Slashes.UNESCAPE_AND_REDIRECT]: "UNESCAPE_AND_REDIRECT",
  [Slashes.UNESCAPE_AND_FORWARD]: "UNESCAPE_AND_FORWARD",
};
const SERVER: Readonly<Record<Server, Config["serverHeader"]>> = {
  [Server.OVERWRITE]: "OVERWRITE",
  [Server.APPEND_IF_ABSENT]: "APPEND_IF_ABSENT",
  [Server.PASS_THROUGH]: "PASS_THROUGH",
};
const UNDERSCORES: Readonly<Record<Underscores, Config["headersWithUnderscores"]>> = {
  [Underscores.ALLOW]: "ALLOW",
  [Underscores.REJECT_REQUEST]: "REJECT_REQUEST",
  [Underscores.DROP_HEADER]: "DROP_HEADER",
};
const CODECS: Readonly<Partial<Record<Codec, Config["codec"]>>> = { [Codec.AUTO]: "AUTO", [Codec.HTTP1]: "HTTP1", [Codec.HTTP2]: "HTTP2" };

const DEFAULTS = { headersKb: 60, headersCount: 100, streamIdleMs: 300_000, idleMs: 3_600_000, drainMs: 5000, delayedCloseMs: 1000 };

type Ms = Parameters<typeof durationMs>[0];
const ms = (value: Ms | undefined, fallback: number): number => (value === undefined ? fallback : durationMs(value));

export interface HttpManager {
  readonly config: Config;
  /** The RDS resource it needs. */
  readonly routeName: string | undefined;
}

function filtersOf(message: Message, path: string): HttpFilterConfig[] {
  return message.httpFilters.flatMap((filter): HttpFilterConfig[] => {
    const any = filter.configType.case === "typedConfig" ? filter.configType.value : undefined;
    if (filter.disabled) return [];
    if (any === undefined || !isKnownFilter(any.typeUrl)) {
      if (filter.isOptional) return [];
      return refuse(`${path}.http_filters`, `${filter.name} is not supported yet`);
    }
    return [{ name: filter.name, typeUrl: any.typeUrl, config: any }];
  });
}

export function decodeHttpManager(message: Message, path: string): HttpManager {
  guard(HttpConnectionManagerSchema, message, { ...FIELDS, path });
  const common = message.commonHttpProtocolOptions;
  if (common !== undefined) {
    guard(HttpProtocolOptionsSchema, common, {
      used: ["idle_timeout", "max_connection_duration", "max_headers_count", "headers_with_underscores_action"],
      path: `${path}.common_http_protocol_options`,
    });
  }
  const http1 = message.httpProtocolOptions;
  const routes = message.routeSpecifier;
  const inline = routes.case === "routeConfig" ? toRouteConfig(routes.value) : undefined;
  const routeName = routes.case === "rds" ? routes.value.routeConfigName : undefined;
  if (inline === undefined && routeName === undefined) refuse(path, "has neither rds nor route_config");
  const scheme = message.schemeHeaderTransformation?.transformation;
  const config: Config = Object.freeze({
    kind: "http",
    statPrefix: message.statPrefix,
    routes:
      inline === undefined
        ? { kind: "rds" as const, name: routeName ?? "" }
        : { kind: "inline" as const, table: compileRouteTable(inline) },
    codec: CODECS[message.codecType] ?? refuse(`${path}.codec_type`, "HTTP/3 is not supported"),
    filters: filtersOf(message, path),
    upgrades: message.upgradeConfigs.filter((u) => u.enabled !== false).map((u) => u.upgradeType.toLowerCase()),
    useRemoteAddress: message.useRemoteAddress ?? false,
    xffNumTrustedHops: message.xffNumTrustedHops,
    skipXffAppend: message.skipXffAppend,
    generateRequestId: message.generateRequestId ?? true,
    preserveExternalRequestId: message.preserveExternalRequestId,
    alwaysSetRequestIdInResponse: message.alwaysSetRequestIdInResponse,
    serverName: message.serverName === "" ? "envoy" : message.serverName,
    serverHeader: SERVER[message.serverHeaderTransformation],
    suppressEnvoyHeaders: false,
    via: message.via,
    normalizePath: message.normalizePath ?? false,
    mergeSlashes: message.mergeSlashes,
    escapedSlashes: SLASHES[message.pathWithEscapedSlashesAction],
    stripMatchingHostPort: message.stripMatchingHostPort,
    stripAnyHostPort: message.stripPortMode.case === "stripAnyHostPort" && message.stripPortMode.value,
    stripTrailingHostDot: message.stripTrailingHostDot,
    forwardClientCert: CERTS[message.forwardClientCertDetails],
    http10: { accept: http1?.acceptHttp10 ?? false, defaultHost: http1?.defaultHostForHttp10 ?? "" },
    allowAbsoluteUrl: http1?.allowAbsoluteUrl ?? true,
    enableTrailers: http1?.enableTrailers ?? false,
    headersWithUnderscores: UNDERSCORES[common?.headersWithUnderscoresAction ?? Underscores.ALLOW],
    maxRequestHeadersKb: message.maxRequestHeadersKb ?? DEFAULTS.headersKb,
    maxHeadersCount: common?.maxHeadersCount ?? DEFAULTS.headersCount,
    streamIdleTimeoutMs: ms(message.streamIdleTimeout, DEFAULTS.streamIdleMs),
    requestTimeoutMs: ms(message.requestTimeout, 0),
    requestHeadersTimeoutMs: ms(message.requestHeadersTimeout, 0),
    idleTimeoutMs: ms(common?.idleTimeout, DEFAULTS.idleMs),
    maxConnectionDurationMs: ms(common?.maxConnectionDuration, 0),
    drainTimeoutMs: ms(message.drainTimeout, DEFAULTS.drainMs),
    delayedCloseTimeoutMs: ms(message.delayedCloseTimeout, DEFAULTS.delayedCloseMs),
    accessLogs: decodeAccessLogs(message.accessLog, path),
    schemeToOverwrite: scheme?.case === "schemeToOverwrite" ? scheme.value : "",
    internalAddressCidrs: message.internalAddressConfig?.cidrRanges.map((c) => ({ address: c.addressPrefix, prefix: c.prefixLen ?? 0 })),
  });
  return { config, routeName };
}
