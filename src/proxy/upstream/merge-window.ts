// When changes of hosts' health reach the picker: the first at once, what follows within the window together, a window after the first that waits.
// Envoy counts by priority, but lets every change of health touch all of them, so the window is the cluster's.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto (CommonLbConfig.update_merge_window)
import type { Clock } from "../../kit/index.ts";

export class MergeWindow {
  private readonly clock: Clock;
  private readonly deliver: () => void;
  /** Monotonic ms. */
  private deliveredAt = Number.NEGATIVE_INFINITY;
  private cancel: (() => void) | undefined = undefined;

  constructor(clock: Clock, deliver: () => void) {
    this.clock = clock;
    this.deliver = deliver;
  }

  /** `windowMs`: 0 = everything at once. */
  changed(windowMs: number): void {
    if (windowMs === 0 || this.clock.now() - this.deliveredAt > windowMs) this.deliverNow();
    else this.cancel ??= this.clock.after(windowMs, () => this.deliverNow());
  }

  private deliverNow(): void {
    this.settle();
    this.deliveredAt = this.clock.now();
    this.deliver();
  }

  /** What waited is no longer needed: everything has been delivered by other means. */
  settle(): void {
    this.cancel?.();
    this.cancel = undefined;
  }
}
