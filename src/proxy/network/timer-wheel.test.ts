import { describe, expect, test } from "vitest";
import { createManualClock } from "../../kit/testing/manual-clock.ts";
import { createTimerWheel, Timer } from "./timer-wheel.ts";

function setUp() {
  const clock = createManualClock(1000);
  const wheel = createTimerWheel(clock);
  const fired: string[] = [];
  const arm = (name: string, inMs: number): Timer => {
    const timer = new Timer(() => fired.push(`${name} ${clock.now() - 1000}`));
    wheel.arm(timer, clock.now() + inMs, clock.now());
    return timer;
  };
  return { clock, wheel, fired, arm };
}

describe("timer wheel", () => {
  test("fires when due, not before; pushed back, disarmed and removed timers keep to that", () => {
    const { clock, wheel, fired, arm } = setUp();
    arm("a", 25);
    const later = arm("b", 25);
    wheel.arm(later, clock.now() + 55, clock.now());
    wheel.disarm(arm("c", 25));
    wheel.remove(arm("d", 25));
    clock.advance(20);
    expect(fired).toEqual([]);
    clock.advance(100);
    expect(fired).toEqual(["a 30", "b 60"]);
  });

  test("a day is no different from a moment", () => {
    const { clock, fired, arm } = setUp();
    arm("soon", 15);
    arm("day", 86_400_000);
    for (let hour = 0; hour < 24; hour++) clock.advance(3_600_000 - 1000);
    expect(fired).toEqual(["soon 20"]);
    clock.advance(30_000);
    expect(fired.length).toBe(2);
    expect(Number(fired[1]?.slice(4))).toBeGreaterThanOrEqual(86_400_000);
    expect(Number(fired[1]?.slice(4))).toBeLessThan(86_402_000);
  });

  test("many that are due at once are fired in portions, all of them, and what they arm is in time", () => {
    const { clock, wheel, fired } = setUp();
    let portions = 0;
    let lastAt = 0;
    for (let i = 0; i < 1000; i++) {
      const again = new Timer(() => fired.push("again"));
      const first = new Timer(() => {
        fired.push("first");
        if (clock.now() !== lastAt) portions++;
        lastAt = clock.now();
        wheel.arm(again, clock.now() + 5, clock.now());
      });
      wheel.arm(first, clock.now() + 50, clock.now());
    }
    clock.advance(45);
    expect(fired).toEqual([]);
    clock.advance(300);
    expect(portions).toBeGreaterThanOrEqual(10);
    expect([fired.filter((one) => one === "first").length, fired.filter((one) => one === "again").length]).toEqual([1000, 1000]);
  });
});
