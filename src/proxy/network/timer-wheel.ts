// Time-outs without a timer per request: two coarse wheels. Arming and disarming only write a deadline; a timer that was pushed
// back since it was linked is linked again when its slot comes up.
import type { Clock } from "../../kit/index.ts";

const FINE_MS = 10;
const FINE_SLOTS = 1024;
const COARSE_MS = 1000;
const COARSE_SLOTS = 4096;
/** Thousands of callers that began together time out together: requests get their turn in between. */
const MOST_AT_ONCE = 100;

export class Timer {
  readonly fire: () => void;
  /** When it is due; 0 = disarmed. */
  at = 0;
  /** When its slot comes up; meaningful while linked. */
  slotAt = 0;
  wheel: Wheel | undefined = undefined;
  next: Timer | undefined = undefined;
  previous: Timer | undefined = undefined;
  slot = 0;

  constructor(fire: () => void) {
    this.fire = fire;
  }
}

class Wheel {
  private readonly slots: (Timer | undefined)[];
  private readonly stepMs: number;
  private readonly clock: Clock;
  private readonly due: (timer: Timer, now: number) => boolean;
  private count = 0;
  private tickIndex = 0;
  private cancel: (() => void) | undefined = undefined;

  constructor(options: { stepMs: number; slots: number; clock: Clock; due: (timer: Timer, now: number) => boolean }) {
    this.stepMs = options.stepMs;
    this.slots = Array.from<Timer | undefined>({ length: options.slots });
    this.clock = options.clock;
    this.due = options.due;
  }

  link(timer: Timer, now: number): void {
    if (this.count === 0) {
      this.tickIndex = Math.floor(now / this.stepMs);
      this.schedule();
    }
    const wanted = Math.ceil(timer.at / this.stepMs);
    const index = Math.min(Math.max(wanted, this.tickIndex + 1), this.tickIndex + this.slots.length - 1);
    timer.slotAt = index * this.stepMs;
    timer.slot = index % this.slots.length;
    timer.wheel = this;
    const head = this.slots[timer.slot];
    timer.next = head;
    timer.previous = undefined;
    if (head !== undefined) head.previous = timer;
    this.slots[timer.slot] = timer;
    this.count++;
  }

  unlink(timer: Timer): void {
    if (timer.previous !== undefined) timer.previous.next = timer.next;
    else this.slots[timer.slot] = timer.next;
    if (timer.next !== undefined) timer.next.previous = timer.previous;
    timer.next = undefined;
    timer.previous = undefined;
    timer.wheel = undefined;
    this.count--;
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private schedule(ms: number = this.stepMs): void {
    this.cancel ??= this.clock.after(ms, () => this.tick());
  }

  private tick(): void {
    this.cancel = undefined;
    const now = this.clock.now();
    const until = Math.floor(now / this.stepMs);
    let steps = Math.min(until - this.tickIndex, this.slots.length);
    let left = MOST_AT_ONCE;
    while (steps-- > 0 && this.count > 0) {
      // First, so that what is armed by what fires now does not land in a slot that is being left.
      this.tickIndex++;
      left = this.emptySlot(this.tickIndex % this.slots.length, now, left);
      if (left > 0) continue;
      this.tickIndex--;
      break;
    }
    if (left > 0) this.tickIndex = Math.max(this.tickIndex, until);
    if (this.count > 0) this.schedule(left > 0 ? this.stepMs : 1);
  }

  /** Fires `most` of a slot's timers. Returns how many more may be fired; 0 = there may be some left. */
  private emptySlot(slot: number, now: number, most: number): number {
    let left = most;
    let timer = this.slots[slot];
    while (timer !== undefined) {
      const next: Timer | undefined = timer.next;
      this.unlink(timer);
      if (timer.at !== 0 && this.due(timer, now) && --left === 0) return 0;
      timer = next !== undefined && next.wheel === this ? next : undefined;
    }
    return left;
  }
}

export interface TimerWheel {
  /** Due at `at` (the clock's milliseconds). `now` is passed in because the caller has it. */
  arm(timer: Timer, at: number, now: number): void;
  /** Cheap: the timer stays linked until its slot comes up. */
  disarm(timer: Timer): void;
  /** Lets go of the timer at once: its owner goes away. */
  remove(timer: Timer): void;
  stop(): void;
}

export function createTimerWheel(clock: Clock): TimerWheel {
  const fine = new Wheel({ stepMs: FINE_MS, slots: FINE_SLOTS, clock, due });
  const coarse = new Wheel({ stepMs: COARSE_MS, slots: COARSE_SLOTS, clock, due });

  /** True = it was fired. */
  function due(timer: Timer, now: number): boolean {
    if (timer.at > now) {
      link(timer, now);
      return false;
    }
    timer.at = 0;
    timer.fire();
    return true;
  }

  function link(timer: Timer, now: number): void {
    // The coarse wheel may come late by a second, so what is due soon goes to the fine one.
    if (timer.at - now < (FINE_SLOTS - 2) * FINE_MS) fine.link(timer, now);
    else {
      const at = timer.at;
      timer.at = at - 2 * COARSE_MS;
      coarse.link(timer, now);
      timer.at = at;
    }
  }

  return {
    arm(timer, at, now) {
      timer.at = at;
      if (timer.wheel !== undefined) {
        if (timer.slotAt <= at) return;
        timer.wheel.unlink(timer);
      }
      link(timer, now);
    },
    disarm(timer) {
      timer.at = 0;
    },
    remove(timer) {
      timer.at = 0;
      timer.wheel?.unlink(timer);
    },
    stop() {
      fine.stop();
      coarse.stop();
    },
  };
}
