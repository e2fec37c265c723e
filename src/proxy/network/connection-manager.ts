// Envoy's HTTP connection manager as the proxy runs it: its config with everything bound that a request needs, so that the hot path only reads fields.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/http_conn_man
import type { Http2Limits, HttpConnectionManagerConfig, Route, RouteTable, VirtualHost } from "../config/index.ts";
import type { RequestRules } from "../http1/request-head.ts";
import { createHttp2Stats } from "../http2/http2-stats.ts";
import { http2Limits } from "../http2/limits.ts";
import type { Http2Stats } from "../http2/stream.ts";
import type { AccessLogger } from "../observe/access-log.ts";
import { scopedSpec, type Counter, type Gauge, type Histogram, type Stats } from "../observe/stats.ts";
import { compileRoute } from "../router/compile-route.ts";
import type { Service } from "../router/exchange.ts";
import type { Environment } from "./environment.ts";
import { forgedHeaders } from "./forwarded-headers.ts";

export interface ConnectionManagerStats {
  readonly cxTotal: Counter;
  readonly cxActive: Gauge;
  readonly cxDestroyRemoteActive: Counter;
  readonly cxProtocolError: Counter;
  readonly cxIdleTimeout: Counter;
  readonly cxMaxDuration: Counter;
  readonly cxMaxRequests: Counter;
  readonly cxHttp1Total: Counter;
  readonly cxHttp1Active: Gauge;
  readonly cxHttp2Total: Counter;
  readonly cxHttp2Active: Gauge;
  readonly rqHttp1Total: Counter;
  readonly rqHttp2Total: Counter;
  readonly rqTotal: Counter;
  readonly rqActive: Gauge;
  readonly rqCompleted: Counter;
  readonly rqRxReset: Counter;
  readonly rqOverloadClose: Counter;
  readonly rqTime: Histogram;
  readonly rxBytes: Counter;
  readonly txBytes: Counter;
  readonly noRoute: Counter;
  readonly idleTimeout: Counter;
  readonly rqMaxDuration: Counter;
  readonly classes: readonly Counter[];
}

export interface ConnectionManager {
  readonly config: HttpConnectionManagerConfig;
  readonly env: Environment;
  readonly stats: ConnectionManagerStats;
  readonly loggers: readonly AccessLogger[];
  readonly rules: RequestRules;
  readonly maxHeadBytes: number;
  readonly http2: { readonly limits: Http2Limits; readonly stats: Http2Stats };
  /** `x-envoy-*` names that a caller cannot set; one set for callers from outside, one for others. */
  readonly forgedAtEdge: ReadonlySet<string>;
  readonly forgedInside: ReadonlySet<string>;
  /** `server: …` line for answers, "" = the upstream's stays. */
  readonly serverLine: string;
  table(): RouteTable | undefined;
  service(table: RouteTable, virtualHost: VirtualHost, route: Route): Service;
}

/** Envoy's name for each, under no scope: `http2.rx_reset`. */
function downstreamHttp2Stats(stats: Stats): Http2Stats {
  const spec = (name: string) => ({ name: `http2.${name}`, tags: {}, fullName: `http2.${name}` });
  return createHttp2Stats(
    (name) => stats.counter(spec(name)),
    (name) => stats.gauge(spec(name)),
  );
}

function downstreamLimits(config: HttpConnectionManagerConfig): Http2Limits {
  return http2Limits({
    ...config.http2,
    headerListBytes: config.maxRequestHeadersKb * 1024,
    headerCount: config.maxHeadersCount,
    underscores: UNDERSCORES[config.headersWithUnderscores],
  });
}

const UNDERSCORES = { ALLOW: "allow", REJECT_REQUEST: "reject", DROP_HEADER: "drop" } as const;

const HCM_TAG = "envoy.http_conn_manager_prefix";

