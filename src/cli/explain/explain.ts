// Follows one request through a proxy's decoded config, as Envoy would, and says at each step what was chosen and why:
// listener → filter chain → route configuration → virtual host → route → clusters → endpoints.
import type {
  ClusterConfig,
  HttpConnectionManagerConfig,
  Listener,
  RequestView,
  Route,
  RouteTable,
  RuntimeConfig,
  VirtualHost,
} from "../../proxy/config/index.ts";
import { describeAction, type Forwarded, joinHeaders } from "./action.ts";
import type { CurlRequest } from "./curl-args.ts";
import { type EndpointExplanation, type Explanation, formatShare } from "./explanation.ts";
import { chooseChain } from "./filter-chain.ts";
import { describePath, whyNot } from "./why-not.ts";

export interface Arrival {
  readonly listener: Listener;
  /** Where the connection was going, for captured traffic; undefined: to the listener itself. */
  readonly destination: { readonly address: string; readonly port: number } | undefined;
  readonly why: string;
}

export function explain(request: CurlRequest, arrival: Arrival, config: RuntimeConfig): Explanation {
  const why: string[] = [arrival.why];
  const { listener } = arrival;
  const chosen = chooseChain(listener, {
    destination: arrival.destination ?? { address: listener.address.host, port: listener.address.port },
    tls: request.scheme === "https",
    serverName: request.scheme === "https" ? request.host : "",
    protocol: request.scheme === "http" ? "http/1.1" : "",
  });
  why.push(...chosen.why);
  const start: Explanation = { ...unanswered(request), listener: listener.name, why };
  if (chosen.chain === undefined) return { ...start, why: [...why, "no filter chain fits: the connection is closed"] };
  const { chain } = chosen;
  const found = { ...start, filterChain: chain.name === "" ? null : chain.name };
  if (chain.network.kind === "http") return explainHttp(request, chain.network, { config, found, why });
  const { clusters } = chain.network;
  const total = clusters.reduce((sum, cluster) => sum + cluster.weight, 0);
  const shares = clusters.map(({ name, weight }) => ({ name, weight: total === 0 ? 0 : (100 * weight) / total }));
  why.push(`the bytes go on as they are to ${shares.map(formatShare).join(", ")}`);
  return toUpstreams({ ...found, clusters: shares, why }, shares, config);
}

function unanswered(request: CurlRequest): Explanation {
  return {
    listener: null,
    filterChain: null,
    routeConfig: null,
    virtualHost: null,
    route: null,
    clusters: [],
    status: null,
    request: { path: request.path, authority: request.authority, headers: Object.fromEntries(joinHeaders(request.headers)) },
    endpoints: [],
    why: [],
  };
}

export function noListener(request: CurlRequest, why: string): Explanation {
  return { ...unanswered(request), why: [why] };
}

function explainHttp(
  request: CurlRequest,
  network: HttpConnectionManagerConfig,
  context: { readonly config: RuntimeConfig; readonly found: Explanation; readonly why: string[] },
): Explanation {
  const { config, found, why } = context;
  const name = network.routes.kind === "rds" ? network.routes.name : network.routes.table.name;
  const table = network.routes.kind === "rds" ? config.routes.get(network.routes.name) : network.routes.table;
  const withConfig = { ...found, routeConfig: name };
  if (table === undefined) return { ...withConfig, status: 404, why: [...why, `route configuration ${name} is not there: 404`] };
  const view = toRequestView(request);
  const host = table.lookup(view.authority);
  if (host === undefined) {
    const known = table.virtualHosts.flatMap(({ domains }) => domains).slice(0, 12);
    return {
      ...withConfig,
      status: 404,
      why: [...why, `no virtual host of ${name} has the domain ${view.authority} (it has ${known.join(", ")}): 404`],
    };
  }
  why.push(`${name}: ${view.authority} is virtual host ${host.name}`);
  return explainRoutes(request, view, { config, table, host, found: { ...withConfig, virtualHost: host.name }, why });
}

interface RouteContext {
  readonly config: RuntimeConfig;
  readonly table: RouteTable;
  readonly host: VirtualHost;
  readonly found: Explanation;
  readonly why: string[];
}

