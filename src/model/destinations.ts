// The one table of route fields that name destinations: a new field of a route does not compile until someone decides here.
import type { Destination, HttpRoute, TcpRoute, TlsRoute } from "./virtual-service.ts";

type Table<Route> = { readonly [Field in keyof Route]-?: (value: Route[Field]) => readonly Destination[] };

const none = (): readonly Destination[] => [];

const HTTP: Table<HttpRoute> = {
  name: none,
  match: none,
  route: (route) => route.map((weighted) => weighted.destination),
  redirect: none,
  directResponse: none,
  rewrite: none,
  timeoutMs: none,
  retries: none,
  fault: none,
  mirrors: (mirrors) => mirrors.map((mirror) => mirror.destination),
  corsPolicy: none,
  headers: none,
  stickyShares: none,
};

const L4: Table<TcpRoute> = { match: none, route: (route) => route.map((weighted) => weighted.destination) };
const TLS: Table<TlsRoute> = { match: none, route: L4.route };

function collect<Route extends object>(table: Table<Route>, route: Route): readonly Destination[] {
  const found: Destination[] = [];
  for (const field of Object.keys(table) as (keyof Route)[]) found.push(...table[field](route[field]));
  return found;
}

/** All destinations that an HTTP route names, mirrors included. */
export function destinationsOf(route: HttpRoute): readonly Destination[] {
  return collect(HTTP, route);
}

export function destinationsOfTcp(route: TcpRoute): readonly Destination[] {
  return collect(L4, route);
}

export function destinationsOfTls(route: TlsRoute): readonly Destination[] {
  return collect(TLS, route);
}
