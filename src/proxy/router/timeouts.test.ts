// The clocks over a request, on a clock of our own; what the upstream is told of the time it has (Envoy's FilterUtility::finalTimeout).
import { describe, expect, test } from "vitest";
import { createManualClock } from "../../kit/testing/manual-clock.ts";
import { createTimerWheel } from "../network/timer-wheel.ts";
import type { Exchange } from "./exchange.ts";
import type { ForwardPlan } from "./forward-plan.ts";
import { grpcTimeout, grpcTimeoutText } from "./grpc-timeout.ts";
import { Timeouts } from "./timeouts.ts";

interface Setup {
  readonly timeoutMs?: number;
  readonly perTryTimeoutMs?: number;
  readonly perTryIdleTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly maxDurationMs?: number;
  readonly maxGrpcTimeoutMs?: number;
  readonly suppressEnvoyHeaders?: boolean;
  /** The request is gRPC, with this grpc-timeout. */
  readonly grpc?: string;
}

function start(setup: Setup) {
  const clock = createManualClock(1000);
  const at = (): number => clock.now() - 1000;
  const heard: string[] = [];
  const timeouts = new Timeouts({
    onOverallTimeout: () => heard.push(`${at()} whole`),
    onPerTryTimeout: (kind) => heard.push(`${at()} ${kind}`),
    onIdleTimeout: () => heard.push(`${at()} idle`),
    onMaxDuration: () => heard.push(`${at()} longest`),
  });
  const exchange = {
    manager: { env: { clock, wheel: createTimerWheel(clock) } },
    head: { grpc: setup.grpc !== undefined, first: () => setup.grpc },
    startMs: clock.now() - 50,
    actionMs: clock.now(),
    expectedTimeoutMs: 0,
    grpcTimeout: "",
  } as unknown as Exchange;
  const plan = {
    timeoutMs: 0,
    perTryTimeoutMs: 0,
    perTryIdleTimeoutMs: 0,
    idleTimeoutMs: 0,
    maxDurationMs: 0,
    suppressEnvoyHeaders: false,
    ...setup,
    action: { maxGrpcTimeoutMs: setup.maxGrpcTimeoutMs },
  } as unknown as ForwardPlan;
  timeouts.start(exchange, plan);
  timeouts.tell(exchange, plan);
  return {
    timeouts,
    exchange,
    plan,
    heard,
    pass: (ms: number) => clock.advance(ms),
    now: () => clock.now(),
  };
}

describe("when they strike", () => {
  test("the whole counts from the end of the request", () => {
    const run = start({ timeoutMs: 100 });
    run.pass(500);
    expect(run.heard).toEqual([]);
    run.timeouts.requestComplete(run.now());
    run.pass(200);
    expect(run.heard).toEqual(["600 whole"]);
  });

  test("a try counts from its connection, but not before the request is whole", () => {
    const run = start({ perTryTimeoutMs: 50 });
    run.timeouts.startTry();
    run.pass(300);
    expect(run.heard).toEqual([]);
    run.timeouts.requestComplete(run.now());
    run.pass(300);
    expect(run.heard).toEqual(["350 per_try_timeout"]);
    run.timeouts.endTry();
    run.timeouts.startTry();
    run.pass(50);
    expect(run.heard).toEqual(["350 per_try_timeout", "650 per_try_timeout"]);
  });

  test("a try that may take as long as the whole has no limit of its own", () => {
    for (const perTryTimeoutMs of [100, 150]) {
      const run = start({ timeoutMs: 100, perTryTimeoutMs });
      run.timeouts.requestComplete(run.now());
      run.timeouts.startTry();
      run.pass(500);
      expect(run.heard).toEqual(["100 whole"]);
    }
  });

  test("the longest duration counts from the head, whatever has come, until it is over", () => {
    const run = start({ maxDurationMs: 400 });
    run.timeouts.requestComplete(run.now());
    run.timeouts.answered();
    run.timeouts.touch();
    run.pass(500);
    expect(run.heard).toEqual(["350 longest"]);
    const over = start({ maxDurationMs: 400 });
    over.timeouts.end();
    over.pass(500);
    expect(over.heard).toEqual([]);
  });

  test("silence of a try, and of the stream", () => {
    const run = start({ perTryIdleTimeoutMs: 100, idleTimeoutMs: 300 });
    run.timeouts.requestComplete(run.now());
    run.timeouts.startTry();
    run.pass(60);
    run.timeouts.touchTry();
    run.pass(90);
    expect(run.heard).toEqual([]);
    run.pass(300);
    expect(run.heard).toEqual(["160 per_try_idle_timeout", "300 idle"]);
  });

  test("after the answer's head only silence ends it", () => {
    const run = start({ timeoutMs: 100, perTryTimeoutMs: 50, perTryIdleTimeoutMs: 200 });
    run.timeouts.requestComplete(run.now());
    run.timeouts.startTry();
    run.timeouts.answered();
    run.pass(500);
    expect(run.heard).toEqual(["200 per_try_idle_timeout"]);
  });
});

