import { expect, test } from "vitest";
import { seededRng, SerinError } from "../kit/index.ts";
import type { AdminClient } from "./client.ts";
import type { StoredResource, WatchEvent } from "./contract.ts";
import { startWatch } from "./watch.ts";

function object(name: string): StoredResource {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default", creationTimestamp: "", uid: "", resourceVersion: "1", generation: 1 },
  };
}

test("lists, follows, goes on from the last version, and lists again when that is gone", async () => {
  const log: string[] = [];
  const turns: ((since: string) => WatchEvent[])[] = [
    () => [{ type: "ADDED", resourceVersion: "6", object: object("a") }],
    () => [{ type: "BOOKMARK", resourceVersion: "9", object: undefined }],
    () => {
      throw new SerinError("STORE_COMPACTED", "gone");
    },
    () => [{ type: "DELETED", resourceVersion: "7", object: object("b") }],
  ];
  const finished = Promise.withResolvers<void>();
  const client = {
    list: () => {
      log.push("list");
      return Promise.resolve({ resourceVersion: "5", items: [] });
    },
    async *watch({ since }: { since: string }) {
      log.push(`watch ${since}`);
      const turn = turns.shift();
      if (turn === undefined) return finished.resolve();
      yield* await Promise.resolve(turn(since));
    },
  } as unknown as AdminClient;
  const watch = startWatch({
    client,
    rng: seededRng(1),
    handlers: {
      onList: () => log.push("listed"),
      onEvent: (event) => log.push(`${event.type} ${event.object.metadata.name}`),
      onError: (error) => log.push(error.code),
    },
  });
  await finished.promise;
  watch.stop();
  expect(log).toEqual([
    "list",
    "listed",
    "watch 5",
    "ADDED a",
    "watch 6",
    "watch 9",
    "STORE_COMPACTED",
    "list",
    "listed",
    "watch 5",
    "DELETED b",
    "watch 7",
  ]);
});
