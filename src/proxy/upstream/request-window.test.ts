import { expect, test } from "vitest";
import { createManualClock } from "../../kit/testing/manual-clock.ts";
import type { CircuitBreakers } from "../config/index.ts";
import { canRetry, createUsage } from "./circuit-breaker.ts";
import { createRequestWindow } from "./request-window.ts";

test("requests leave the window when its interval is over, a tenth of it at a time", () => {
  const clock = createManualClock();
  let total = 7;
  const window = createRequestWindow(clock, 1000, () => total);
  total += 20;
  clock.advance(450);
  total += 5;
  expect(window.count()).toBe(25);
  clock.advance(500);
  expect(window.count()).toBe(25);
  clock.advance(50);
  expect(window.count()).toBe(5);
  clock.advance(500);
  expect(window.count()).toBe(0);
  window.stop();
  total += 3;
  clock.advance(5000);
  expect(window.count()).toBe(3);
});

test("a budget with an interval is a share of the requests begun in it, whether they are active or not", () => {
  const limits: CircuitBreakers = {
    maxConnections: 1,
    maxPendingRequests: 1,
    maxRequests: 1,
    maxRetries: 0,
    retryBudget: { percent: 50, minConcurrency: 1, intervalMs: 1000 },
  };
  const usage = { ...createUsage(), requests: 100, retries: 3 };
  expect(canRetry(usage, limits)).toBe(true);
  expect(canRetry(usage, limits, { count: () => 7 })).toBe(false);
  expect(canRetry(usage, limits, { count: () => 8 })).toBe(true);
  expect(canRetry({ ...usage, retries: 0 }, limits, { count: () => 0 })).toBe(true);
});
