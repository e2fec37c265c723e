// What every load balancer publishes: an immutable picker over the hosts that may be used now.
import type { Hash64 } from "../../hash/index.ts";
import type { Host } from "../host.ts";
import type { PriorityLoads, PriorityState } from "./priority-loads.ts";

/** What a request tells its balancer. A request that has nothing to tell passes none. */
export interface PickContext {
  /** Of the request's key; undefined: it has none. Only hashing balancers look at it. */
  readonly hash: Hash64 | undefined;
  /** `address:port` that the caller's connection was meant for before it was led here; undefined: it was meant for us. */
  readonly destination: string | undefined;
  /** Host (and port) that the request is for, as it goes out; undefined: it names none. */
  readonly target: string | undefined;
  /** First line of a request header. */
  header(name: string): string | undefined;
  /** How often to look on when the host found was tried before. */
  readonly moreHosts: number;
  wasTried(host: Host): boolean;
  /** A retry that moves on to other priorities shares out the load anew. */
  shareAnew(state: PriorityState): PriorityLoads;
}

/** Of a request that says nothing but what host it is for. */
export function onlyTarget(target: string): PickContext {
  return {
    hash: undefined,
    destination: undefined,
    target,
    header: () => undefined,
    moreHosts: 0,
    wasTried: () => false,
    shareAnew: ({ loads }) => loads,
  };
}

export interface Picker {
  pick(context?: PickContext): Host | undefined;
}

export const EMPTY_PICKER: Picker = { pick: () => undefined };

export interface BalancerInput {
  readonly hosts: readonly Host[];
  readonly random: () => number;
}

/** True when every host has the same weight. */
export function equalWeights(hosts: readonly Host[]): boolean {
  const first = hosts[0]?.config.weight;
  return hosts.every((host) => host.config.weight === first);
}

/** Asks again while the host was tried before, as often as the context allows; the last one stands. */
export function pickOther(context: PickContext, once: (attempt: number) => Host | undefined): Host | undefined {
  let host = once(0);
  for (let attempt = 1; attempt <= context.moreHosts && host !== undefined && context.wasTried(host); attempt++) host = once(attempt);
  return host;
}
