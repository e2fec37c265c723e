// A forward action compiled: for each cluster it can choose, what is done to the request and the answer, so that a try only reads fields.
import type { ForwardAction, HeaderMutations, MirrorPolicy, Route, RouteTable, VirtualHost } from "../config/index.ts";
import { moduloHash } from "../hash/index.ts";
import type { ConnectionManager } from "../network/connection-manager.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { Exchange } from "./exchange.ts";
import { type CompiledMutations, compileMutations } from "./header-mutation.ts";
import type { RequestPlan } from "./request-out.ts";
import { compileHashPolicy, type HashOf, requestAsItCame } from "./hash-policy.ts";
import { compileRetry, type RetryRules } from "./retry.ts";
import { compileRewrite } from "./rewrite.ts";

const DEFAULT_TIMEOUT_MS = 15_000;

export interface Target {
  readonly clusterName: string;
  readonly request: RequestPlan;
  readonly response: readonly CompiledMutations[];
  readonly hostRewrite: string | undefined;
  /** Looked up again when clusters came or went. */
  cluster: Cluster | undefined;
  version: number;
}

export interface ForwardPlan {
  readonly action: ForwardAction;
  readonly retry: RetryRules | undefined;
  /** undefined = none. */
  readonly mirrors: readonly MirrorPolicy[] | undefined;
  /** Of a request that is not gRPC, in milliseconds; 0 = none. */
  readonly timeoutMs: number;
  readonly perTryTimeoutMs: number;
  readonly perTryIdleTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** From the request's head to the end of its answer; 0 = no limit. */
  readonly maxDurationMs: number;
  readonly attemptCountInResponse: boolean;
  readonly suppressEnvoyHeaders: boolean;
  readonly upgrades: ReadonlySet<string>;
  /** undefined: the route has no hash policy. */
  readonly hashOf: HashOf | undefined;
  choose(exchange: Exchange): Target;
}

export interface RouteContext {
  readonly table: RouteTable;
  readonly virtualHost: VirtualHost;
  readonly route: Route;
}

export function compileForward(manager: ConnectionManager, context: RouteContext, action: ForwardAction): ForwardPlan {
  const { virtualHost, route } = context;
  const { config } = manager;
  const policy = action.retry ?? virtualHost.retry;
  const decorator = config.tracing === "egress" ? route.decorator : undefined;
  const shared = {
    decorator,
    decoratorLine: decorator === undefined ? "" : `x-envoy-decorator-operation: ${decorator}\r\n`,
    includeAttemptCount: virtualHost.includeAttemptCount,
    tellsOriginals: !config.suppressEnvoyHeaders,
    rewritePath: compileRewrite(action, route.match.path),
    appendXForwardedHost: action.appendXForwardedHost,
  };

  function target(name: string, request?: HeaderMutations, response?: HeaderMutations, clusterHost?: string): Target {
    return {
      clusterName: name,
      request: { ...shared, clusterHost, mutations: compileMutations(levels(context, "request", request)) },
      response: compileMutations(levels(context, "response", response)),
      hostRewrite: action.hostRewrite,
      cluster: undefined,
      version: -1,
    };
  }

  const hashOf = compileHashPolicy(action.hashPolicy);
  const mirrors = [action.mirrors, virtualHost.mirrors, context.table.mirrors].find((policies) => policies.length > 0);

  return {
    action,
    mirrors,
    retry: compileRetry(policy),
    timeoutMs: action.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    perTryTimeoutMs: policy?.perTryTimeoutMs ?? 0,
    perTryIdleTimeoutMs: policy?.perTryIdleTimeoutMs ?? 0,
    idleTimeoutMs: action.idleTimeoutMs ?? config.streamIdleTimeoutMs,
    maxDurationMs: config.maxStreamDurationMs,
    attemptCountInResponse: virtualHost.includeAttemptCountInResponse,
    suppressEnvoyHeaders: config.suppressEnvoyHeaders,
    upgrades: allowedUpgrades(config.upgrades, action.upgrades),
    hashOf,
    choose: compileChoice({ manager, action, target, hashOf }),
  };
}

function allowedUpgrades(everywhere: readonly string[], onRoute: ReadonlyMap<string, boolean>): ReadonlySet<string> {
  const allowed = new Set(everywhere.map((token) => token.toLowerCase()));
  for (const [token, enabled] of onRoute) {
    if (enabled) allowed.add(token.toLowerCase());
    else allowed.delete(token.toLowerCase());
  }
  return allowed;
}

/** Innermost first, as Envoy evaluates them, or the other way round where the most specific one is to win. */
export function levels(context: RouteContext, side: "request" | "response", cluster?: HeaderMutations): HeaderMutations[] {
  const { table, virtualHost, route } = context;
  const all = [...(cluster === undefined ? [] : [cluster]), route[side], virtualHost[side], table[side]];
  return table.mostSpecificHeaderMutationsWins ? all.toReversed() : all;
}

type MakeTarget = (name: string, request?: HeaderMutations, response?: HeaderMutations, clusterHost?: string) => Target;

interface ChoiceInput {
  readonly manager: ConnectionManager;
  readonly action: ForwardAction;
  readonly target: MakeTarget;
  readonly hashOf: HashOf | undefined;
}

function compileChoice({ manager, action, target, hashOf }: ChoiceInput): (exchange: Exchange) => Target {
  const specifier = action.cluster;
  switch (specifier.kind) {
    case "cluster": {
      const only = target(specifier.name);
      return () => only;
    }
    case "header": {
      // Names come from callers: only those that are clusters are kept.
      const known = new Map<string, Target>();
      return (exchange) => {
        const name = exchange.head.first(specifier.header) ?? "";
        let found = known.get(name);
        if (found === undefined) {
          found = target(name);
          if (manager.env.clusters.get(name) !== undefined) known.set(name, found);
        }
        return found;
      };
    }
    case "weighted": {
      const targets = specifier.clusters.map((c) => target(c.name, c.request, c.response, c.hostRewrite));
      const bounds: number[] = [];
      let sum = 0;
      for (const { weight } of specifier.clusters) bounds.push((sum += weight));
      const total = specifier.total > 0 ? specifier.total : sum;
      const rng = manager.env.rng;
      const targetAt = (draw: number): Target => {
        for (let i = 0; i < bounds.length; i++) if (draw < (bounds[i] as number)) return targets[i] as Target;
        return targets[targets.length - 1] as Target;
      };
      if (specifier.useHashPolicy !== true || hashOf === undefined) return () => targetAt(rng.random() * total);
      // No cookie is issued for this choice, as in Envoy: without a key the draw is random.
      return (exchange) => {
        const hash = hashOf(requestAsItCame(exchange));
        return targetAt(hash === undefined ? rng.random() * total : moduloHash(hash, total));
      };
    }
  }
}
