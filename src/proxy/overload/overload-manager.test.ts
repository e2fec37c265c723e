import { describe, expect, test } from "vitest";
import { type Clock, silentLogger } from "../../kit/index.ts";
import { DEFAULT_OVERLOAD, type OverloadConfig } from "../config/index.ts";
import { createStats } from "../observe/stats.ts";
import { OverloadManager } from "./overload-manager.ts";

interface Stage {
  readonly manager: OverloadManager;
  /** What the process is like from now on. */
  readonly is: { memory: number; usedBytes: number; busy: number; turnMs: number; garbage: number };
  /** The next look, and what it waits for the one after. */
  look(): number;
  stat(name: string): number;
  readonly collected: () => number;
}

function stage(config: Partial<OverloadConfig> = {}, chance = 0.5): Stage {
  const is = { memory: 0.1, usedBytes: 0, busy: 0.1, turnMs: 1, garbage: 0 };
  const totals = { busyMs: 0, idleMs: 0, turns: 0 };
  const stats = createStats();
  let now = 0;
  let collected = 0;
  let next: { ms: number; fn: () => void } | undefined;
  const clock: Clock = {
    now: () => now,
    wall: () => now,
    after(ms, fn) {
      next = { ms, fn };
      return () => (next = undefined);
    },
  };
  const manager = new OverloadManager({
    config: { ...DEFAULT_OVERLOAD, ...config },
    vitals: {
      loop: () => ({ ...totals }),
      memory: () => ({ ofLimit: is.memory, usedBytes: is.usedBytes }),
      collectGarbage() {
        collected++;
        is.memory -= is.garbage;
      },
    },
    stats,
    clock,
    rng: { random: () => chance },
    logger: silentLogger,
  });
  manager.start();
  return {
    manager,
    is,
    collected: () => collected,
    look() {
      const due = next!;
      now += due.ms;
      totals.busyMs += due.ms * is.busy;
      totals.idleMs += due.ms * (1 - is.busy);
      totals.turns += (due.ms * is.busy) / is.turnMs;
      due.fn();
      return next!.ms;
    },
    stat: (name) => [...stats.gauges(), ...stats.counters()].find(({ fullName }) => fullName === `overload.${name}`)?.metric.value ?? -1,
  };
}

describe("memory", () => {
  test("is tidied up at 90 % of the limit, requests are refused at 95 %, connections at 98 %", () => {
    const { manager, is, look, stat, collected } = stage();
    const seen = [0.5, 0.92, 0.96, 0.99, 0.5].map((memory) => {
      is.memory = memory;
      look();
      return [collected(), manager.shedding && manager.refusesRequest(), manager.refusal(false)];
    });
    expect(seen).toEqual([
      [0, false, undefined],
      [1, false, undefined],
      [1, true, undefined],
      [1, true, "overload"],
      [1, false, undefined],
    ]);
    is.memory = 0.96;
    look();
    expect([
      stat("serin.resource_monitors.process_memory.pressure"),
      stat("envoy.overload_actions.shrink_heap.active"),
      stat("envoy.overload_actions.shrink_heap.shrink_count"),
      stat("envoy.overload_actions.stop_accepting_requests.active"),
      stat("envoy.overload_actions.stop_accepting_requests.scale_percent"),
      stat("envoy.overload_actions.reject_incoming_connections.active"),
    ]).toEqual([96, 1, 1, 1, 100, 0]);
  });

  test("that is only garbage refuses nothing", () => {
    const { manager, is, look } = stage();
    is.memory = 0.97;
    is.garbage = 0.6;
    look();
    expect([manager.shedding, is.memory.toFixed(2)]).toEqual([false, "0.37"]);
  });

  test("is tidied up again after ten seconds only", () => {
    const { is, look, collected } = stage();
    is.memory = 0.93;
    let ms = 0;
    while (ms < 21_000) ms += look();
    expect(collected()).toBe(3);
  });

  test("is looked at ten times a second when it may run short", () => {
    const { is, look } = stage();
    expect(look()).toBe(1000);
    is.memory = 0.75;
    expect(look()).toBe(100);
    is.memory = 0.2;
    expect(look()).toBe(1000);
    is.busy = 0.9;
    expect(look()).toBe(100);
  });

  test("counts against the bootstrap's own limit too", () => {
    const actions = {
      ...DEFAULT_OVERLOAD.actions,
      stop_accepting_requests: [{ monitor: "fixed_heap", scaling: 0.95, saturation: 0.95 } as const],
    };
    const { manager, is, look, stat } = stage({ maxHeapBytes: 1000, actions });
    is.usedBytes = 960;
    look();
    expect([manager.shedding && manager.refusesRequest(), stat("envoy.resource_monitors.fixed_heap.pressure")]).toEqual([true, 96]);
  });
});

test("connections beyond the limit are refused, but not those that do not count", () => {
  const { manager, stat, look } = stage({ maxConnections: 3 });
  manager.connections = 2;
  expect(manager.refusal(false)).toBeUndefined();
  manager.connections = 3;
  expect([manager.refusal(false), manager.refusal(true)]).toEqual(["limit", undefined]);
  look();
  expect([
    stat("envoy.resource_monitors.global_downstream_max_connections.pressure"),
    stat("envoy.resource_monitors.global_downstream_max_connections.failed_updates"),
  ]).toEqual([100, 1]);
});

test("a loop that is late sheds a share, and stops to when it rests again", () => {
  const { manager, is, look, stat } = stage({}, 0.1);
  is.busy = 1;
  is.turnMs = 150;
  // One second and ten tenths.
  for (let i = 0; i < 10; i++) look();
  expect(manager.shedding).toBe(false);
  look();
  expect([
    manager.shedding,
    manager.refusesRequest(),
    stat("envoy.load_shed_points.http_connection_manager_decode_headers.scale_percent"),
  ]).toEqual([true, true, 50]);
  expect(stat("envoy.load_shed_points.http_connection_manager_decode_headers.shed_load_count")).toBe(1);
  is.busy = 0.3;
  is.turnMs = 1;
  for (let i = 0; i < 8; i++) look();
  expect([manager.shedding, stat("serin.resource_monitors.event_loop.pressure")]).toEqual([false, 30]);
});

test("a scaled trigger refuses a part", () => {
  const shedPoints = {
    ...DEFAULT_OVERLOAD.shedPoints,
    http_connection_manager_decode_headers: [{ monitor: "process_memory", scaling: 0.5, saturation: 0.9 } as const],
  };
  for (const [chance, refused] of [
    [0.4, true],
    [0.6, false],
  ] as const) {
    const { manager, is, look } = stage({ shedPoints }, chance);
    is.memory = 0.7;
    look();
    expect([manager.shedding, manager.refusesRequest()]).toEqual([true, refused]);
  }
});
