// Random configs, delays, refusals and reconnects against a client that behaves as Envoy does: it is never sent a route to a cluster that is
// not ready, and it ends with exactly the last config.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { XdsResources } from "../kit/index.ts";
import { acceptDeltaRequest } from "./accept-request.ts";
import { type AdsStream, createAdsStream } from "./ads-stream.ts";
import { createSetDeriver } from "./set-diff.ts";
import { createSharedResponses } from "./shared-responses.ts";
import { createSubscriptions } from "./subscription.ts";
import { createManualClock } from "../kit/testing/manual-clock.ts";
import { createModelEnvoy } from "./testing/model-envoy.ts";
import { type Plan, planned } from "./testing/resources.ts";

interface Config {
  readonly plan: Plan;
  readonly spare: readonly string[];
  readonly changed: readonly string[];
  readonly salt: string;
}

type Step =
  | { readonly do: "set"; readonly config: Config }
  | { readonly do: "client" | "server" | "both"; readonly times: number }
  | { readonly do: "quiet" }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "reconnect" };

const cluster = fc.constantFrom("c0", "c1", "c2", "c3", "c4");
const host = fc.constantFrom("r0/a", "r0/b", "r1/a", "r1/b", "r2/a");
const config: fc.Arbitrary<Config> = fc.record({
  plan: fc.dictionary(host, fc.uniqueArray(cluster, { maxLength: 3 }), { maxKeys: 5 }),
  spare: fc.uniqueArray(cluster, { maxLength: 2 }),
  changed: fc.uniqueArray(cluster, { maxLength: 2 }),
  salt: fc.constantFrom("", "1", "2"),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("set" as const), config }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom("client" as const, "server" as const, "both" as const),
      times: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: "quiet" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(10, 400, 1500) }) },
  { weight: 1, arbitrary: fc.constant({ do: "reconnect" as const }) },
);

function play(steps: readonly Step[], options: { readonly refuses: (text: string) => boolean }) {
  const clock = createManualClock();
  const shared = { responses: createSharedResponses(), subscriptions: createSubscriptions(), sets: createSetDeriver() };
  const client = createModelEnvoy(options);
  let target: XdsResources | undefined;
  let revision = 0;
  let stream = open();

  function open(unfinished?: ReadonlySet<string>): AdsStream {
    return createAdsStream({ protocol: "delta", clock, shared, send: (bytes) => client.receive(bytes), onAnswer() {}, unfinished });
  }
  function toServer(): boolean {
    const request = client.outbox.shift();
    if (request !== undefined) acceptDeltaRequest(stream, request);
    return request !== undefined;
  }
  function quiet(): void {
    for (let i = 0; i < 5; i++) {
      for (let n = 0; client.pending() > 0 || client.outbox.length > 0; n++) {
        if (n > 5000) throw new Error("the stream does not come to rest");
        client.step();
        toServer();
      }
      clock.advance(1500);
    }
  }
  function set(next: Config): void {
    target = planned(next.plan, { clusters: next.spare, changed: next.changed, salt: next.salt });
    stream.set(target, ++revision);
  }

  set({ plan: {}, spare: [], changed: [], salt: "" });
  for (const one of steps) {
    if (one.do === "set") set(one.config);
    else if (one.do === "quiet") quiet();
    else if (one.do === "wait") {
      // What a client has sent arrives within the second that it is given to ask for what it needs.
      if (one.ms >= 400) while (toServer());
      clock.advance(one.ms);
    } else if (one.do === "reconnect") {
      // What was on its way is lost on both sides.
      stream.close();
      client.reconnect();
      stream = open(stream.unfinished());
      if (target !== undefined) stream.set(target, revision);
      // A client asks for all its types at once, and may be slow only after that.
      while (toServer());
    } else
      for (let i = 0; i < one.times; i++) {
        if (one.do !== "server") client.step();
        if (one.do !== "client") toServer();
      }
  }
  return { client, quiet, set, stream: () => stream, target: () => target, revision: () => revision };
}

const RUNS = Number(process.env["SERIN_PROPERTY_RUNS"] ?? 300);

describe("make before break", () => {
  test.each([
    { name: "no refusals", refuses: () => false },
    { name: "every changed cluster is refused", refuses: (text: string) => text === "changed" },
    { name: "every host with c4 is refused", refuses: (text: string) => text.split(",").includes("c4") },
  ])("$name", ({ refuses }) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), config, (steps, last) => {
        const game = play(steps, { refuses });
        const plan = Object.fromEntries(Object.entries(last.plan).map(([name, to]) => [name, to.filter((one) => one !== "c4")]));
        game.set({ ...last, plan, changed: [] });
        game.quiet();
        const { client } = game;
        expect(client.violations).toEqual([]);
        for (const [typeUrl, set] of game.target()?.byType ?? []) {
          expect({ typeUrl, names: client.names(typeUrl) }).toEqual({ typeUrl, names: [...set.keys()].sort() });
          for (const [name, { version }] of set) expect([name, client.versionOf(typeUrl, name)]).toEqual([name, version]);
        }
        expect(client.warming()).toEqual([]);
        expect(game.stream().ackedRevision()).toBe(game.revision());
        expect(
          game
            .stream()
            .types()
            .filter((type) => type.sent !== type.acked || type.nack !== undefined),
        ).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  test("nothing is sent twice: the same config again, and a reconnect with all of it", () => {
    fc.assert(
      fc.property(config, (only) => {
        const once = play([{ do: "set", config: only }, { do: "quiet" }], { refuses: () => false });
        const steps: Step[] = [
          { do: "set", config: only },
          { do: "quiet" },
          { do: "set", config: only },
          { do: "reconnect" },
          { do: "quiet" },
        ];
        const game = play(steps, { refuses: () => false });
        expect(game.client.received).toEqual(once.client.received);
        expect(game.stream().ackedRevision()).toBe(game.revision());
      }),
      { numRuns: 50 },
    );
  });
});