function explainRoutes(request: CurlRequest, view: RequestView, context: RouteContext): Explanation {
  const { config, table, host, found, why } = context;
  if (host.requireTls === "ALL" && request.scheme !== "https") {
    why.push(`${host.name} takes HTTPS only: 301 to https://`);
    return { ...found, status: 301, why };
  }
  for (const [i, route] of host.routes.entries()) {
    const label = labelOf(route, i);
    const reason = whyNot(route.match, view);
    if (reason !== undefined) {
      why.push(`${label} does not match: ${reason}`);
      continue;
    }
    why.push(
      `${label} matches (${describePath(route.match.path)}${route.match.headers.length > 0 ? ` and ${route.match.headers.length} more` : ""})`,
    );
    const result = describeAction(route, { request, host, table });
    why.push(...result.why);
    const at = { ...found, route: route.name === "" ? `#${i}` : route.name, request: result.request, why };
    if (result.kind === "answer") return { ...at, status: result.status };
    return toUpstreams({ ...at, clusters: result.clusters }, result.clusters, config, result);
  }
  why.push(`no route of ${host.name} matches: 404`);
  return { ...found, status: 404, why };
}

function labelOf(route: Route, index: number): string {
  return route.name === "" || route.name === "default" ? `rule ${index + 1}` : `rule ${index + 1} (${route.name})`;
}

/** The endpoints of the clusters that get a share; 503 when none can answer. */
function toUpstreams(found: Explanation, clusters: Explanation["clusters"], config: RuntimeConfig, forwarded?: Forwarded): Explanation {
  const why = [...found.why];
  const endpoints: EndpointExplanation[] = [];
  const failing: number[] = [];
  for (const { name, weight } of clusters) {
    if (weight === 0) continue;
    const cluster = config.clusters.get(name);
    if (cluster === undefined) {
      why.push(`cluster ${name} is not there: ${forwarded?.notFoundStatus ?? 503}`);
      failing.push(forwarded?.notFoundStatus ?? 503);
      continue;
    }
    const hosts = endpointsOf(cluster, config);
    if (hosts === undefined) {
      why.push(`${name} connects to where the caller wanted to go`);
      continue;
    }
    if (hosts.length === 0) {
      why.push(`${name} has no endpoint: 503`);
      failing.push(503);
      continue;
    }
    endpoints.push(...hosts);
    const healthy = hosts.filter((host) => host.healthy).length;
    why.push(
      `${name} has ${hosts.length} endpoint${hosts.length === 1 ? "" : "s"}${healthy === hosts.length ? "" : `, ${healthy} of them healthy`}`,
    );
  }
  // Part of the traffic failing is no answer for all of it.
  const all = clusters.filter((cluster) => cluster.weight > 0).length === failing.length && failing.length > 0;
  return { ...found, endpoints, status: all ? (failing[0] ?? 503) : null, why };
}

function endpointsOf(cluster: ClusterConfig, config: RuntimeConfig): EndpointExplanation[] | undefined {
  if (cluster.type === "ORIGINAL_DST") return undefined;
  const set = cluster.endpoints ?? config.endpoints.get(cluster.edsServiceName === "" ? cluster.name : cluster.edsServiceName);
  return (set?.endpoints ?? []).map((endpoint) => ({
    cluster: cluster.name,
    address: `${endpoint.address}:${endpoint.port}`,
    weight: endpoint.weight,
    healthy: endpoint.healthy,
  }));
}

/** The request as the router sees it: text holds one byte per char. */
function toRequestView(request: CurlRequest): RequestView {
  const latin = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
  const pseudo = new Map([
    [":path", request.path],
    [":method", request.method],
    [":authority", request.authority],
    [":scheme", request.scheme],
    ["host", request.authority],
  ]);
  return {
    method: request.method,
    path: latin(request.path),
    authority: latin(request.authority),
    scheme: request.scheme,
    headerLines(name) {
      const value = pseudo.get(name);
      if (value !== undefined) return [latin(value)];
      return request.headers.filter(([header]) => header === name).map(([, line]) => latin(line));
    },
  };
}
