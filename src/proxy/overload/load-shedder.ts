// Which share of the requests is refused so that the rest is answered in time. Envoy has no such monitor; the share is its load shed point's.
//
// Overload is a loop that never rests and whose turns are long: a turn serves everybody who waits, so its length is how long they wait. Neither alone
// would do: a loop that never rests and turns fast is only well used, and a long turn may be a large config or the collector. Once it is overloaded,
// the share grows until the loop rests a little again: then there is no queue, and refusals are fast. So what is served stays near the most it could.

/** Turns as long as this, for so long, and callers wait too long. A start with cold code, on a machine that is busy, is over before. */
const LATE_TURN_MS = 100;
const LATE_MS = 2000;
const LATE_SAMPLES = 3;
/** Of the time, busy: above it there is a queue, below the other there is room for more. */
const FULL = 0.97;
const ROOM = 0.9;
/** What is taken changes by factors: near nothing it is the same step from ten times too many as from three. */
const FIRST = 0.5;
const LESS_WHEN_LATE = 0.7;
const LESS = 0.9;
const MOST_MORE = 1.25;
const LEAST = 0.01;

/** A refusal costs about a quarter of a plain request: more of them in a second would take the time of what is served. */
const REFUSALS_PER_MS = 10;

export interface LoopSample {
  readonly elapsedMs: number;
  /** 0 to 1. */
  readonly busy: number;
  /** The mean length of a turn, without the time it rested. */
  readonly turnMs: number;
}

export class LoadShedder {
  /** Of the requests that come this part is taken. */
  private taken = 1;
  private lateMs = 0;
  private late = 0;
  private lastTurnMs = 0;
  private refusals = 0;

  sample({ elapsedMs, busy, turnMs }: LoopSample): void {
    this.refusals = REFUSALS_PER_MS * elapsedMs;
    const isLate = busy >= FULL && turnMs >= LATE_TURN_MS;
    // The queue gets shorter: what is refused is enough.
    const drains = turnMs < 0.8 * this.lastTurnMs;
    this.lastTurnMs = turnMs;
    if (this.taken === 1) {
      this.late = isLate ? this.late + 1 : 0;
      this.lateMs = isLate ? this.lateMs + elapsedMs : 0;
      if (this.late >= LATE_SAMPLES && this.lateMs >= LATE_MS) this.taken = FIRST;
      return;
    }
    if (busy > FULL && !drains) this.taken = Math.max(LEAST, this.taken * (isLate ? LESS_WHEN_LATE : LESS));
    else if (busy < ROOM) this.taken *= Math.min(MOST_MORE, FULL / Math.max(busy, 0.01));
    if (this.taken < 0.99) return;
    this.taken = 1;
    this.late = this.lateMs = 0;
  }

  /** Of the requests that come: this many are refused; 0 to 1. */
  get share(): number {
    return 1 - this.taken;
  }

  refuses(chance: number): boolean {
    if (chance >= this.share || this.refusals <= 0) return false;
    this.refusals--;
    return true;
  }
}
