// Follows one request through a proxy's decoded config and says at each step what was chosen and why: listener → filter chain → route
// configuration → virtual host → route → clusters → endpoints. What happens is the proxy's own code's verdict; only the words are of here.
import type {
  ClusterConfig,
  FilterChain,
  HttpConnectionManagerConfig,
  Listener,
  RouteTable,
  RuntimeConfig,
} from "../../proxy/config/index.ts";
import { isSocketPath, matchFilterChain, nameAndPort, type Outgoing, rehearse, type Rehearsal } from "../../proxy/matcher.ts";
import type { CurlRequest } from "./curl-args.ts";
import { type EndpointExplanation, type Explanation, formatShare, type Share } from "./explanation.ts";
import { describePath, whyNot } from "./why-not.ts";

export interface Arrival {
  readonly listener: Listener;
  /** Where the connection was going, for captured traffic; undefined: to the listener itself. */
  readonly destination: { readonly address: string; readonly port: number } | undefined;
  /** The request names its server in the request line, as callers of an HTTP proxy do. */
  readonly absolute: boolean;
  readonly why: string;
}

const CALLER = "127.0.0.1";

export function explain(request: CurlRequest, arrival: Arrival, config: RuntimeConfig): Explanation {
  const why: string[] = [arrival.why];
  const { listener } = arrival;
  const chain = chooseChain(request, arrival, why);
  const start: Explanation = { ...unanswered(request), listener: listener.name, why };
  if (chain === undefined) return { ...start, why: [...why, "no filter chain fits: the connection is closed"] };
  const found = { ...start, filterChain: chain.name === "" ? null : chain.name };
  if (chain.network.kind === "http")
    return explainHttp(request, chain.network, { arrival, config, found, why, secure: chain.tls !== undefined });
  if (chain.network.kind === "direct") {
    const text = chain.network.response.toString("latin1");
    return { ...found, why: [...why, `the proxy answers ${JSON.stringify(text.slice(0, 80))} and closes`] };
  }
  const { clusters } = chain.network;
  const total = clusters.reduce((sum, cluster) => sum + cluster.weight, 0);
  const shares = clusters.map(({ name, weight }) => ({ name, weight: total === 0 ? 0 : (100 * weight) / total }));
  why.push(`the bytes go on as they are to ${shares.map(formatShare).join(", ")}`);
  return toUpstreams({ ...found, clusters: shares, why }, shares, { config, notFoundStatus: 503 });
}

function chooseChain(request: CurlRequest, arrival: Arrival, why: string[]): FilterChain | undefined {
  const { listener } = arrival;
  const to = destinationOf(arrival);
  const tls = request.scheme === "https" && !arrival.absolute;
  const chain = matchFilterChain(listener, {
    localAddress: to.address,
    localPort: to.port,
    remoteAddress: CALLER,
    remotePort: 0,
    transport: tls ? "tls" : "raw_buffer",
    serverName: tls ? request.host.toLowerCase() : "",
    // What curl offers.
    applicationProtocols: tls ? ["h2", "http/1.1"] : request.scheme === "http" ? ["http/1.1"] : [],
  });
  const of = listener.filterChains.length;
  if (chain !== undefined && chain === listener.defaultFilterChain) why.push("no filter chain fits, the default one takes it");
  else if (chain !== undefined && of > 1) why.push(`filter chain ${chain.name === "" ? "1" : chain.name} of ${of} fits`);
  return chain;
}

function destinationOf({ listener, destination }: Arrival): { readonly address: string; readonly port: number } {
  return destination ?? { address: listener.address.host, port: listener.address.port };
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
    request: { path: request.path, authority: request.authority, headers: joinLines(request.headers) },
    endpoints: [],
    why: [],
  };
}

export function noListener(request: CurlRequest, why: string): Explanation {
  return { ...unanswered(request), why: [why] };
}

interface HttpContext {
  readonly arrival: Arrival;
  readonly config: RuntimeConfig;
  readonly found: Explanation;
  readonly why: string[];
  /** The filter chain takes TLS off. */
  readonly secure: boolean;
}

function explainHttp(request: CurlRequest, network: HttpConnectionManagerConfig, context: HttpContext): Explanation {
  const { arrival, config, why } = context;
  const { routes } = network;
  const name = routes.kind === "rds" ? routes.name : routes.table.name;
  const table = routes.kind === "rds" ? config.routes.get(routes.name) : routes.table;
  const to = destinationOf(arrival);
  const result = rehearse(network, config, {
    head: headOf(request, arrival),
    localAddress: to.address,
    localPort: to.port,
    remoteAddress: CALLER,
    secure: context.secure,
  });
  const found = { ...context.found, routeConfig: name };
  if (result.request === undefined) return answered(found, result, [...why, "the proxy cannot take it for a request"]);
  if (result.request.path !== request.path) why.push(`the path is read as ${result.request.path}`);
  const asRead = { ...found, request: { ...found.request, path: result.request.path, authority: result.request.authority } };
  if (table === undefined) return answered(asRead, result, [...why, `route configuration ${name} is not there`]);
  return result.virtualHost === undefined ? noHost(asRead, result, { table, why }) : explainRoutes(asRead, result, { config, table, why });
}

function noHost(found: Explanation, result: Rehearsal, context: { readonly table: RouteTable; readonly why: string[] }): Explanation {
  const { table, why } = context;
  const known = table.virtualHosts.flatMap(({ domains }) => domains).slice(0, 12);
  why.push(`no virtual host of ${table.name} has the domain ${result.request?.authority} (it has ${known.join(", ")})`);
  return answered(found, result, why);
}

