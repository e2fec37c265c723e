import { expect, test } from "vitest";
import { H_JOINED, JOINED_NAMES, joinedBit, requestKind } from "./header-kinds.ts";

test("every joined name that has no kind of its own has a bit of its own, in any case", () => {
  const names = [...JOINED_NAMES].filter((name) => requestKind(name, 0, name.length) >= H_JOINED);
  const bits = (all: readonly string[]): number[] => all.map((name) => joinedBit(requestKind(name, 0, name.length)));
  expect(names.length).toBeGreaterThan(20);
  expect(new Set(bits(names)).size).toBe(names.length);
  expect(bits(names.map((name) => name.toUpperCase()))).toEqual(bits(names));
});