/** `secure`: its callers come by TLS. */
export function createConnectionManager(config: HttpConnectionManagerConfig, env: Environment, secure: boolean): ConnectionManager {
  const scope = { prefix: "http", tag: HCM_TAG, value: config.statPrefix };
  const counter = (suffix: string) => env.stats.counter(scopedSpec(scope, suffix));
  const gauge = (suffix: string) => env.stats.gauge(scopedSpec(scope, suffix));
  const loggers: AccessLogger[] = [];
  for (const log of config.accessLogs) {
    const made = env.accessLogs.logger(log);
    if (made.ok) loggers.push(made.value);
    else env.logger.log("error", "access log is off: its format does not compile", { path: log.path, reason: made.error });
  }
  const routes = config.routes;
  const services = new WeakMap<Route, Service>();
  // Most requests take the route that the one before took.
  let lastRoute: Route | undefined;
  let lastService: Service | undefined;

  const manager: ConnectionManager = {
    config,
    env,
    loggers,
    stats: {
      cxTotal: counter("downstream_cx_total"),
      cxActive: gauge("downstream_cx_active"),
      cxDestroyRemoteActive: counter("downstream_cx_destroy_remote_active_rq"),
      cxProtocolError: counter("downstream_cx_protocol_error"),
      cxIdleTimeout: counter("downstream_cx_idle_timeout"),
      cxMaxDuration: counter("downstream_cx_max_duration_reached"),
      cxMaxRequests: counter("downstream_cx_max_requests_reached"),
      cxHttp1Total: counter("downstream_cx_http1_total"),
      cxHttp1Active: gauge("downstream_cx_http1_active"),
      cxHttp2Total: counter("downstream_cx_http2_total"),
      cxHttp2Active: gauge("downstream_cx_http2_active"),
      rqHttp1Total: counter("downstream_rq_http1_total"),
      rqHttp2Total: counter("downstream_rq_http2_total"),
      rqTotal: counter("downstream_rq_total"),
      rqActive: gauge("downstream_rq_active"),
      rqCompleted: counter("downstream_rq_completed"),
      rqRxReset: counter("downstream_rq_rx_reset"),
      rqOverloadClose: counter("downstream_rq_overload_close"),
      rqTime: env.stats.histogram(scopedSpec(scope, "downstream_rq_time")),
      rxBytes: counter("downstream_cx_rx_bytes_total"),
      txBytes: counter("downstream_cx_tx_bytes_total"),
      noRoute: counter("no_route"),
      idleTimeout: counter("downstream_rq_idle_timeout"),
      rqMaxDuration: counter("downstream_rq_max_duration_reached"),
      classes: [0, 1, 2, 3, 4, 5].map((hundreds) => (hundreds === 0 ? { value: 0 } : counter(`downstream_rq_${hundreds}xx`))),
    },
    rules: {
      acceptHttp10: config.http10.accept,
      allowAbsoluteUrl: config.allowAbsoluteUrl,
      maxHeaders: config.maxHeadersCount,
      takesHttpsUrls: secure || !config.useRemoteAddress || config.xffNumTrustedHops > 0,
    },
    maxHeadBytes: config.maxRequestHeadersKb * 1024,
    http2: { limits: downstreamLimits(config), stats: downstreamHttp2Stats(env.stats) },
    forgedAtEdge: forgedHeaders(true),
    forgedInside: forgedHeaders(false),
    serverLine: config.serverHeader === "PASS_THROUGH" ? "" : `server: ${config.serverName}\r\n`,
    table: routes.kind === "inline" ? () => routes.table : () => env.runtime.current().routes.get(routes.name),
    service(table, virtualHost, route) {
      if (route === lastRoute && lastService !== undefined) return lastService;
      let service = services.get(route);
      if (service === undefined) {
        service = compileRoute(manager, { table, virtualHost, route });
        services.set(route, service);
      }
      lastRoute = route;
      lastService = service;
      return service;
    },
  };
  return manager;
}
