// The share that is refused, on a model of a loop: it may work so long in a sample, requests cost what they cost, and who is not served waits.
import { describe, expect, test } from "vitest";
import { LoadShedder } from "./load-shedder.ts";

interface Model {
  /** Requests that come in 100 ms. */
  readonly offered: number;
  /** Milliseconds that one costs. */
  readonly cost: number;
  readonly refusalCost: number;
}

interface Played {
  readonly served: number;
  readonly refused: number;
  readonly waiting: number;
  readonly share: number;
}

/** Samples of 100 ms, one after the other; what waits for longer than a second has gone. */
function play(shedder: LoadShedder, model: Model, samples: number): Played {
  let waiting = 0;
  let served = 0;
  let refused = 0;
  let n = 0;
  for (let i = 0; i < samples; i++) {
    waiting = Math.min(waiting + model.offered, 10 * model.offered);
    const before = waiting;
    let busyMs = 0;
    while (waiting > 0 && busyMs < 100) {
      waiting--;
      // Evenly spread chances, so that a run says the same each time.
      if (shedder.refuses((n++ * 0.618_033_988_7) % 1)) {
        refused++;
        busyMs += model.refusalCost;
      } else {
        served++;
        busyMs += model.cost;
      }
    }
    // A turn serves all who wait.
    const turnMs = Math.min(before * model.cost, 1000);
    shedder.sample({ elapsedMs: 100, busy: Math.min(1, busyMs / 100), turnMs });
  }
  return { served, refused, waiting, share: shedder.share };
}

describe("three times as many requests as can be served", () => {
  const model = { offered: 300, cost: 1, refusalCost: 0.02 };

  test("leave at least 80 % of what could be served, and no queue", () => {
    const shedder = new LoadShedder();
    play(shedder, model, 50);
    const { served, refused, waiting } = play(shedder, model, 300);
    expect(served / (300 * 100)).toBeGreaterThanOrEqual(0.8);
    expect(refused).toBeGreaterThan(300 * 180);
    expect(waiting).toBeLessThan(30);
  });

  test("when they stop nothing is refused any more", () => {
    const shedder = new LoadShedder();
    play(shedder, model, 50);
    expect(shedder.share).toBeGreaterThan(0.5);
    const { share } = play(shedder, { ...model, offered: 50 }, 30);
    expect(share).toBe(0);
    expect(play(shedder, { ...model, offered: 50 }, 30).refused).toBe(0);
  });
});

test("thirty times as many leave most of what could be served too, but for what the refusals cost", () => {
  const shedder = new LoadShedder();
  const model = { offered: 3000, cost: 1, refusalCost: 0.02 };
  play(shedder, model, 100);
  const { served } = play(shedder, model, 300);
  expect(served / (300 * 100)).toBeGreaterThanOrEqual(0.7);
});

test("a loop that is only well used refuses nothing, and neither do long turns with rest between", () => {
  const shedder = new LoadShedder();
  for (let i = 0; i < 100; i++) {
    shedder.sample({ elapsedMs: 100, busy: 1, turnMs: 60 });
    expect(shedder.share).toBe(0);
  }
  for (let i = 0; i < 100; i++) {
    shedder.sample({ elapsedMs: 400, busy: 0.9, turnMs: 300 });
    expect(shedder.share).toBe(0);
  }
});

test("one long stop, or two, are no overload", () => {
  const shedder = new LoadShedder();
  for (let i = 0; i < 100; i++) shedder.sample({ elapsedMs: 500, busy: i % 3 === 2 ? 0.5 : 1, turnMs: 400 });
  expect(shedder.share).toBe(0);
});

test("where a refusal costs nearly what a request does, it is not refusals that the time goes into", () => {
  const shedder = new LoadShedder();
  const model = { offered: 20_000, cost: 0.05, refusalCost: 0.02 };
  play(shedder, model, 100);
  const { served } = play(shedder, model, 100);
  expect(served / (100 * 2000)).toBeGreaterThanOrEqual(0.75);
});
