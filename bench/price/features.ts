// What a route can use, one feature at a time: how its listener and its cluster differ from the base, which has one route to one cluster.
import { accessLog, cluster, httpManager, type NetworkFilter, type Protocol, typed } from "../bootstrap.ts";

export interface Feature {
  readonly name: string;
  /** What joins the route's action. */
  readonly action?: object;
  /** What joins the route beside match and action. */
  readonly route?: object;
  /** Routes that are tried first. */
  readonly before?: (cluster: string) => readonly object[];
  readonly filters?: readonly NetworkFilter[];
  readonly manager?: object;
  readonly cluster?: object;
}

/** What every caller sends, whether a feature reads it or not. */
export function callerHeaders(caller: number): readonly (readonly [string, string])[] {
  return [
    ["origin", "https://shop.example.com"],
    ["x-user", `user-${caller}`],
  ];
}

const SHADOW = "shadow";
const FAULT = "envoy.filters.http.fault";
const CORS = "envoy.filters.http.cors";
const FAULT_TYPE = "envoy.extensions.filters.http.fault.v3.HTTPFault";
const RETRY_HOST = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";

const faultFilter: NetworkFilter = { name: FAULT, typed_config: typed(FAULT_TYPE) };
const corsFilter: NetworkFilter = { name: CORS, typed_config: typed("envoy.extensions.filters.http.cors.v3.Cors") };

function delay(percent: number): object {
  return { [FAULT]: typed(FAULT_TYPE, { delay: { fixed_delay: "1s", percentage: { numerator: percent, denominator: "HUNDRED" } } }) };
}

function mirror(percent: number): object {
  const fraction = { default_value: { numerator: percent, denominator: "HUNDRED" } };
  return { request_mirror_policies: [{ cluster: SHADOW, runtime_fraction: fraction, disable_shadow_host_suffix_append: true }] };
}

const corsPolicy = typed("envoy.extensions.filters.http.cors.v3.CorsPolicy", {
  allow_origin_string_match: [{ exact: "https://shop.example.com" }],
  allow_methods: "GET,POST",
  allow_headers: "x-user",
  expose_headers: "x-version",
  max_age: "86400",
  filter_enabled: { default_value: { numerator: 100, denominator: "HUNDRED" } },
});

const userHash = { hash_policy: [{ header: { header_name: "x-user" }, terminal: false }] };

const set = (key: string, value: string): object => ({ header: { key, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" });

/** As Istio writes it where a pool sets its limits; without them it writes none. */
const limits = (count: number): object => ({
  circuit_breakers: { thresholds: [{ max_connections: count, max_pending_requests: count, max_requests: count, max_retries: count }] },
});
const NO_LIMIT = 4_294_967_295;

export const BASE: Feature = { name: "base" };

export const FEATURES: readonly Feature[] = [
  {
    name: "retry policy, does not fire",
    action: {
      retry_policy: {
        retry_on: "connect-failure,refused-stream,unavailable,cancelled",
        num_retries: 2,
        host_selection_retry_max_attempts: 5,
        retry_host_predicate: [{ name: "envoy.retry_host_predicates.previous_hosts", typed_config: typed(RETRY_HOST) }],
      },
    },
  },
  { name: "timeout 15 s", action: { timeout: "15s" } },
  { name: "fault: delay of 0 %", filters: [faultFilter], route: { typed_per_filter_config: delay(0) } },
  {
    name: "fault: delay rule that does not match",
    filters: [faultFilter],
    before: (cluster) => [
      {
        match: { prefix: "/", headers: [{ name: "x-user", string_match: { exact: "tester" } }] },
        route: { cluster, timeout: "0s" },
        typed_per_filter_config: delay(100),
      },
    ],
  },
  { name: "mirror 10 %", action: mirror(10) },
  { name: "mirror 100 %", action: mirror(100) },
  { name: "CORS, origin matches", filters: [corsFilter], route: { typed_per_filter_config: { [CORS]: corsPolicy } } },
  { name: "ring hash on a header", action: userHash, cluster: { lb_policy: "RING_HASH" } },
  { name: "maglev on a header", action: userHash, cluster: { lb_policy: "MAGLEV" } },
  { name: "least request", cluster: { lb_policy: "LEAST_REQUEST" } },
  {
    name: "outlier detection",
    cluster: { outlier_detection: { consecutive_5xx: 5, enforcing_success_rate: 0, interval: "10s", base_ejection_time: "30s" } },
  },
  { name: "circuit breakers", cluster: limits(4096) },
  {
    name: "header edits (2 set, 1 removed; 1 and 1 on the answer)",
    route: {
      request_headers_to_add: [set("x-team", "shop"), set("x-stage", "canary")],
      request_headers_to_remove: ["accept-language"],
      response_headers_to_add: [set("x-version", "v2")],
      response_headers_to_remove: ["x-powered-by"],
    },
  },
  // The path stays what it was, so that the answer does too.
  { name: "regex rewrite", action: { regex_rewrite: { pattern: { regex: "^/(.*)$" }, substitution: String.raw`/\1` } } },
  { name: "access log, Istio's format", manager: { access_log: [accessLog("/dev/null")] } },
  // Measured like a feature: how far it is from 1 is the noise of the run.
  { name: "base again" },
];

const clusterOf = (index: number): string => `up-${index}`;

export function filterOf(feature: Feature, index: number): NetworkFilter {
  const to = clusterOf(index);
  const route = { match: { prefix: "/" }, route: { cluster: to, timeout: "0s", ...feature.action }, ...feature.route };
  return httpManager({ routes: [...(feature.before?.(to) ?? []), route], filters: feature.filters ?? [], over: feature.manager ?? {} });
}

/** One cluster for each feature, and the mirrors' target. */
export function clustersOf(features: readonly Feature[], upstreams: readonly number[], protocol: Protocol): readonly object[] {
  const [first = 0, second = 0, shadow = 0] = upstreams;
  return [
    ...features.map((feature, i) => cluster(clusterOf(i), [first, second], protocol, { ...limits(NO_LIMIT), ...feature.cluster })),
    cluster(SHADOW, [shadow], protocol, limits(NO_LIMIT)),
  ];
}
