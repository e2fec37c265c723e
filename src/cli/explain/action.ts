// What a matched route does to a request: forwarded (where, and how rewritten), redirected, or answered by the proxy itself.
// Behaviour: Envoy's RouteAction, RedirectAction and header evaluation (most specific first unless the table says otherwise).
import type { ForwardAction, HeaderMutations, RedirectAction, Route, RouteTable, VirtualHost } from "../../proxy/config/index.ts";
import type { CurlRequest } from "./curl-args.ts";
import { formatShare, type OutgoingRequest, type Share } from "./explanation.ts";

export interface Forwarded {
  readonly kind: "forward";
  readonly clusters: readonly Share[];
  readonly notFoundStatus: number;
  readonly request: OutgoingRequest;
  readonly why: readonly string[];
}

export interface Answered {
  readonly kind: "answer";
  readonly status: number;
  readonly request: OutgoingRequest;
  readonly why: readonly string[];
}

export interface ActionContext {
  readonly request: CurlRequest;
  readonly host: VirtualHost;
  readonly table: RouteTable;
}

export function describeAction(route: Route, context: ActionContext): Forwarded | Answered {
  const { action } = route;
  const asItCame = toOutgoing(context.request.path, context.request.authority, new Map(joinHeaders(context.request.headers)));
  if (action.kind === "direct") {
    return {
      kind: "answer",
      status: action.status,
      request: asItCame,
      why: [`the proxy answers ${action.status} itself${action.body.length > 0 ? `, with ${action.body.length} bytes` : ""}`],
    };
  }
  if (action.kind === "redirect") {
    return {
      kind: "answer",
      status: action.status,
      request: asItCame,
      why: [`${action.status} to ${locationOf(route, action, context.request)}`],
    };
  }
  return forward(route, action, context);
}

function forward(route: Route, action: ForwardAction, context: ActionContext): Forwarded {
  const { request, host, table } = context;
  const why: string[] = [];
  const headers = joinHeaders(request.headers);
  const weighted = action.cluster.kind === "weighted" ? action.cluster.clusters.filter((cluster) => cluster.weight > 0) : [];
  const only = weighted.length === 1 ? weighted[0] : undefined;
  const levels = [...(only === undefined ? [] : [only.request]), route.request, host.request, table.request];
  const outgoing = {
    path: rewritePath(route, action, request.path),
    authority: only?.hostRewrite ?? action.hostRewrite ?? request.authority,
  };
  for (const mutations of table.mostSpecificHeaderMutationsWins ? levels.toReversed() : levels) {
    const authority = mutate(headers, mutations, request);
    if (authority !== undefined) outgoing.authority = authority;
  }
  if (outgoing.authority !== request.authority && action.appendXForwardedHost) headers.set("x-forwarded-host", request.authority);
  if (outgoing.path !== request.path) why.push(`the path becomes ${outgoing.path}`);
  if (outgoing.authority !== request.authority) why.push(`the authority becomes ${outgoing.authority}`);
  const clusters = sharesOf(action, request);
  why.push(`it goes to ${clusters.length === 0 ? "no cluster" : clusters.map(formatShare).join(", ")}`);
  if (action.timeoutMs !== undefined && action.timeoutMs > 0) why.push(`timeout ${action.timeoutMs} ms`);
  if (action.retry !== undefined && action.retry.numRetries > 0)
    why.push(`up to ${action.retry.numRetries} retries on ${[...action.retry.on].join(",")}`);
  return {
    kind: "forward",
    clusters,
    notFoundStatus: action.clusterNotFoundStatus,
    request: toOutgoing(outgoing.path, outgoing.authority, headers),
    why,
  };
}

function sharesOf(action: ForwardAction, request: CurlRequest): readonly Share[] {
  const { cluster } = action;
  if (cluster.kind === "cluster") return [{ name: cluster.name, weight: 100 }];
  if (cluster.kind === "header") {
    const name = request.headers.find(([header]) => header === cluster.header.toLowerCase())?.[1];
    return name === undefined ? [] : [{ name, weight: 100 }];
  }
  return cluster.clusters.map(({ name, weight }) => ({ name, weight: cluster.total === 0 ? 0 : (100 * weight) / cluster.total }));
}

