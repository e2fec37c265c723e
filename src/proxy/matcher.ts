// The proxy's reading of config without the proxy: encoded resources → the frozen runtime config and the pure matcher, for `serin explain`
// and the offline conformance run.
import { type Clock, SerinError, TYPE_URL, type XdsResources } from "../kit/index.ts";
import { createRuntimeCell, type RuntimeConfig } from "./config/index.ts";
import { createAssembler } from "./xds/assembler.ts";
import { createResourceStore } from "./xds/resource-store.ts";
import { RESOURCE_TYPES } from "./xds/resource-types.ts";

export type {
  ClusterConfig,
  ClusterSpecifier,
  DirectResponseAction,
  EndpointConfig,
  EndpointSet,
  FilterChain,
  FilterChainMatch,
  ForwardAction,
  HeaderMatcher,
  HeaderMutation,
  HeaderMutations,
  HttpConnectionManagerConfig,
  Listener,
  PathMatcher,
  QueryParameterMatcher,
  RedirectAction,
  RequestView,
  RetryPolicy,
  Route,
  RouteMatch,
  RouteTable,
  RuntimeConfig,
  TcpProxyConfig,
  VirtualHost,
  WeightedCluster,
} from "./config/index.ts";
export { matchFilterChain } from "./listener/filter-chain-match.ts";
export { type Outgoing, rehearse, type Rehearsal } from "./rehearse.ts";
export { matchesHeader, matchesPath, matchesQuery, matchesRoute, matchRoute } from "./router/match.ts";
export { compileRouteTable } from "./router/route-table.ts";
export { isSocketPath } from "./transport/socket-path.ts";
export { nameAndPort } from "./upstream/dns/name-and-port.ts";
export { unsupportedIn } from "./wire/unsupported.ts";

/** Nothing waits for anything here: what is not there is missing. */
const STILL: Clock = { now: () => 0, wall: () => 0, after: () => () => undefined };

export interface DecodedResources {
  readonly config: RuntimeConfig;
  /** What the proxy would refuse, with the reason; the rest is in `config`. */
  readonly rejected: readonly { readonly type: string; readonly name: string; readonly reason: string }[];
}

/** A proxy's whole config from what the control plane would send it. */
export function tryDecodeResources(resources: XdsResources): DecodedResources {
  const store = createResourceStore(STILL);
  const rejected = RESOURCE_TYPES.flatMap((type) => {
    const set = resources.byType.get(TYPE_URL[type]) ?? new Map<string, never>();
    return store.update(type, [...set.values()]).rejected.map((one) => ({ type, ...one }));
  });
  const cell = createRuntimeCell();
  const assembler = createAssembler({ store, fixed: { listeners: [], clusters: [] }, secretOf: undefined, cell, clock: STILL });
  assembler.virtualHostsCame();
  return { config: assembler.update().runtime, rejected };
}

/** The same, for whom a refusal is the end: throws it. */
export function decodeResources(resources: XdsResources): RuntimeConfig {
  const { config, rejected } = tryDecodeResources(resources);
  const [first] = rejected;
  if (first === undefined) return config;
  throw new SerinError("PROXY_RESOURCE_REFUSED", `the proxy refuses ${first.type} ${first.name}: ${first.reason}`, {
    fix: "Serin's proxy does not support this field yet; real Envoy may take it.",
  });
}
