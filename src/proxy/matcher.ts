// The proxy's reading of route configurations, pure: for explain, which asks it what the data plane would do.
export type * from "./config/index.ts";
export { decodeResources } from "./decode/assemble.ts";
export { decodeListener } from "./decode/listener.ts";
export { decodeRouteConfig, decodeVirtualHost, type RouteConfig } from "./decode/route.ts";
export { matchesHeader, matchesPath, matchesQuery, matchesRoute, matchRoute } from "./router/match.ts";
export { compileRouteTable } from "./router/route-table.ts";