/** On the path alone; the query is never touched. */
function rewritePath(route: Route, action: ForwardAction, target: string): string {
  const at = target.indexOf("?");
  const [path, query] = at === -1 ? [target, ""] : [target.slice(0, at), target.slice(at)];
  if (action.prefixRewrite !== undefined) return replacePrefix(route, action.prefixRewrite, path) + query;
  if (action.regexRewrite !== undefined) return action.regexRewrite.substitute(path) + query;
  return target;
}

function replacePrefix(route: Route, replacement: string, path: string): string {
  const matcher = route.match.path;
  if (matcher.kind === "prefix" || matcher.kind === "separatedPrefix") return replacement + path.slice(matcher.value.length);
  return matcher.kind === "exact" ? replacement : path;
}

function locationOf(route: Route, action: RedirectAction, request: CurlRequest): string {
  const scheme = action.scheme ?? (action.httpsRedirect ? "https" : request.scheme);
  const [, name = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(request.authority) ?? [];
  const host = action.host ?? name;
  const shownPort =
    action.port ?? (scheme === request.scheme && action.host === undefined && port !== undefined ? Number(port) : undefined);
  const suffix = shownPort === undefined || shownPort === (scheme === "https" ? 443 : 80) ? "" : `:${shownPort}`;
  const at = request.path.indexOf("?");
  const [path, query] = at === -1 ? [request.path, ""] : [request.path.slice(0, at), request.path.slice(at)];
  const target =
    action.path !== undefined
      ? action.path.includes("?") || action.stripQuery
        ? action.path
        : action.path + query
      : (action.prefixRewrite !== undefined
          ? replacePrefix(route, action.prefixRewrite, path)
          : action.regexRewrite !== undefined
            ? action.regexRewrite.substitute(path)
            : path) + (action.stripQuery ? "" : query);
  return `${scheme}://${host}${suffix}${target}`;
}

/** Removals first, then additions, as Envoy evaluates one level. The authority, when a mutation sets it. */
function mutate(headers: Map<string, string>, mutations: HeaderMutations, request: CurlRequest): string | undefined {
  let authority: string | undefined;
  for (const name of mutations.remove) headers.delete(name);
  for (const { name, value, action } of mutations.add) {
    const text = value.literal ?? expand(value.format, headers, request);
    if (name === "host" || name === ":authority") {
      authority = text;
      continue;
    }
    const before = headers.get(name);
    if (action === "ADD_IF_ABSENT" && before !== undefined) continue;
    if (action === "OVERWRITE_IF_EXISTS" && before === undefined) continue;
    headers.set(name, action === "APPEND_IF_EXISTS_OR_ADD" && before !== undefined ? `${before},${text}` : text);
  }
  return authority;
}

/** What the request itself tells; other substitutions are known only when it runs, and stay as written. */
function expand(format: string, headers: ReadonlyMap<string, string>, request: CurlRequest): string {
  const pseudo = new Map([
    [":path", request.path],
    [":method", request.method],
    [":authority", request.authority],
    [":scheme", request.scheme],
  ]);
  return format
    .replaceAll(
      /%REQ\(([^)?:]*:?[^)?:]*)\)%/g,
      (_all, name: string) => pseudo.get(name.toLowerCase()) ?? headers.get(name.toLowerCase()) ?? "",
    )
    .replaceAll("%%", "%");
}

function toOutgoing(path: string, authority: string, headers: ReadonlyMap<string, string>): OutgoingRequest {
  return { path, authority, headers: Object.fromEntries(headers) };
}

/** Lines of one name as one value. */
export function joinHeaders(headers: CurlRequest["headers"]): Map<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of headers) {
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ","}${value}`);
  }
  return joined;
}
