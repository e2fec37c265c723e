// What a route does, from Envoy's messages: forward, redirect or answer.
import {
  type DirectResponseAction as DirectMessage,
  DirectResponseActionSchema,
  durationMs,
  type RedirectAction as RedirectMessage,
  RedirectAction_RedirectResponseCode as Code,
  RedirectActionSchema,
  type Route,
  type RouteAction,
  RouteAction_ClusterNotFoundResponseCode as NotFound,
  RouteActionSchema,
  type WeightedCluster as WeightedMessage,
  WeightedCluster_ClusterWeightSchema,
  WeightedClusterSchema,
} from "../../envoy-api/index.ts";
import type { ClusterSpecifier, DirectResponseAction, ForwardAction, RedirectAction, WeightedCluster } from "../config/index.ts";
import { compileSubstitution } from "../regex/compile-regex.ts";
import { guard, refuse } from "./guard.ts";
import { retryPolicyOf } from "./retry-policy.ts";
import { toMutations } from "./header-mutations.ts";
import { bytesOf } from "./string-matcher.ts";

const REDIRECT_STATUS: Readonly<Record<Code, number>> = {
  [Code.MOVED_PERMANENTLY]: 301,
  [Code.FOUND]: 302,
  [Code.SEE_OTHER]: 303,
  [Code.TEMPORARY_REDIRECT]: 307,
  [Code.PERMANENT_REDIRECT]: 308,
};

export function decodeAction(message: Route, path: string): ForwardAction | RedirectAction | DirectResponseAction {
  const { action } = message;
  switch (action.case) {
    case "route":
      return forwardOf(action.value, `${path}.route`);
    case "redirect":
      return redirectOf(action.value, `${path}.redirect`);
    case "directResponse":
      return directOf(action.value, `${path}.direct_response`);
    default:
      return refuse(path, "has no action this proxy supports");
  }
}

function weightedOf(message: WeightedMessage, path: string): ClusterSpecifier {
  guard(WeightedClusterSchema, message, { used: ["clusters", "total_weight"], path });
  const clusters = message.clusters.map((c, i): WeightedCluster => {
    const at = `${path}.clusters[${i}]`;
    guard(WeightedCluster_ClusterWeightSchema, c, {
      used: [
        "name",
        "weight",
        "request_headers_to_add",
        "request_headers_to_remove",
        "response_headers_to_add",
        "response_headers_to_remove",
        "host_rewrite_literal",
      ],
      path: at,
    });
    return {
      name: c.name,
      weight: c.weight ?? 0,
      request: toMutations({ add: c.requestHeadersToAdd, remove: c.requestHeadersToRemove }, `${at}.request_headers_to_add`),
      response: toMutations({ add: c.responseHeadersToAdd, remove: c.responseHeadersToRemove }, `${at}.response_headers_to_add`),
      hostRewrite: c.hostRewriteSpecifier.case === "hostRewriteLiteral" ? c.hostRewriteSpecifier.value : undefined,
      perFilter: new Map(),
    };
  });
  const total = clusters.reduce((sum, c) => sum + c.weight, 0);
  if (total === 0) refuse(path, "the weights sum up to 0");
  return { kind: "weighted", clusters, total, headerName: undefined };
}

function specifierOf(message: RouteAction, path: string): ClusterSpecifier {
  const kind = message.clusterSpecifier;
  switch (kind.case) {
    case "cluster":
      return { kind: "cluster", name: kind.value };
    case "weightedClusters":
      return weightedOf(kind.value, `${path}.weighted_clusters`);
    case "clusterHeader":
      return { kind: "header", header: kind.value.toLowerCase() };
    default:
      return refuse(path, "names no cluster");
  }
}

