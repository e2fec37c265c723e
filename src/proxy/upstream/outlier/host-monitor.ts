// What one host has answered lately, for outlier detection: failures in a row by kind, and the rate of successes over an interval.
import type { AnswerLines, ConsecutiveKind, OutlierDetection } from "../../config/index.ts";

/** What became of a request, besides an answer with a status. */
export type Outcome =
  /** A TCP connection was made and nothing more can be said about it. */
  | "connected for good"
  /** The connection is there, the answer is still to come. */
  | "connected"
  | "connect failed"
  | "timeout";

/** Requests of one interval. */
export class SuccessRate {
  private total = 0;
  private good = 0;
  private lastTotal = 0;
  private lastGood = 0;

  count(success: boolean): void {
    this.total++;
    if (success) this.good++;
  }

  /** The interval is over: what it brought can be looked at until the next one is. */
  turn(): void {
    this.lastTotal = this.total;
    this.lastGood = this.good;
    this.total = 0;
    this.good = 0;
  }

  get volume(): number {
    return this.lastTotal;
  }

  /** In per cent; undefined when there was no request. */
  get percent(): number | undefined {
    return this.lastTotal === 0 ? undefined : (this.lastGood * 100) / this.lastTotal;
  }
}

const ANSWER_TO: Readonly<Record<Exclude<Outcome, "connected">, number>> = {
  "connected for good": 200,
  "connect failed": 503,
  timeout: 504,
};

export class HostMonitor {
  readonly external = new SuccessRate();
  readonly localOrigin = new SuccessRate();
  private readonly inARow: Record<ConsecutiveKind, number> = { "5xx": 0, gateway_failure: 0, local_origin_failure: 0 };
  private readonly config: OutlierDetection;
  private readonly onOutlier: (kind: ConsecutiveKind) => void;
  ejections = 0;
  /** How many times the base ejection time lasts. */
  backoff = 0;
  ejectedAt = 0;
  jitterMs = 0;
  returnedAt: number | undefined = undefined;

  constructor(config: OutlierDetection, onOutlier: (kind: ConsecutiveKind) => void) {
    this.config = config;
    this.onOutlier = onOutlier;
  }

  private fail(kind: ConsecutiveKind): void {
    if (++this.inARow[kind] === this.config.consecutive[kind].count) this.onOutlier(kind);
  }

  forgive(kind: ConsecutiveKind): void {
    this.inARow[kind] = 0;
  }

  forgiveAll(): void {
    this.forgive("5xx");
    this.forgive("gateway_failure");
    this.forgive("local_origin_failure");
  }

  /** Where the cluster says itself which answers are errors, that counts, whatever their status. */
  statusFor(answer: AnswerLines, status: number): number {
    const { isError } = this.config;
    if (isError === undefined) return status;
    return isError(answer) ? Math.max(500, status) : 200;
  }

  putAnswer(status: number): void {
    this.external.count(status < 500);
    if (status < 500) {
      this.forgive("5xx");
      this.forgive("gateway_failure");
      return;
    }
    if (status === 502 || status === 503 || status === 504) this.fail("gateway_failure");
    else this.forgive("gateway_failure");
    this.fail("5xx");
  }

  putOutcome(outcome: Outcome): void {
    if (!this.config.splitLocalOrigin) {
      if (outcome !== "connected") this.putAnswer(ANSWER_TO[outcome]);
      return;
    }
    const good = outcome === "connected" || outcome === "connected for good";
    this.localOrigin.count(good);
    if (good) this.forgive("local_origin_failure");
    else this.fail("local_origin_failure");
  }
}
