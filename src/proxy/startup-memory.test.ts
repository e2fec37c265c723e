import { expect, test } from "vitest";
import { createManualClock } from "../kit/testing/manual-clock.ts";
import { releaseStartupMemory } from "./startup-memory.ts";

function start() {
  const clock = createManualClock();
  const seen = { idle: false, collected: 0 };
  releaseStartupMemory({ clock, isIdle: () => seen.idle, collect: () => void (seen.collected += 1) });
  return { clock, seen };
}

test("once, as soon as nobody is connected", () => {
  const { clock, seen } = start();
  clock.advance(9000);
  expect(seen.collected).toBe(0);
  seen.idle = true;
  clock.advance(1000);
  expect(seen.collected).toBe(1);
  clock.advance(600_000);
  expect(seen.collected).toBe(1);
});

test("not any more after a minute of work", () => {
  const { clock, seen } = start();
  clock.advance(60_000);
  seen.idle = true;
  clock.advance(600_000);
  expect(seen.collected).toBe(0);
});
