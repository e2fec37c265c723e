// Envoy's RouteConfiguration and VirtualHost → frozen routes, with their tests compiled.
import {
  fromBinary,
  type HeaderMatcher as HeaderMatcherMessage,
  type QueryParameterMatcher as QueryMatcherMessage,
  type Route as RouteMessage,
  RouteConfigurationSchema,
  type RouteMatch as RouteMatchMessage,
  RouteMatchSchema,
  RouteSchema,
  type VirtualHost as VirtualHostMessage,
  VirtualHost_TlsRequirementType as Tls,
  VirtualHostSchema,
  type RouteConfiguration,
} from "../../envoy-api/index.ts";
import type {
  HeaderMatcher,
  HeaderMutations,
  PathMatcher,
  QueryParameterMatcher,
  Route,
  RouteMatch,
  VirtualHost,
} from "../config/index.ts";
import { compileFullMatch } from "../regex/compile-regex.ts";
import { guard, refuse } from "./guard.ts";
import { toMutations } from "./header-mutations.ts";
import { decodeAction } from "./route-action.ts";
import { retryPolicyOf } from "./retry-policy.ts";
import { bytesOf, stringTest } from "./string-matcher.ts";

function headerMatcher(message: HeaderMatcherMessage, path: string): HeaderMatcher {
  const base = { name: message.name.toLowerCase(), invert: message.invertMatch, treatMissingAsEmpty: message.treatMissingHeaderAsEmpty };
  const kind = message.headerMatchSpecifier;
  switch (kind.case) {
    case undefined:
      return { ...base, test: undefined, absent: false, describe: "is present" };
    case "presentMatch":
      return { ...base, test: undefined, absent: !kind.value, describe: kind.value ? "is present" : "is absent" };
    case "stringMatch":
      return { ...base, ...stringTest(kind.value, path), absent: false };
    case "exactMatch": {
      const value = bytesOf(kind.value);
      return { ...base, test: (v) => v === value, absent: false, describe: `= "${kind.value}"` };
    }
    case "safeRegexMatch":
      return { ...base, test: compileFullMatch(kind.value.regex), absent: false, describe: `matches ${kind.value.regex}` };
    case "prefixMatch": {
      const value = bytesOf(kind.value);
      return { ...base, test: (v) => v.startsWith(value), absent: false, describe: `starts with "${kind.value}"` };
    }
    default:
      return refuse(`${path}.${kind.case}`, "this proxy does not support the field yet");
  }
}

function queryMatcher(message: QueryMatcherMessage, path: string): QueryParameterMatcher {
  const kind = message.queryParameterMatchSpecifier;
  if (kind.case === "stringMatch") return { name: message.name, ...stringTest(kind.value, path) };
  return { name: message.name, test: undefined, describe: "is present" };
}

function pathMatcher(message: RouteMatchMessage, path: string): PathMatcher {
  const kind = message.pathSpecifier;
  const ignoreCase = message.caseSensitive === false;
  switch (kind.case) {
    case "prefix":
      return { kind: "prefix", value: bytesOf(kind.value), ignoreCase };
    case "path":
      return { kind: "exact", value: bytesOf(kind.value), ignoreCase };
    case "safeRegex":
      return { kind: "regex", source: kind.value.regex, test: compileFullMatch(kind.value.regex) };
    case "pathSeparatedPrefix":
      return { kind: "separatedPrefix", value: bytesOf(kind.value), ignoreCase };
    case "connectMatcher":
      return { kind: "connect" };
    default:
      return refuse(`${path}.path_specifier`, "this proxy does not support this kind of path match yet");
  }
}

const DENOMINATORS = [100, 10_000, 1_000_000] as const;

function matchOf(message: RouteMatchMessage | undefined, path: string): RouteMatch {
  if (message === undefined) return refuse(path, "has no match");
  guard(RouteMatchSchema, message, {
    used: [
      "prefix",
      "path",
      "safe_regex",
      "path_separated_prefix",
      "connect_matcher",
      "case_sensitive",
      "headers",
      "query_parameters",
      "runtime_fraction",
      "grpc",
    ],
    path,
  });
  const fraction = message.runtimeFraction?.defaultValue;
  return {
    path: pathMatcher(message, path),
    headers: message.headers.map((h) => headerMatcher(h, `${path}.headers ${h.name}`)),
    queryParameters: message.queryParameters.map((q) => queryMatcher(q, `${path}.query_parameters ${q.name}`)),
    fraction: fraction === undefined ? undefined : fraction.numerator / (DENOMINATORS[fraction.denominator] ?? 100),
    grpcOnly: message.grpc !== undefined,
  };
}

const NO_FILTERS: ReadonlyMap<string, unknown> = new Map();

