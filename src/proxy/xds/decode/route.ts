// Envoy's Route: match, action, header operations.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto
import type { ClusterSpecifier, DirectResponseAction, ForwardAction, RedirectAction, Route, WeightedCluster } from "../../config/index.ts";
import { bytesOf } from "../../regex/latin1.ts";
import type { Reader } from "../../wire/reader.ts";
import { readDataSource } from "./data-source.ts";
import { decodeHashPolicies } from "./hash-policy.ts";
import { decodePerFilter } from "./http-filters/index.ts";
import { decodeMirrors } from "./mirrors.ts";
import { decodeMutations } from "./mutations.ts";
import { decodeRetryPolicy } from "./retry-policy.ts";
import { decodeRouteMatch } from "./route-match.ts";
import { decodeSubstitution } from "./text-matcher.ts";

export function decodeRoute(reader: Reader): Route {
  const match = reader.message("match");
  if (match === undefined) return reader.refuse("match", "is missing");
  const decorator = reader.message("decorator");
  const operation = decorator?.flag("propagate", true) === true ? decorator.text("operation") : "";
  return {
    name: reader.text("name"),
    match: decodeRouteMatch(match),
    action: decodeAction(reader),
    request: decodeMutations(reader, "request"),
    response: decodeMutations(reader, "response"),
    statPrefix: reader.text("stat_prefix"),
    decorator: operation === "" ? undefined : operation,
    perFilter: decodePerFilter(reader),
    metadata: undefined,
  };
}

function decodeAction(reader: Reader): Route["action"] {
  const forward = reader.message("route");
  if (forward !== undefined) return decodeForward(forward);
  const redirect = reader.message("redirect");
  if (redirect !== undefined) return decodeRedirect(redirect);
  const direct = reader.message("direct_response");
  if (direct !== undefined) return decodeDirect(direct);
  return reader.refuse("", "has no action");
}

const NOT_FOUND_STATUS: Readonly<Record<string, number>> = { SERVICE_UNAVAILABLE: 503, NOT_FOUND: 404, INTERNAL_SERVER_ERROR: 500 };

function decodeForward(reader: Reader): ForwardAction {
  if (reader.choice("priority", "DEFAULT") !== "DEFAULT") reader.refuse("priority", "HIGH is not supported");
  const stream = reader.message("max_stream_duration");
  if ((stream?.number("max_stream_duration", 0) ?? 0) > 0) stream?.refuse("max_stream_duration", "is not supported");
  const regex = reader.message("regex_rewrite");
  const prefix = reader.text("prefix_rewrite");
  const hostRewrite = reader.optionalText("host_rewrite_literal");
  const upgrades = reader.messages("upgrade_configs");
  return {
    kind: "forward",
    cluster: decodeCluster(reader),
    clusterNotFoundStatus: NOT_FOUND_STATUS[reader.choice("cluster_not_found_response_code", "SERVICE_UNAVAILABLE")] ?? 503,
    prefixRewrite: prefix === "" ? undefined : bytesOf(prefix),
    regexRewrite: regex === undefined ? undefined : decodeSubstitution(regex),
    hostRewrite: hostRewrite === undefined ? undefined : bytesOf(hostRewrite),
    autoHostRewrite: reader.flag("auto_host_rewrite"),
    appendXForwardedHost: reader.flag("append_x_forwarded_host"),
    timeoutMs: reader.optionalNumber("timeout"),
    idleTimeoutMs: reader.optionalNumber("idle_timeout"),
    maxGrpcTimeoutMs: stream?.optionalNumber("grpc_timeout_header_max") ?? reader.optionalNumber("max_grpc_timeout"),
    retry: decodeRetryPolicy(reader.message("retry_policy")),
    upgrades: new Map(upgrades.map((one) => [one.text("upgrade_type").toLowerCase(), one.flag("enabled", true)])),
    connect: decodeConnect(upgrades),
    priority: "DEFAULT",
    hashPolicy: decodeHashPolicies(reader),
    mirrors: decodeMirrors(reader),
  };
}

function decodeConnect(upgrades: readonly Reader[]): ForwardAction["connect"] {
  let connect: ForwardAction["connect"];
  for (const upgrade of upgrades) {
    const config = upgrade.message("connect_config");
    if (config === undefined) continue;
    if (upgrade.text("upgrade_type").toUpperCase() !== "CONNECT") upgrade.refuse("connect_config", "is for CONNECT only");
    connect = { allowPost: config.flag("allow_post") };
  }
  return connect;
}

function decodeCluster(reader: Reader): ClusterSpecifier {
  const name = reader.optionalText("cluster");
  if (name !== undefined && name !== "") return { kind: "cluster", name };
  const header = reader.text("cluster_header");
  if (header !== "") return { kind: "header", header: header.toLowerCase() };
  const weighted = reader.message("weighted_clusters");
  if (weighted === undefined) return reader.refuse("", "names no cluster");
  const clusters = weighted.messages("clusters").map(decodeWeighted);
  const sum = clusters.reduce((total, one) => total + one.weight, 0);
  const total = weighted.number("total_weight", 0);
  if (sum === 0) weighted.refuse("clusters", "weights are all 0");
  if (total !== 0 && total !== sum) weighted.refuse("total_weight", `is ${total}, the weights are ${sum} together`);
  const headerName = weighted.text("header_name");
  if (headerName !== "") weighted.refuse("header_name", "is not supported");
  return { kind: "weighted", clusters, total: sum, headerName: undefined, useHashPolicy: weighted.flag("use_hash_policy") };
}

function decodeWeighted(reader: Reader): WeightedCluster {
  const hostRewrite = reader.optionalText("host_rewrite_literal");
  if (reader.text("name") === "") reader.refuse("name", "is empty");
  return {
    name: reader.text("name"),
    weight: reader.number("weight", 0),
    request: decodeMutations(reader, "request"),
    response: decodeMutations(reader, "response"),
    hostRewrite: hostRewrite === undefined ? undefined : bytesOf(hostRewrite),
  };
}

const REDIRECT_STATUS: Readonly<Record<string, number>> = {
  MOVED_PERMANENTLY: 301,
  FOUND: 302,
  SEE_OTHER: 303,
  TEMPORARY_REDIRECT: 307,
  PERMANENT_REDIRECT: 308,
};

function decodeRedirect(reader: Reader): RedirectAction {
  const regex = reader.message("regex_rewrite");
  const some = (text: string | undefined): string | undefined => (text === undefined || text === "" ? undefined : bytesOf(text));
  const port = reader.number("port_redirect", 0);
  return {
    kind: "redirect",
    status: REDIRECT_STATUS[reader.choice("response_code", "MOVED_PERMANENTLY")] ?? 301,
    scheme: some(reader.optionalText("scheme_redirect")),
    httpsRedirect: reader.flag("https_redirect"),
    host: some(reader.text("host_redirect")),
    port: port === 0 ? undefined : port,
    path: some(reader.optionalText("path_redirect")),
    prefixRewrite: some(reader.optionalText("prefix_rewrite")),
    regexRewrite: regex === undefined ? undefined : decodeSubstitution(regex),
    stripQuery: reader.flag("strip_query"),
  };
}

function decodeDirect(reader: Reader): DirectResponseAction {
  const status = reader.number("status", 0);
  if (status < 200 || status > 599) reader.refuse("status", `${status} is not between 200 and 599`);
  return { kind: "direct", status, body: readDataSource(reader, "body") ?? new Uint8Array(0) };
}
