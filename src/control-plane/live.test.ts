import { describe, expect, test } from "vitest";
import type { LiveStatus } from "../admin-api/index.ts";
import { createLiveTracker, type LiveProxy, type LiveTracker } from "./live.ts";
import { createManualClock, type ManualClock } from "../kit/testing/manual-clock.ts";

interface FakeProxy extends LiveProxy {
  acked: number;
  nack: string | undefined;
}

function proxy(id: string): FakeProxy {
  return {
    id,
    acked: 1,
    nack: undefined,
    ackedRevision() {
      return this.acked;
    },
    lagging() {
      return this.nack === undefined ? [] : [{ typeUrl: "rds", reason: this.nack, refused: true }];
    },
  };
}

function setUp(): {
  clock: ManualClock;
  a: FakeProxy;
  b: FakeProxy;
  tracker: LiveTracker;
  wait: (revision: number, timeoutMs?: number) => { status: LiveStatus | undefined };
} {
  const clock = createManualClock();
  const a = proxy("a");
  const b = proxy("b");
  const tracker = createLiveTracker({ clock, proxies: () => [a, b] });
  tracker.published(1, 0);
  const wait = (revision: number, timeoutMs = 1000) => {
    const box: { status: LiveStatus | undefined } = { status: undefined };
    void tracker.wait({ revision, timeoutMs, signal: new AbortController().signal }).then((status) => (box.status = status));
    return box;
  };
  return { clock, a, b, tracker, wait };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("wait", () => {
  test("answers when the last proxy has it, with the time since the write", async () => {
    const { clock, a, b, tracker, wait } = setUp();
    tracker.written(2);
    const waiting = wait(2);
    clock.advance(10);
    tracker.published(2, 2);
    a.acked = 2;
    tracker.changed();
    clock.advance(5);
    await settle();
    expect(waiting.status).toBeUndefined();
    b.acked = 2;
    tracker.changed();
    clock.advance(1);
    await settle();
    expect(waiting.status).toEqual({ revision: 2, live: true, tookMs: 15, affected: 2, lagging: [] });
  });

  test("asked late it still tells how long it took", async () => {
    const { clock, a, b, tracker, wait } = setUp();
    tracker.written(2);
    a.acked = 2;
    b.acked = 2;
    clock.advance(7);
    tracker.published(2, 1);
    clock.advance(500);
    const waiting = wait(2);
    await settle();
    expect(waiting.status).toMatchObject({ live: true, tookMs: 7, affected: 1 });
  });

  test("at the timeout it names who lags", async () => {
    const { clock, a, tracker, wait } = setUp();
    tracker.written(2);
    tracker.published(2, 2);
    a.acked = 2;
    const waiting = wait(2, 300);
    clock.advance(300);
    await settle();
    expect(waiting.status).toMatchObject({ live: false, tookMs: 300, lagging: [{ id: "b", reason: "no answer yet" }] });
  });

  test("a refusal ends the wait early, with its reason", async () => {
    const { clock, a, b, tracker, wait } = setUp();
    tracker.written(2);
    tracker.published(2, 2);
    const waiting = wait(2, 60_000);
    a.acked = 2;
    b.nack = "bad route";
    tracker.changed();
    clock.advance(250);
    await settle();
    expect(waiting.status).toMatchObject({ live: false, lagging: [{ id: "b", typeUrl: "rds", reason: "bad route" }] });
  });

  test("a proxy that goes away is not waited for", async () => {
    const clock = createManualClock();
    const proxies = new Set([proxy("a")]);
    const tracker = createLiveTracker({ clock, proxies: () => proxies });
    tracker.written(2);
    tracker.published(2, 1);
    const answer = tracker.wait({ revision: 2, timeoutMs: 1000, signal: new AbortController().signal });
    proxies.clear();
    tracker.changed();
    clock.advance(1);
    expect(await answer).toMatchObject({ live: true });
  });

  test("what is not published yet is not live, even without proxies", async () => {
    const clock = createManualClock();
    const tracker = createLiveTracker({ clock, proxies: () => [] });
    tracker.written(5);
    const answer = tracker.wait({ revision: 5, timeoutMs: 10, signal: new AbortController().signal });
    clock.advance(10);
    expect(await answer).toMatchObject({ live: false });
  });
});