function toRoute(message: RouteMessage, path: string): Route {
  guard(RouteSchema, message, {
    used: [
      "name",
      "match",
      "route",
      "redirect",
      "direct_response",
      "request_headers_to_add",
      "request_headers_to_remove",
      "response_headers_to_add",
      "response_headers_to_remove",
    ],
    inert: ["metadata", "decorator", "stat_prefix", "tracing"],
    path,
  });
  return Object.freeze({
    name: message.name,
    match: matchOf(message.match, `${path}.match`),
    action: decodeAction(message, path),
    request: toMutations({ add: message.requestHeadersToAdd, remove: message.requestHeadersToRemove }, `${path}.request_headers_to_add`),
    response: toMutations(
      { add: message.responseHeadersToAdd, remove: message.responseHeadersToRemove },
      `${path}.response_headers_to_add`,
    ),
    statPrefix: message.statPrefix,
    decorator: message.decorator?.operation,
    perFilter: NO_FILTERS,
    metadata: message.metadata,
  });
}

const TLS: Readonly<Record<Tls, VirtualHost["requireTls"]>> = {
  [Tls.NONE]: "NONE",
  [Tls.EXTERNAL_ONLY]: "EXTERNAL_ONLY",
  [Tls.ALL]: "ALL",
};

export function toVirtualHost(message: VirtualHostMessage): VirtualHost {
  const path = `virtual host ${message.name}`;
  guard(VirtualHostSchema, message, {
    used: [
      "name",
      "domains",
      "routes",
      "require_tls",
      "request_headers_to_add",
      "request_headers_to_remove",
      "response_headers_to_add",
      "response_headers_to_remove",
      "retry_policy",
      "include_request_attempt_count",
      "include_attempt_count_in_response",
    ],
    inert: ["metadata"],
    path,
  });
  return Object.freeze({
    name: message.name,
    domains: message.domains,
    routes: Object.freeze(message.routes.map((r, i) => toRoute(r, `${path}.routes[${i}]`))),
    requireTls: TLS[message.requireTls],
    request: toMutations({ add: message.requestHeadersToAdd, remove: message.requestHeadersToRemove }, `${path}.request_headers_to_add`),
    response: toMutations(
      { add: message.responseHeadersToAdd, remove: message.responseHeadersToRemove },
      `${path}.response_headers_to_add`,
    ),
    retry: message.retryPolicy === undefined ? undefined : retryPolicyOf(message.retryPolicy, `${path}.retry_policy`),
    includeAttemptCount: message.includeRequestAttemptCount,
    includeAttemptCountInResponse: message.includeAttemptCountInResponse,
    perFilter: NO_FILTERS,
  });
}

export function decodeVirtualHost(bytes: Uint8Array): VirtualHost {
  return toVirtualHost(fromBinary(VirtualHostSchema, bytes));
}

/** A route configuration as it came: its table is compiled when its virtual hosts are known. */
export interface RouteConfig {
  readonly name: string;
  readonly virtualHosts: readonly VirtualHost[];
  /** Its other virtual hosts are resources of their own. */
  readonly vhds: boolean;
  readonly request: HeaderMutations;
  readonly response: HeaderMutations;
  readonly ignorePortInHostMatching: boolean;
  readonly internalOnlyHeaders: readonly string[];
  readonly mostSpecificHeaderMutationsWins: boolean;
}

export function toRouteConfig(message: RouteConfiguration): RouteConfig {
  const path = `route configuration ${message.name}`;
  guard(RouteConfigurationSchema, message, {
    used: [
      "name",
      "virtual_hosts",
      "vhds",
      "request_headers_to_add",
      "request_headers_to_remove",
      "response_headers_to_add",
      "response_headers_to_remove",
      "most_specific_header_mutations_wins",
      "ignore_port_in_host_matching",
      "validate_clusters",
    ],
    inert: ["max_direct_response_body_size_bytes", "metadata"],
    path,
  });
  return Object.freeze({
    name: message.name,
    virtualHosts: message.virtualHosts.map(toVirtualHost),
    vhds: message.vhds !== undefined,
    request: toMutations({ add: message.requestHeadersToAdd, remove: message.requestHeadersToRemove }, `${path}.request_headers_to_add`),
    response: toMutations(
      { add: message.responseHeadersToAdd, remove: message.responseHeadersToRemove },
      `${path}.response_headers_to_add`,
    ),
    ignorePortInHostMatching: message.ignorePortInHostMatching,
    internalOnlyHeaders: message.internalOnlyHeaders,
    mostSpecificHeaderMutationsWins: message.mostSpecificHeaderMutationsWins,
  });
}

export function decodeRouteConfig(bytes: Uint8Array): RouteConfig {
  return toRouteConfig(fromBinary(RouteConfigurationSchema, bytes));
}
