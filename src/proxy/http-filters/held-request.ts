// A request that a filter holds back until something has happened. What comes of its body meanwhile is kept, up to the watermark; then its
// caller is stopped.
import type { Trailers } from "../http/message.ts";
import { HIGH_WATER } from "../network/conn.ts";
import { Timer } from "../network/timer-wheel.ts";
import { FLAG } from "../observe/response-flags.ts";
import type { BodyTaker } from "../router/caller.ts";
import type { Exchange, Service } from "../router/exchange.ts";
import { respond } from "../router/respond.ts";
import type { BodyPart } from "../upstream/pool/upstream-stream.ts";

interface HeldPart {
  readonly data: Buffer;
  readonly complete: boolean;
  readonly end: Trailers;
}

export class HeldRequest implements BodyTaker {
  private readonly exchange: Exchange;
  private readonly until: number;
  private readonly goOn: Service;
  private readonly timer = new Timer(() => this.onTimer());
  private held: HeldPart[] = [];
  private heldBytes = 0;
  private paused = false;
  private over = false;
  private lastActivity: number;

  /** `goOn` runs after `release`, or at the latest after so many milliseconds, unless the caller has gone or the stream's idle time-out strikes first. */
  constructor(exchange: Exchange, limitMs: number, goOn: Service) {
    this.exchange = exchange;
    this.goOn = goOn;
    this.lastActivity = exchange.manager.env.clock.now();
    this.until = this.lastActivity + limitMs;
  }

  start(): void {
    this.exchange.taker = this;
    this.arm(this.lastActivity);
  }

  private arm(now: number): void {
    const { config, env } = this.exchange.manager;
    const idleMs = config.streamIdleTimeoutMs;
    const next = idleMs > 0 ? Math.min(this.until, this.lastActivity + idleMs) : this.until;
    if (next !== Number.POSITIVE_INFINITY) env.wheel.arm(this.timer, next, now);
  }

  private onTimer(): void {
    const { exchange } = this;
    const { config, env, stats } = exchange.manager;
    const now = env.clock.now();
    if (now >= this.until) this.release();
    else if (config.streamIdleTimeoutMs > 0 && now >= this.lastActivity + config.streamIdleTimeoutMs) {
      stats.idleTimeout.value++;
      this.letGo();
      respond(exchange, { kind: "stream_idle_timeout", requestComplete: !exchange.caller.bodyPending });
    } else this.arm(now);
  }

  private letGo(): HeldPart[] {
    const { exchange } = this;
    exchange.manager.env.wheel.remove(this.timer);
    this.over = true;
    // What the caller's stream has held comes within this call, and belongs behind the rest.
    if (this.paused) exchange.caller.resumeRequest();
    exchange.taker = undefined;
    const { held } = this;
    this.held = [];
    return held;
  }

  /** Nothing happens where it is over already. */
  release(): void {
    if (this.over) return;
    const { exchange } = this;
    const held = this.letGo();
    exchange.actionMs = exchange.manager.env.clock.now();
    exchange.bodyHeld = held.length > 0;
    this.goOn(exchange);
    exchange.bodyHeld = false;
    // Whoever has taken the request over gets its body; an answer of our own needs none.
    for (const { data, complete, end } of held) exchange.taker?.onRequestData(data, { from: 0, to: data.length, complete }, end);
  }

  onRequestData(data: Buffer, part: BodyPart, end: Trailers): void {
    const { exchange } = this;
    const own = Buffer.from(data.subarray(part.from, part.to));
    this.held.push({ data: own, complete: part.complete, end });
    this.heldBytes += own.length;
    this.lastActivity = exchange.manager.env.clock.now();
    if (this.heldBytes <= HIGH_WATER || this.paused || this.over) return;
    this.paused = true;
    exchange.caller.pauseRequest();
  }

  onCallerGone(): void {
    this.exchange.flags |= FLAG.DC;
    this.exchange.details = "downstream_remote_disconnect";
    this.letGo();
  }

  onTunnelEnd(): void {
    this.onCallerGone();
  }
}