describe("what the upstream is told", () => {
  const told = (setup: Setup) => {
    const { exchange } = start(setup);
    return [exchange.expectedTimeoutMs, exchange.grpcTimeout];
  };

  test.each<[string, Setup, readonly [number, string]]>([
    ["nothing without a limit", {}, [0, ""]],
    ["the whole", { timeoutMs: 100 }, [100, ""]],
    ["a shorter try", { timeoutMs: 100, perTryTimeoutMs: 30 }, [30, ""]],
    ["a longer try does not count", { timeoutMs: 100, perTryTimeoutMs: 300 }, [100, ""]],
    ["a try without a whole", { perTryTimeoutMs: 30 }, [30, ""]],
    ["gRPC: the route's limit", { timeoutMs: 100, maxGrpcTimeoutMs: 100, grpc: "" }, [100, "100m"]],
    ["gRPC: the caller's, when shorter", { timeoutMs: 1000, maxGrpcTimeoutMs: 1000, grpc: "20m" }, [20, "20m"]],
    ["gRPC: the caller's is capped", { timeoutMs: 1000, maxGrpcTimeoutMs: 1000, grpc: "20S" }, [1000, "1000m"]],
    ["gRPC: no cap is 0", { maxGrpcTimeoutMs: 0, grpc: "2M" }, [120_000, "120000m"]],
    ["gRPC: no limit asked for", { maxGrpcTimeoutMs: 0, grpc: "0m" }, [0, ""]],
    ["gRPC: without max_grpc_timeout the route's own counts", { timeoutMs: 100, grpc: "20m" }, [100, ""]],
    ["Envoy's own headers are off", { timeoutMs: 100, suppressEnvoyHeaders: true }, [0, ""]],
    ["but not gRPC's", { timeoutMs: 100, maxGrpcTimeoutMs: 100, grpc: "", suppressEnvoyHeaders: true }, [0, "100m"]],
  ])("%s", (_, setup, expected) => {
    expect(told(setup)).toEqual(expected);
  });

  test("a later try is told what is left", () => {
    const run = start({ timeoutMs: 1000, perTryTimeoutMs: 400 });
    run.timeouts.requestComplete(run.now());
    run.pass(300);
    run.timeouts.tell(run.exchange, run.plan);
    expect(run.exchange.expectedTimeoutMs).toBe(400);
    run.pass(400);
    run.timeouts.tell(run.exchange, run.plan);
    expect(run.exchange.expectedTimeoutMs).toBe(300);
    run.pass(400);
    run.timeouts.tell(run.exchange, run.plan);
    expect(run.exchange.expectedTimeoutMs).toBe(1);
  });
});

test("grpc-timeout as gRPC writes it", () => {
  expect(["1H", "2M", "3S", "4m", "1500u", "1n", "0m"].map(grpcTimeout)).toEqual([3_600_000, 120_000, 3000, 4, 2, 1, 0]);
  for (const bad of [undefined, "", "m", "1", "1x", "123456789m", "-1m", "1.5S", " 1m"]) expect(grpcTimeout(bad)).toBeUndefined();
  expect([1, 99_999_999, 100_000_000, 99_999_999_000, 100_000_000_000].map(grpcTimeoutText)).toEqual([
    "1m",
    "99999999m",
    "100000S",
    "99999999S",
    "1666666M",
  ]);
});
