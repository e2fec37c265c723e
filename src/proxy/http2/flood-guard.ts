// What a peer may make us do for nothing: frames that cost it little and us more are paid for by useful ones. Bounds as Envoy's and nghttp2's
// (https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge and the CVEs 2019-9511 to 9518, 2023-44487, 2025-8671).
import type { Http2Limits } from "../config/index.ts";

/** nghttp2's bounds for stream resets, here for all that is answered or ignored without being of use. */
const BURST = 1000;
const PER_SECOND = 33;
/** WINDOW_UPDATE frames that need no reason. */
const FREE_UPDATES = 5;
/** DATA frames that can be under way at once: what they pay for does not add up beyond that. */
const DATA_UNDER_WAY = 1024;
/** A request that was given up within a second, unanswered, is premature; half of 500 may be. */
const PREMATURE_MS = 1000;
const PREMATURE_OF = 500;

export class FloodGuard {
  private readonly limits: Http2Limits;
  private probes = BURST;
  private faults = BURST;
  private filledAt = 0;
  private priorities: number;
  private updates: number;
  private requests = 0;
  private premature = 0;

  constructor(limits: Http2Limits) {
    this.limits = limits;
    this.priorities = limits.priorityFramesPerStream;
    this.updates = FREE_UPDATES;
    this.sentData(1);
  }

  /** Once per read. */
  refill(now: number): void {
    const due = ((now - this.filledAt) / 1000) * PER_SECOND;
    if (due < 1) return;
    this.filledAt = now;
    this.probes = Math.min(BURST, this.probes + due);
    this.faults = Math.min(BURST, this.faults + due);
  }

  /** A stream was opened; `active` counts it. */
  opened(active: number): void {
    const { priorityFramesPerStream } = this.limits;
    this.priorities = Math.min(this.priorities + priorityFramesPerStream, priorityFramesPerStream * (1 + active));
    this.updates += 2;
    if (this.probes < BURST) this.probes++;
  }

  sentData(frames: number): void {
    const { windowUpdatesPerData } = this.limits;
    this.updates = Math.min(this.updates + 2 * windowUpdatesPerData * frames, 2 * windowUpdatesPerData * DATA_UNDER_WAY);
  }

  receivedData(): void {
    if (this.probes < BURST) this.probes++;
  }

  /** PING, SETTINGS, frames of types that nobody knows. False = too many; so for all below. */
  probe(): boolean {
    return --this.probes >= 0;
  }

  /** A stream error, a refused stream, a frame for a stream that is no more. */
  fault(): boolean {
    return --this.faults >= 0;
  }

  priority(): boolean {
    return --this.priorities >= 0;
  }

  windowUpdate(): boolean {
    return --this.updates >= 0;
  }

  /** A request is over. `aborted` = the peer gave it up or broke it before there was an answer. */
  requestOver(aborted: boolean, lifetimeMs: number): boolean {
    this.requests++;
    if (!aborted) {
      if (this.faults < BURST) this.faults++;
      return true;
    }
    if (lifetimeMs <= PREMATURE_MS) this.premature++;
    return this.fewPremature() && this.fault();
  }

  /** A head beyond the limits is read to its end, and comes to nothing: as bad as a request that is given up at once. */
  oversized(): boolean {
    this.premature++;
    return this.fewPremature() && this.fault();
  }

  private fewPremature(): boolean {
    return this.premature * 2 < Math.max(this.requests, PREMATURE_OF);
  }
}
