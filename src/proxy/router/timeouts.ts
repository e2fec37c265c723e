// The clocks over one request: the route's time-out, that of a single try and of its silence, and the idle time-out of the stream.
// https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts
import type { Environment } from "../network/environment.ts";
import { Timer } from "../network/timer-wheel.ts";
import type { Exchange } from "./exchange.ts";
import type { ForwardPlan } from "./forward-plan.ts";
import { grpcTimeout, grpcTimeoutText } from "./grpc-timeout.ts";

export interface TimeoutEvents {
  onOverallTimeout(): void;
  onPerTryTimeout(kind: "per_try_timeout" | "per_try_idle_timeout"): void;
  onIdleTimeout(): void;
  /** Callers' requests have it; copies of them have no limit of their own. */
  onMaxDuration?(): void;
}

export class Timeouts {
  private readonly overall: Timer;
  private readonly perTry: Timer;
  private readonly perTryIdle: Timer;
  private readonly idle: Timer;
  private readonly duration: Timer | undefined;
  private env: Environment | undefined = undefined;
  private idleMs = 0;
  private lastActivity = 0;
  private overallMs = 0;
  private perTryMs = 0;
  private perTryIdleMs = 0;
  private lastOfTry = 0;
  private tryWaits = false;
  private hasAnswer = false;
  /** When the request was here as a whole; negative = it is not yet. */
  completeAt = -1;

  constructor(events: TimeoutEvents) {
    this.overall = new Timer(() => events.onOverallTimeout());
    this.perTry = new Timer(() => events.onPerTryTimeout("per_try_timeout"));
    this.duration = events.onMaxDuration === undefined ? undefined : new Timer(() => events.onMaxDuration?.());
    this.perTryIdle = new Timer(() => {
      const now = this.now();
      if (now < this.lastOfTry + this.perTryIdleMs) this.env?.wheel.arm(this.perTryIdle, this.lastOfTry + this.perTryIdleMs, now);
      else events.onPerTryTimeout("per_try_idle_timeout");
    });
    this.idle = new Timer(() => {
      const now = this.now();
      if (now < this.lastActivity + this.idleMs) this.env?.wheel.arm(this.idle, this.lastActivity + this.idleMs, now);
      else events.onIdleTimeout();
    });
  }

  private now(): number {
    return this.env?.clock.now() ?? 0;
  }

  start(exchange: Exchange, plan: ForwardPlan): void {
    const { env } = exchange.manager;
    const now = exchange.actionMs;
    this.env = env;
    this.idleMs = plan.idleTimeoutMs;
    this.completeAt = -1;
    this.tryWaits = false;
    this.hasAnswer = false;
    this.perTryIdleMs = plan.perTryIdleTimeoutMs;
    const cap = exchange.head.grpc ? plan.action.maxGrpcTimeoutMs : undefined;
    this.overallMs = cap === undefined ? plan.timeoutMs : cappedGrpcTimeout(exchange, cap);
    // A try that may last as long as the whole has no limit of its own.
    this.perTryMs = this.overallMs > 0 && plan.perTryTimeoutMs >= this.overallMs ? 0 : plan.perTryTimeoutMs;
    if (plan.maxDurationMs > 0 && this.duration !== undefined) env.wheel.arm(this.duration, exchange.startMs + plan.maxDurationMs, now);
    if (this.idleMs <= 0) return;
    this.lastActivity = now;
    env.wheel.arm(this.idle, now + this.idleMs, now);
  }

  /** What the upstream of a try is told of the time it has. */
  tell(exchange: Exchange, plan: ForwardPlan): void {
    const { overallMs, perTryMs } = this;
    let expected = perTryMs > 0 ? perTryMs : overallMs;
    if (expected <= 0) return;
    if (overallMs > 0) {
      const left = overallMs - (this.completeAt < 0 ? 0 : Math.floor(this.now() - this.completeAt));
      // 0 would mean no limit; the clock of the whole strikes very soon.
      expected = left <= 0 ? 1 : Math.min(expected, left);
    }
    expected = Math.round(expected);
    if (!plan.suppressEnvoyHeaders) exchange.expectedTimeoutMs = expected;
    if (exchange.head.grpc && plan.action.maxGrpcTimeoutMs !== undefined) exchange.grpcTimeout = grpcTimeoutText(expected);
  }

  /** Something came, from either side. */
  touch(): void {
    if (this.idleMs > 0) this.lastActivity = this.now();
  }

  /** Something came from the upstream. */
  touchTry(): void {
    if (this.perTryIdleMs > 0) this.lastOfTry = this.now();
  }

  /** The request is here as a whole: from now on the route's time-out counts, and that of a try that has begun. */
  requestComplete(now: number): void {
    this.completeAt = now;
    if (this.hasAnswer) return;
    if (this.overallMs > 0) this.env?.wheel.arm(this.overall, now + this.overallMs, now);
    if (this.tryWaits) this.armTry(now);
  }

  /** A try has its connection. */
  startTry(): void {
    if (this.perTryMs <= 0 && this.perTryIdleMs <= 0) return;
    if (this.completeAt < 0) this.tryWaits = true;
    else this.armTry(this.now());
  }

  private armTry(now: number): void {
    const { wheel } = this.env as Environment;
    this.tryWaits = false;
    if (this.perTryMs > 0) wheel.arm(this.perTry, now + this.perTryMs, now);
    if (this.perTryIdleMs <= 0) return;
    this.lastOfTry = now;
    wheel.arm(this.perTryIdle, now + this.perTryIdleMs, now);
  }

  endTry(): void {
    this.perTry.at = 0;
    this.perTryIdle.at = 0;
    this.tryWaits = false;
  }

  /** The answer has begun: only silence can still end it. */
  answered(): void {
    this.hasAnswer = true;
    this.overall.at = 0;
    this.perTry.at = 0;
    this.tryWaits = false;
  }

  end(): void {
    this.answered();
    this.perTryIdle.at = 0;
    this.idle.at = 0;
    if (this.duration !== undefined) this.duration.at = 0;
  }
}

/** The caller's own limit, as far as the route allows it; 0 = none. */
function cappedGrpcTimeout(exchange: Exchange, cap: number): number {
  const asked = grpcTimeout(exchange.head.first("grpc-timeout")) ?? 0;
  return cap > 0 && (asked === 0 || asked > cap) ? cap : asked;
}
