import { expect, test } from "vitest";
import { createManualClock } from "../../kit/testing/manual-clock.ts";
import { MergeWindow } from "./merge-window.ts";

function start(): { readonly seen: number[]; readonly window: MergeWindow; advance(ms: number): void } {
  const clock = createManualClock();
  const seen: number[] = [];
  const window = new MergeWindow(clock, () => seen.push(clock.now()));
  return { seen, window, advance: (ms) => clock.advance(ms) };
}

test("the first change counts at once, those in the second after it together, a second after the first of them", () => {
  const { seen, window, advance } = start();
  window.changed(1000);
  advance(300);
  window.changed(1000);
  advance(400);
  window.changed(1000);
  expect(seen).toEqual([0]);
  advance(600);
  expect(seen).toEqual([0, 1300]);
  advance(1001);
  window.changed(1000);
  expect(seen).toEqual([0, 1300, 2301]);
});

test("without a window everything counts at once, and a change of the config settles what waits", () => {
  const { seen, window, advance } = start();
  for (let i = 0; i < 3; i++) window.changed(0);
  expect(seen).toHaveLength(3);
  window.changed(1000);
  window.settle();
  advance(5000);
  expect(seen).toHaveLength(3);
});
