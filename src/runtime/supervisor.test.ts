import { expect, test } from "vitest";
import { createManualClock, type ManualClock } from "../kit/testing/manual-clock.ts";
import type { Launch, ProcessEnd } from "./launch.ts";
import { createPodName, templateHash } from "./pod-name.ts";
import { createPorts } from "./ports.ts";
import { createPublisher } from "./publisher.ts";
import { createRestartDelay } from "./restart-delay.ts";
import { createSupervisor } from "./supervisor.ts";
import { seededRng } from "../kit/index.ts";

/** Between two timers promises run on. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  const end = clock.now() + ms;
  while (clock.now() < end) {
    clock.advance(1);
    await Promise.resolve();
  }
}

function fakeLaunch(): { launch: Launch; starts: () => number; signals: string[]; end: (end: ProcessEnd) => Promise<void> } {
  let starts = 0;
  let resolve: (end: ProcessEnd) => void = () => {};
  const signals: string[] = [];
  return {
    starts: () => starts,
    signals,
    launch() {
      starts++;
      const ended = new Promise<ProcessEnd>((done) => (resolve = done));
      return { pid: starts, ended, signal: (signal) => void signals.push(signal) };
    },
    async end(end) {
      resolve(end);
      for (let i = 0; i < 5; i++) await Promise.resolve();
    },
  };
}

test("back-off: 0.2 s, doubling to 10 s, forgotten after a minute of running", () => {
  const delay = createRestartDelay();
  expect([1, 1, 1, 1, 1, 1, 1, 1].map((ms) => delay.next(ms))).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  expect(delay.next(60_000)).toBe(200);
});

test("a process that ends is started again after its back-off, and says why it ended", async () => {
  const clock = createManualClock();
  const fake = fakeLaunch();
  const ends: string[] = [];
  const spec = { name: "x", command: ["x"], cwd: "/", env: {}, log: "/x.log" };
  const supervisor = createSupervisor({
    launch: fake.launch,
    clock,
    spec: () => spec,
    graceMs: 1000,
    onChange() {},
    onEnd: (reason) => ends.push(reason),
  });
  supervisor.start();
  await fake.end({ reason: "exit code 3", code: 3 });
  expect(supervisor.state()).toMatchObject({ state: "backing-off", restarts: 1, reason: "exit code 3" });
  await pass(clock, 199);
  expect(fake.starts()).toBe(1);
  await pass(clock, 1);
  expect(fake.starts()).toBe(2);
  supervisor.restart("liveness probe failed");
  expect(fake.signals).toEqual(["SIGTERM"]);
  await pass(clock, 1000);
  expect(fake.signals).toEqual(["SIGTERM", "SIGKILL"]);
  await fake.end({ reason: "signal SIGKILL", code: undefined });
  expect(ends).toEqual(["exit code 3", "liveness probe failed"]);
  const stopped = supervisor.stop(1000);
  await stopped;
  await pass(clock, 60_000);
  expect(fake.starts()).toBe(2);
  expect(supervisor.state().state).toBe("stopped");
});

test("stop waits for the process, and kills it when it does not end", async () => {
  const clock = createManualClock();
  const fake = fakeLaunch();
  const supervisor = createSupervisor({
    launch: fake.launch,
    clock,
    spec: () => ({ name: "x", command: ["x"], cwd: "/", env: {}, log: "" }),
    graceMs: 1,
    onChange() {},
  });
  supervisor.start();
  let done = false;
  const stopped = supervisor.stop(500).then(() => (done = true));
  await pass(clock, 499);
  expect([fake.signals, done]).toEqual([["SIGTERM"], false]);
  await pass(clock, 1);
  expect(fake.signals).toEqual(["SIGTERM", "SIGKILL"]);
  await fake.end({ reason: "signal SIGKILL", code: undefined });
  await stopped;
  expect(fake.starts()).toBe(1);
});

test("the publisher sends the newest list, again until it is taken, and tells who waits", async () => {
  const clock = createManualClock();
  const puts: string[] = [];
  let fail = 2;
  let name = "a";
  const publisher = createPublisher({
    pods: () => [{ name, namespace: "n", labels: {}, annotations: {}, serviceAccount: "", owner: undefined, status: {} }],
    async put(pods) {
      await Promise.resolve();
      puts.push(pods[0]?.name ?? "");
      if (fail-- > 0) throw new Error("down");
    },
    clock,
    rng: seededRng(1),
  });
  let published = false;
  const done = publisher.published().then(() => (published = true));
  for (let i = 0; i < 10; i++) await Promise.resolve();
  expect([puts, published]).toEqual([["a"], false]);
  name = "b";
  for (let i = 0; i < 20; i++) await pass(clock, 100);
  await done;
  expect(puts).toEqual(["a", "b", "b"]);
  // What is known is not sent again, unless the control plane started anew.
  await publisher.published();
  expect(puts.length).toBe(3);
  publisher.resend();
  await publisher.published();
  expect(puts.length).toBe(4);
});

test("ports: each only once, taken ones skipped, given back ones free again", async () => {
  const busy = new Set([8080, 8081]);
  const ports = createPorts({ rng: seededRng(1), isFree: (port) => Promise.resolve(!busy.has(port)) });
  expect(await ports.takeFrom(8080)).toBe(8082);
  expect(await ports.takeFrom(8080)).toBe(8083);
  ports.give(8082);
  expect(await ports.takeFrom(8080)).toBe(8082);
  const many = await Promise.all(Array.from({ length: 500 }, () => ports.take()));
  expect(new Set(many).size).toBe(500);
  expect(Math.max(...many)).toBeLessThan(32_768);
});

test("pod names: template hash by value, random end", () => {
  expect(templateHash({ a: 1, b: [{ c: 2 }] })).toBe(templateHash({ b: [{ c: 2 }], a: 1 }));
  expect(templateHash({ a: 1 })).not.toBe(templateHash({ a: 2 }));
  const name = createPodName({ workload: "demo4-deployment-v1", hash: "7d9c5b8f6d", rng: seededRng(3) });
  expect(name).toMatch(/^demo4-deployment-v1-7d9c5b8f6d-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
});
