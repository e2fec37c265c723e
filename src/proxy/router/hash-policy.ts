// The hash of a request's key: which endpoint, and with sticky shares which cluster, it belongs to.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_routing and route_components.proto RouteAction.HashPolicy
import type { HashPolicy, RequestView } from "../config/index.ts";
import { type Hash64, hashAddress, hexHash, rotateHash, xorHash, xxh64 } from "../hash/index.ts";
import { cookieValue } from "../http1/cookies.ts";
import { hostName } from "../upstream/host.ts";
import { isSocketPath } from "../transport/socket-path.ts";
import type { Exchange } from "./exchange.ts";
import { queryValue } from "./match.ts";

/** What a key is read from. */
export interface HashSource extends Pick<RequestView, "headerLines" | "path"> {
  /** `address:port`, as x-forwarded-for and trusted hops have it. */
  readonly clientAddress: string;
}

/** The request as it came: what a cluster is chosen by. */
export function requestAsItCame(exchange: Exchange): HashSource {
  const { head } = exchange;
  return {
    headerLines: (name) => head.headerLines(name),
    path: head.path,
    get clientAddress() {
      return exchange.clientAddress;
    },
  };
}

/** The request as it goes out, after the route's own operations: what an endpoint is chosen by. */
export function requestAsItGoes(exchange: Exchange): HashSource {
  const { head, requestList, path } = exchange;
  const headerLines = (name: string): readonly string[] => {
    if (name === ":path") return [path];
    if (name === ":authority" || name === "host") return [exchange.authority];
    return requestList === undefined || name.startsWith(":") ? head.headerLines(name) : requestList.lines(name);
  };
  return {
    headerLines,
    path,
    get clientAddress() {
      return exchange.clientAddress;
    },
  };
}

/** Makes a cookie for a caller that has none, and returns its value. */
export type IssueCookie = (policy: Extract<HashPolicy, { kind: "cookie" }>) => string;

/** undefined: the request has no key. `issue` is left out where only the key the request brings may count. */
export type HashOf = (source: HashSource, issue?: IssueCookie) => Hash64 | undefined;

export function compileHashPolicy(policies: readonly HashPolicy[]): HashOf | undefined {
  if (policies.length === 0) return undefined;
  return (source, issue) => {
    let hash: Hash64 | undefined;
    for (const policy of policies) {
      const next = hashOne(policy, source, issue);
      // Turned by one bit, or the same rule twice would cancel itself out.
      if (next !== undefined) hash = hash === undefined ? next : xorHash(rotateHash(hash), next);
      if (policy.terminal && hash !== undefined) break;
    }
    return hash;
  };
}

function hashOne(policy: HashPolicy, source: HashSource, issue: IssueCookie | undefined): Hash64 | undefined {
  switch (policy.kind) {
    case "header":
      return hashLines(source.headerLines(policy.name), policy.rewrite);
    case "cookie": {
      const given = cookieValue(source.headerLines("cookie"), policy.name);
      if (given !== "") return xxh64(given);
      return policy.ttlSeconds === undefined || issue === undefined ? undefined : xxh64(issue(policy));
    }
    case "query": {
      const value = queryValue(source.path, policy.name);
      return value === undefined ? undefined : xxh64(value);
    }
    case "sourceIp":
      return isSocketPath(source.clientAddress) ? undefined : hashAddress(hostOf(source.clientAddress));
  }
}

/** The lines of one name hash alike in any order, and otherwise than one line that holds them all. */
function hashLines(lines: readonly string[], rewrite: { substitute: (value: string) => string } | undefined): Hash64 | undefined {
  if (lines.length === 0) return undefined;
  const values = rewrite === undefined ? lines : lines.map((line) => rewrite.substitute(line));
  if (values.length === 1) return xxh64(values[0] as string);
  let hash: Hash64 | undefined;
  for (const value of values.toSorted()) hash = xxh64(value, hash);
  return hash;
}

function hostOf(address: string): string {
  const host = address.slice(0, address.lastIndexOf(":"));
  return host.startsWith("[") ? host.slice(1, -1) : host;
}

/** Issues for this exchange: the same caller on the same connection gets the same one. */
export function cookieIssuer(exchange: Exchange): IssueCookie {
  return (policy) => {
    const { remoteAddress, remotePort, localAddress, localPort } = exchange.caller.arrival;
    const value = hexHash(xxh64(hostName(remoteAddress, remotePort) + hostName(localAddress, localPort)));
    exchange.setCookies = [...exchange.setCookies, setCookieValue(policy, value)];
    return value;
  };
}

function setCookieValue(policy: Extract<HashPolicy, { kind: "cookie" }>, value: string): string {
  const age = (policy.ttlSeconds ?? 0) === 0 ? "" : `; Max-Age=${policy.ttlSeconds}`;
  const path = policy.path === "" ? "" : `; Path=${policy.path}`;
  const attributes = policy.attributes.map(([name, text]) => (text === "" ? `; ${name}` : `; ${name}=${text}`)).join("");
  return `${policy.name}="${value}"${age}${path}${attributes}; HttpOnly`;
}
