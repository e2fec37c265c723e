// When is a change live? When every connected proxy has acknowledged the revision that brought it. Remembers when revisions were
// written and when they became live, so that `apply --wait` can say how long it took even when it asks late.
import type { LiveStatus } from "../admin-api/index.ts";
import type { Clock } from "../kit/index.ts";

/** A connected proxy, as far as this question goes. */
export interface LiveProxy {
  readonly id: string;
  /** The newest revision it has in full. */
  ackedRevision(): number;
  /** What it has not acknowledged, or has refused and why. */
  lagging(): readonly { readonly typeUrl: string; readonly reason: string; readonly refused: boolean }[];
}

export interface LiveTracker {
  /** The store has revision `revision` from now on. */
  written(revision: number): void;
  /** The pipeline has handed this revision to every stream; `affected` got something new by it. */
  published(revision: number, affected: number): void;
  /** A proxy acknowledged, refused, came or went. */
  changed(): void;
  publishedRevision(): number;
  wait(options: { readonly revision: number; readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<LiveStatus>;
  stop(): void;
}

interface Write {
  readonly revision: number;
  readonly at: number;
  affected: number | undefined;
  liveAt: number | undefined;
}

const KEPT_WRITES = 1024;
/** A refusal is told at once, but not before the other proxies had a moment to answer. */
const REFUSAL_GRACE_MS = 200;

export function createLiveTracker(options: { readonly clock: Clock; readonly proxies: () => Iterable<LiveProxy> }): LiveTracker {
  const { clock, proxies } = options;
  const writes: Write[] = [];
  const waiting = new Set<() => void>();
  let published = 0;
  let checking: (() => void) | undefined;

  /** The newest revision that all have. */
  function liveRevision(): number {
    let least = published;
    for (const proxy of proxies()) least = Math.min(least, proxy.ackedRevision());
    return least;
  }

  function check(): void {
    checking = undefined;
    const live = liveRevision();
    const now = clock.now();
    for (let i = writes.length - 1; i >= 0; i--) {
      const write = writes[i];
      if (write === undefined || write.liveAt !== undefined) break;
      if (write.revision <= live) write.liveAt = now;
    }
    for (const wake of waiting) wake();
  }

  /** Many acknowledgements of one turn are looked at once. */
  function changed(): void {
    checking ??= clock.after(0, check);
  }

  function writeOf(revision: number): Write | undefined {
    return writes.find((write) => write.revision >= revision);
  }

  function statusOf(revision: number, since: number): LiveStatus {
    const write = writeOf(revision);
    const live = liveRevision() >= revision;
    const lagging = live
      ? []
      : [...proxies()]
          .filter((proxy) => proxy.ackedRevision() < revision)
          .flatMap((proxy) => {
            const types = proxy.lagging();
            if (types.length === 0)
              return [{ id: proxy.id, typeUrl: "", reason: published < revision ? "the change is not sent yet" : "no answer yet" }];
            return types.map(({ typeUrl, reason }) => ({ id: proxy.id, typeUrl, reason }));
          });
    const from = write?.at ?? since;
    return {
      revision,
      live,
      tookMs: Math.max(0, (live ? (write?.liveAt ?? clock.now()) : clock.now()) - from),
      affected: write?.affected ?? 0,
      lagging,
    };
  }

  /** True when whoever has not got it has refused it: waiting longer changes nothing. */
  function isRefused(revision: number): boolean {
    if (published < revision) return false;
    const late = [...proxies()].filter((proxy) => proxy.ackedRevision() < revision);
    return late.length > 0 && late.every((proxy) => proxy.lagging().some((type) => type.refused));
  }

  return {
    written(revision) {
      if ((writes.at(-1)?.revision ?? 0) >= revision) return;
      writes.push({ revision, at: clock.now(), affected: undefined, liveAt: undefined });
      if (writes.length > KEPT_WRITES) writes.shift();
    },
    published(revision, affected) {
      published = Math.max(published, revision);
      for (let i = writes.length - 1; i >= 0; i--) {
        const write = writes[i];
        if (write === undefined || write.affected !== undefined) break;
        if (write.revision <= revision) write.affected = affected;
      }
      changed();
    },
    changed,
    publishedRevision: () => published,
    wait({ revision, timeoutMs, signal }) {
      const since = clock.now();
      return new Promise((resolve) => {
        let cancelRefusal: (() => void) | undefined;
        const finish = (): void => {
          waiting.delete(look);
          cancelTimeout();
          cancelRefusal?.();
          signal.removeEventListener("abort", finish);
          resolve(statusOf(revision, since));
        };
        const look = (): void => {
          if (liveRevision() >= revision) return finish();
          if (isRefused(revision))
            cancelRefusal ??= clock.after(REFUSAL_GRACE_MS, () => (isRefused(revision) ? finish() : (cancelRefusal = undefined)));
        };
        const cancelTimeout = clock.after(timeoutMs, finish);
        signal.addEventListener("abort", finish);
        waiting.add(look);
        look();
      });
    },
    stop() {
      checking?.();
    },
  };
}
