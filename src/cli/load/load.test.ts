import http from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { startLoad } from "./generator.ts";
import { createPace } from "./pace.ts";
import { createTally } from "./tally.ts";

test("the pace holds over late timers", () => {
  const pace = createPace({ rate: 100, startMs: 1000 });
  expect(pace.due(1000)).toEqual([1000]);
  expect(pace.due(1009)).toEqual([]);
  expect(pace.due(1035)).toEqual([1010, 1020, 1030]);
  let sent = 4;
  for (let now = 1036; now <= 11_000; now += 37) sent += pace.due(now).length;
  sent += pace.due(11_000).length;
  expect(sent).toBe(1001);
});

test("the tally counts by version, status and error, and knows what failed", () => {
  const tally = createTally();
  for (let i = 1; i <= 100; i++) tally.add({ tookMs: i, status: 200, version: i <= 90 ? "v1" : "v2" });
  tally.add({ tookMs: 500, status: 503 });
  tally.add({ tookMs: 1, status: 404, version: "v1" });
  tally.add({ tookMs: 1, error: "ECONNREFUSED" });
  expect(tally.summary()).toEqual({
    requests: 103,
    failed: 2,
    byVersion: { v1: 91, v2: 10 },
    byStatus: { "200": 100, "404": 1, "503": 1 },
    errors: { ECONNREFUSED: 1 },
    latencyMs: { p50: 50, p90: 91, p99: 100, max: 500 },
  });
});

test("percentiles stay right when samples are thinned out", () => {
  const tally = createTally();
  for (let i = 0; i < 250_000; i++) tally.add({ tookMs: i % 1000, status: 200 });
  const { latencyMs } = tally.summary();
  expect(latencyMs.p50).toBeGreaterThan(490);
  expect(latencyMs.p50).toBeLessThan(510);
  expect(latencyMs.p99).toBeGreaterThan(980);
});

test("sends at its rate and reads the version header", async () => {
  let seen = 0;
  const server = http.createServer((request, response) => {
    seen++;
    response.setHeader("x-serin-version", request.headers["x-user"] === "a" ? "v2" : "v1");
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const load = startLoad({
    target: { host: "127.0.0.1", port, path: "/", method: "GET", headers: { host: "x", "x-user": "a" } },
    rate: 200,
    durationMs: 300,
    versionHeader: "x-serin-version",
    timeoutMs: 2000,
    onSecond() {},
  });
  const summary = await load.finished;
  expect(summary.failed).toBe(0);
  expect(summary.requests).toBe(seen);
  expect(summary.byVersion).toEqual({ v2: seen });
  expect(seen).toBeGreaterThan(20);
  server.close();
});
