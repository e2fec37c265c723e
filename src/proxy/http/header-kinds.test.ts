import { expect, test } from "vitest";
import { H_JOINED, JOINED_NAMES, joinedBit, requestKind } from "./header-kinds.ts";

test("every joined name that has no kind of its own has a bit of its own", () => {
  const kinds = [...JOINED_NAMES].map(requestKind).filter((kind) => kind >= H_JOINED);
  expect(kinds.length).toBeGreaterThan(20);
  expect(new Set(kinds.map(joinedBit)).size).toBe(kinds.length);
});
