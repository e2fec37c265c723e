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
  private readonly events: TimeoutEvents;
  // Each is made when a route first asks for it: what a route does not use is not touched at any request.
  private overall: Timer | undefined = undefined;
  private perTry: Timer | undefined = undefined;
  private perTryIdle: Timer | undefined = undefined;
  private idle: Timer | undefined = undefined;
  private duration: Timer | undefined = undefined;
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
    this.events = events;
  }

  private onTryIdle(): void {
    const now = this.now();
    const due = this.lastOfTry + this.perTryIdleMs;
    if (now < due) this.armTryIdle(due, now);
    else this.events.onPerTryTimeout("per_try_idle_timeout");
  }

  private armTryIdle(at: number, now: number): void {
    this.env?.wheel.arm((this.perTryIdle ??= new Timer(() => this.onTryIdle())), at, now);
  }

  private onIdle(): void {
    const now = this.now();
    const due = this.lastActivity + this.idleMs;
    if (now < due) this.armIdle(due, now);
    else this.events.onIdleTimeout();
  }

  private armIdle(at: number, now: number): void {
    this.env?.wheel.arm((this.idle ??= new Timer(() => this.onIdle())), at, now);
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
    if (plan.maxDurationMs > 0 && this.events.onMaxDuration !== undefined) {
      this.duration ??= new Timer(() => this.events.onMaxDuration?.());
      env.wheel.arm(this.duration, exchange.startMs + plan.maxDurationMs, now);
    }
    if (this.idleMs <= 0) return;
    this.lastActivity = now;
    this.armIdle(now + this.idleMs, now);
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

  /** Something came, from either side. `now`: where that is known already. */
  touch(now?: number): void {
    if (this.idleMs > 0) this.lastActivity = now ?? this.now();
  }

  /** Something came from the upstream. */
  touchTry(now?: number): void {
    if (this.perTryIdleMs > 0) this.lastOfTry = now ?? this.now();
  }

  /** The request is here as a whole: from now on the route's time-out counts, and that of a try that has begun. */
  requestComplete(now: number): void {
    this.completeAt = now;
    if (this.hasAnswer) return;
    if (this.overallMs > 0) {
      this.overall ??= new Timer(() => this.events.onOverallTimeout());
      this.env?.wheel.arm(this.overall, now + this.overallMs, now);
    }
    if (this.tryWaits) this.armTry(now);
  }

  /** A try has its connection. */
  startTry(): void {
    if (this.perTryMs <= 0 && this.perTryIdleMs <= 0) return;
    if (this.completeAt < 0) this.tryWaits = true;
    else this.armTry(this.now());
  }

  private armTry(now: number): void {
    this.tryWaits = false;
    if (this.perTryMs > 0) {
      this.perTry ??= new Timer(() => this.events.onPerTryTimeout("per_try_timeout"));
      this.env?.wheel.arm(this.perTry, now + this.perTryMs, now);
    }
    if (this.perTryIdleMs <= 0) return;
    this.lastOfTry = now;
    this.armTryIdle(now + this.perTryIdleMs, now);
  }

  endTry(): void {
    disarm(this.perTry);
    disarm(this.perTryIdle);
    this.tryWaits = false;
  }

  /** The answer has begun: only silence can still end it. */
  answered(): void {
    this.hasAnswer = true;
    disarm(this.overall);
    disarm(this.perTry);
    this.tryWaits = false;
  }

  end(): void {
    this.answered();
    disarm(this.perTryIdle);
    disarm(this.idle);
    disarm(this.duration);
  }
}

function disarm(timer: Timer | undefined): void {
  if (timer !== undefined) timer.at = 0;
}

/** The caller's own limit, as far as the route allows it; 0 = none. */
function cappedGrpcTimeout(exchange: Exchange, cap: number): number {
  const asked = grpcTimeout(exchange.head.first("grpc-timeout")) ?? 0;
  return cap > 0 && (asked === 0 || asked > cap) ? cap : asked;
}