function explainRoutes(
  found: Explanation,
  result: Rehearsal,
  context: { readonly config: RuntimeConfig; readonly table: RouteTable; readonly why: string[] },
): Explanation {
  const { table, why } = context;
  const { virtualHost, request, route } = result;
  if (virtualHost === undefined || request === undefined) return found;
  why.push(`${table.name}: ${request.authority} is virtual host ${virtualHost.name}`);
  for (const [i, one] of virtualHost.routes.entries()) {
    if (one === route) break;
    why.push(`${labelOf(one.name, i)} does not match: ${whyNot(one.match, request) ?? "it takes only some of the requests"}`);
  }
  const at = { ...found, virtualHost: virtualHost.name };
  if (route === undefined) return answered(at, result, [...why, `no route of ${virtualHost.name} matches`]);
  const index = virtualHost.routes.indexOf(route);
  const more = route.match.headers.length + route.match.queryParameters.length;
  why.push(`${labelOf(route.name, index)} matches (${describePath(route.match.path)}${more > 0 ? ` and ${more} more` : ""})`);
  const named = { ...at, route: route.name === "" ? `#${index}` : route.name };
  if (result.answer !== undefined) return answered(named, result, why);
  return forwarded(named, result, context);
}

function labelOf(name: string, index: number): string {
  return name === "" || name === "default" ? `rule ${index + 1}` : `rule ${index + 1} (${name})`;
}

/** The proxy's own answer. */
function answered(found: Explanation, { answer }: Rehearsal, why: readonly string[]): Explanation {
  const status = answer?.status ?? 404;
  const location = answer?.list.get("location");
  const grpc = answer?.list.get("grpc-status");
  const words =
    location !== undefined
      ? `${status} to ${location}`
      : `the proxy answers ${status}${grpc === undefined ? "" : `, grpc-status ${grpc}`}${
          answer === undefined || answer.body === "" ? "" : `, with ${answer.body.length} bytes`
        }${answer === undefined || answer.details === "" ? "" : ` (${answer.details})`}`;
  return { ...found, status, why: [...why, words] };
}

function forwarded(
  found: Explanation,
  result: Rehearsal,
  context: { readonly config: RuntimeConfig; readonly why: string[] },
): Explanation {
  const { plan, outgoing } = result;
  const why = [...context.why];
  const main = outgoing.reduce<Outgoing | undefined>(
    (best, one) => (best !== undefined && best.share >= one.share ? best : one),
    undefined,
  );
  if (main !== undefined) {
    if (main.path !== found.request.path) why.push(`the path becomes ${main.path}`);
    if (main.authority !== found.request.authority) why.push(`the authority becomes ${main.authority}`);
  }
  const clusters: Share[] = outgoing.map(({ cluster, share }) => ({ name: cluster, weight: share }));
  why.push(`it goes to ${clusters.length === 0 ? "no cluster" : clusters.map(formatShare).join(", ")}`);
  if (plan !== undefined && plan.timeoutMs > 0) why.push(`timeout ${plan.timeoutMs} ms`);
  if (plan?.retry !== undefined) why.push(`up to ${plan.retry.policy.numRetries} retries on ${[...plan.retry.policy.on].join(",")}`);
  const request = main === undefined ? found.request : { path: main.path, authority: main.authority, headers: joinLines(main.headers) };
  return toUpstreams({ ...found, request, clusters, why }, clusters, {
    config: context.config,
    notFoundStatus: plan?.action.clusterNotFoundStatus ?? 503,
  });
}

/** The endpoints of the clusters that get a share; 503 when none can answer. */
function toUpstreams(
  found: Explanation,
  clusters: Explanation["clusters"],
  options: { readonly config: RuntimeConfig; readonly notFoundStatus: number },
): Explanation {
  const { config, notFoundStatus } = options;
  const why = [...found.why];
  const endpoints: EndpointExplanation[] = [];
  const failing: number[] = [];
  for (const { name, weight } of clusters) {
    if (weight === 0) continue;
    const cluster = config.clusters.get(name);
    if (cluster === undefined) {
      why.push(`cluster ${name} is not there: ${notFoundStatus}`);
      failing.push(notFoundStatus);
      continue;
    }
    const hosts = endpointsOf(cluster, config, found.request.authority);
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

function endpointsOf(cluster: ClusterConfig, config: RuntimeConfig, authority: string): EndpointExplanation[] | undefined {
  if (cluster.type === "DYNAMIC") {
    const { key } = nameAndPort(authority, cluster.transport?.tls === undefined ? 80 : 443);
    return [{ cluster: cluster.name, address: key, weight: 1, healthy: true }];
  }
  if (cluster.type === "ORIGINAL_DST") return undefined;
  const set = cluster.endpoints ?? config.endpoints.get(cluster.edsServiceName === "" ? cluster.name : cluster.edsServiceName);
  return (set?.endpoints ?? []).map((endpoint) => ({
    cluster: cluster.name,
    address: isSocketPath(endpoint.address) ? endpoint.address : `${endpoint.address}:${endpoint.port}`,
    weight: endpoint.weight,
    healthy: endpoint.healthy,
  }));
}

/** The request as curl puts it on the wire, one byte per char. */
function headOf(request: CurlRequest, arrival: Arrival): string {
  const standard = request.scheme === "https" ? 443 : 80;
  const server = request.port === standard ? request.host : `${request.host}:${request.port}`;
  const target = arrival.absolute ? `http://${server}${request.path}` : request.path;
  const lines = request.headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`${request.method} ${target} HTTP/1.1\r\nhost: ${request.authority}\r\n${lines}`, "utf8").toString("latin1");
}

/** Lines of one name as one value. */
function joinLines(headers: readonly (readonly [name: string, value: string])[]): Readonly<Record<string, string>> {
  const joined = new Map<string, string>();
  for (const [name, value] of headers) {
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ","}${value}`);
  }
  return Object.fromEntries(joined);
}
