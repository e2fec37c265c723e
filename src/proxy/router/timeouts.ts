// The clocks over one request: the route's time-out, the one of a single try, and the idle time-out of the stream.
// https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts
import type { Environment } from "../network/environment.ts";
import { Timer } from "../network/timer-wheel.ts";
import type { Exchange } from "./exchange.ts";
import type { ForwardPlan } from "./forward-plan.ts";
import { grpcTimeout } from "./grpc-timeout.ts";

export interface TimeoutEvents {
  onOverallTimeout(): void;
  onPerTryTimeout(): void;
  onIdleTimeout(): void;
}

export class Timeouts {
  private readonly overall: Timer;
  private readonly perTry: Timer;
  private readonly idle: Timer;
  private env: Environment | undefined = undefined;
  private idleMs = 0;
  private lastActivity = 0;

  constructor(events: TimeoutEvents) {
    this.overall = new Timer(() => events.onOverallTimeout());
    this.perTry = new Timer(() => events.onPerTryTimeout());
    this.idle = new Timer(() => {
      const now = this.env?.clock.now() ?? 0;
      if (now < this.lastActivity + this.idleMs) this.env?.wheel.arm(this.idle, this.lastActivity + this.idleMs, now);
      else events.onIdleTimeout();
    });
  }

  start(env: Environment, idleMs: number, now: number): void {
    this.env = env;
    this.idleMs = idleMs;
    if (idleMs <= 0) return;
    this.lastActivity = now;
    env.wheel.arm(this.idle, now + idleMs, now);
  }

  touch(): void {
    if (this.idleMs > 0) this.lastActivity = this.env?.clock.now() ?? 0;
  }

  /** The request is here as a whole: from now on the route's time-out counts. */
  startOverall(exchange: Exchange, plan: ForwardPlan, now: number): void {
    const cap = exchange.head.grpc ? plan.action.maxGrpcTimeoutMs : undefined;
    let timeoutMs = plan.timeoutMs;
    if (cap !== undefined) {
      const asked = grpcTimeout(exchange.head.first("grpc-timeout"));
      timeoutMs = asked === undefined || (cap > 0 && asked > cap) ? cap : asked;
    }
    if (timeoutMs > 0) this.env?.wheel.arm(this.overall, now + timeoutMs, now);
  }

  startTry(timeoutMs: number): void {
    const now = this.env?.clock.now() ?? 0;
    this.env?.wheel.arm(this.perTry, now + timeoutMs, now);
  }

  endTry(): void {
    this.perTry.at = 0;
  }

  /** The answer has begun: only silence can still end it. */
  answered(): void {
    this.overall.at = 0;
    this.perTry.at = 0;
  }

  end(): void {
    this.answered();
    this.idle.at = 0;
  }
}