function forwardOf(message: RouteAction, path: string): ForwardAction {
  guard(RouteActionSchema, message, {
    used: [
      "cluster",
      "weighted_clusters",
      "cluster_header",
      "cluster_not_found_response_code",
      "prefix_rewrite",
      "regex_rewrite",
      "host_rewrite_literal",
      "auto_host_rewrite",
      "append_x_forwarded_host",
      "timeout",
      "idle_timeout",
      "retry_policy",
      "max_grpc_timeout",
      "upgrade_configs",
    ],
    path,
  });
  const host = message.hostRewriteSpecifier;
  const regex = message.regexRewrite;
  const pattern = regex?.pattern?.regex ?? "";
  return {
    kind: "forward",
    cluster: specifierOf(message, path),
    clusterNotFoundStatus:
      message.clusterNotFoundResponseCode === NotFound.NOT_FOUND
        ? 404
        : message.clusterNotFoundResponseCode === NotFound.INTERNAL_SERVER_ERROR
          ? 500
          : 503,
    prefixRewrite: message.prefixRewrite === "" ? undefined : bytesOf(message.prefixRewrite),
    regexRewrite:
      regex === undefined
        ? undefined
        : { substitute: compileSubstitution(pattern, regex.substitution), source: pattern, substitution: regex.substitution },
    hostRewrite: host.case === "hostRewriteLiteral" ? bytesOf(host.value) : undefined,
    autoHostRewrite: host.case === "autoHostRewrite" && host.value.value,
    appendXForwardedHost: message.appendXForwardedHost,
    timeoutMs: message.timeout === undefined ? undefined : durationMs(message.timeout),
    idleTimeoutMs: message.idleTimeout === undefined ? undefined : durationMs(message.idleTimeout),
    maxGrpcTimeoutMs: message.maxGrpcTimeout === undefined ? undefined : durationMs(message.maxGrpcTimeout),
    retry: message.retryPolicy === undefined ? undefined : retryPolicyOf(message.retryPolicy, `${path}.retry_policy`),
    upgrades: new Map(message.upgradeConfigs.map((u) => [u.upgradeType.toLowerCase(), u.enabled ?? true])),
    priority: "DEFAULT",
    hashPolicy: [],
    mirrors: [],
  };
}

function redirectOf(message: RedirectMessage, path: string): RedirectAction {
  guard(RedirectActionSchema, message, {
    used: [
      "https_redirect",
      "scheme_redirect",
      "host_redirect",
      "port_redirect",
      "path_redirect",
      "prefix_rewrite",
      "regex_rewrite",
      "response_code",
      "strip_query",
    ],
    path,
  });
  const to = message.pathRewriteSpecifier;
  const scheme = message.schemeRewriteSpecifier;
  return {
    kind: "redirect",
    status: REDIRECT_STATUS[message.responseCode],
    scheme: scheme.case === "schemeRedirect" ? scheme.value : undefined,
    httpsRedirect: scheme.case === "httpsRedirect" && scheme.value,
    host: message.hostRedirect === "" ? undefined : bytesOf(message.hostRedirect),
    port: message.portRedirect === 0 ? undefined : message.portRedirect,
    path: to.case === "pathRedirect" ? bytesOf(to.value) : undefined,
    prefixRewrite: to.case === "prefixRewrite" ? bytesOf(to.value) : undefined,
    regexRewrite:
      to.case === "regexRewrite" ? { substitute: compileSubstitution(to.value.pattern?.regex ?? "", to.value.substitution) } : undefined,
    stripQuery: message.stripQuery,
  };
}

function directOf(message: DirectMessage, path: string): DirectResponseAction {
  guard(DirectResponseActionSchema, message, { used: ["status", "body"], path });
  const body = message.body?.specifier;
  if (body?.case === "filename" || body?.case === "environmentVariable") return refuse(`${path}.body`, "only inline bodies are supported");
  const bytes = body?.case === "inlineString" ? Buffer.from(body.value) : body?.case === "inlineBytes" ? body.value : new Uint8Array();
  return { kind: "direct", status: message.status, body: bytes };
}
