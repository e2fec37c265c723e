// One name, looked up again and again, as the STRICT_DNS and LOGICAL_DNS clusters of Envoy do it:
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/service_discovery#strict-dns
import { type Clock, createBackoff, type Rng } from "../../../kit/index.ts";
import type { DnsConfig } from "../../config/index.ts";
import type { DnsAnswer, Resolver } from "./resolver.ts";

export interface NameFollower {
  stop(): void;
}

export interface FollowOptions {
  readonly config: DnsConfig;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly onAttempt: () => void;
  /** After a failure, where the config says no back-off; undefined = as after an answer. */
  readonly failureMs?: number;
  /** Asked before each lookup but the first; false ends it. */
  readonly goesOn?: () => boolean;
  /** False = such an answer is a failure. Never after `stop`. */
  readonly onAnswer: (answer: DnsAnswer) => boolean;
}

/** So that a back-off of zero is no busy loop. */
const MIN_DELAY_MS = 1;

export function followName(name: string, options: FollowOptions): NameFollower {
  const { config, resolver, clock, rng } = options;
  const failures = config.failure === undefined ? undefined : createBackoff({ ...config.failure, rng });
  let stopped = false;
  let cancel: (() => void) | undefined;

  async function look(): Promise<void> {
    options.onAttempt();
    const answer = await resolver.resolve(name, config.family);
    if (stopped) return;
    const good = options.onAnswer(answer);
    // Its listener may have stopped it.
    if (!stopped) cancel = clock.after(Math.max(MIN_DELAY_MS, good ? delayAfter(answer) : delayAfterFailure()), again);
  }

  function again(): void {
    if (options.goesOn?.() !== false) void look();
  }

  function delayAfterFailure(): number {
    return failures?.next() ?? options.failureMs ?? config.refreshMs;
  }

  function delayAfter(answer: DnsAnswer): number {
    failures?.reset();
    const ttl = config.respectTtl ? (answer.ttlMs ?? 0) : 0;
    const wait = Math.max(config.minRefreshMs, ttl > 0 ? ttl : config.refreshMs);
    return config.jitterMs > 0 ? wait + Math.floor(rng.random() * config.jitterMs) : wait;
  }

  void look();
  return {
    stop() {
      stopped = true;
      cancel?.();
    },
  };
}
