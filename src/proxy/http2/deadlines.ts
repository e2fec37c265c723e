// What a session waits for, on one timer: keep-alive answers, the rest of a header block, a peer that reads, the end of a drain, the end of the connection.
import type { Clock } from "../../kit/index.ts";
import { Timer, type TimerWheel } from "../network/timer-wheel.ts";

export type Deadline = "ping" | "pong" | "head" | "flush" | "drain" | "destroy";

const NAMES: readonly Deadline[] = ["ping", "pong", "head", "flush", "drain", "destroy"];

export class Deadlines {
  private readonly clock: Clock;
  private readonly wheel: TimerWheel;
  private readonly timer: Timer;
  /** The clock's milliseconds, 0 = none. */
  private readonly at: Record<Deadline, number> = { ping: 0, pong: 0, head: 0, flush: 0, drain: 0, destroy: 0 };

  constructor(options: { readonly clock: Clock; readonly wheel: TimerWheel }, onDue: (deadline: Deadline) => void) {
    this.clock = options.clock;
    this.wheel = options.wheel;
    this.timer = new Timer(() => {
      const now = this.clock.now();
      for (const name of NAMES) {
        if (this.at[name] === 0 || this.at[name] > now) continue;
        this.at[name] = 0;
        onDue(name);
      }
      this.arm(now);
    });
  }

  isSet(deadline: Deadline): boolean {
    return this.at[deadline] !== 0;
  }

  set(deadline: Deadline, ms: number): void {
    const now = this.clock.now();
    this.at[deadline] = now + ms;
    this.arm(now);
  }

  /** The timer may still come up for it, and finds nothing to do. */
  clear(deadline: Deadline): void {
    this.at[deadline] = 0;
  }

  stop(): void {
    for (const name of NAMES) this.at[name] = 0;
    this.wheel.remove(this.timer);
  }

  private arm(now: number): void {
    let next = 0;
    for (const name of NAMES) {
      const at = this.at[name];
      if (at !== 0 && (next === 0 || at < next)) next = at;
    }
    if (next !== 0) this.wheel.arm(this.timer, next, now);
  }
}
