// What a stream does when this process was held up.
import { expect, test } from "vitest";
import { TYPE_URL } from "../kit/index.ts";
import { createManualClock } from "../kit/testing/manual-clock.ts";
import { acceptDeltaRequest } from "./accept-request.ts";
import { createAdsStream } from "./ads-stream.ts";
import { createSetDeriver } from "./set-diff.ts";
import { createSharedResponses } from "./shared-responses.ts";
import { createSubscriptions } from "./subscription.ts";
import { createModelEnvoy } from "./testing/model-envoy.ts";
import { planned } from "./testing/resources.ts";

test("a pause of this process is not the client's: what it sent meanwhile is read before a route goes without endpoints", () => {
  const time = createManualClock();
  let timers: (() => void)[] = [];
  /** Timers run when they are told to, as late as they may be, and one that is set meanwhile waits for the next turn. */
  const clock = {
    ...time,
    after(_ms: number, fn: () => void) {
      timers.push(fn);
      return () => void (timers = timers.filter((other) => other !== fn));
    },
  };
  const runDue = (): void => {
    const due = timers;
    timers = [];
    for (const fn of due) fn();
  };
  const client = createModelEnvoy({ refuses: () => false });
  const shared = { responses: createSharedResponses(), subscriptions: createSubscriptions(), sets: createSetDeriver() };
  const stream = createAdsStream({ protocol: "delta", clock, shared, send: (bytes) => client.receive(bytes), onAnswer() {} });
  const toServer = (): boolean => {
    const request = client.outbox.shift();
    if (request !== undefined) acceptDeltaRequest(stream, request);
    return request !== undefined;
  };
  const quiet = (): void => {
    for (let turn = 0; turn < 8; turn++) {
      for (; client.pending() > 0 || client.outbox.length > 0; toServer()) client.step();
      runDue();
    }
  };
  stream.set(planned({ "r0/a": [] }), 1);
  quiet();
  stream.set(planned({ "r0/a": ["c0"] }), 2);
  client.step();
  // The cluster's acknowledgement is read, the request for its endpoints waits in the socket.
  expect(client.outbox.map(({ typeUrl }) => typeUrl)).toEqual([TYPE_URL.cluster, TYPE_URL.endpoint]);
  toServer();
  runDue();
  quiet();
  expect(client.violations).toEqual([]);
  expect(client.versionOf(TYPE_URL.virtualHost, "r0/a")).toBe(
    planned({ "r0/a": ["c0"] })
      .byType.get(TYPE_URL.virtualHost)
      ?.get("r0/a")?.version,
  );
});
