import { expect, test } from "vitest";
import { H_JOINED, JOINED_NAMES, joinedBit, requestKind } from "./header-kinds.ts";

test("every joined name that has no kind of its own has a bit of its own, in any case", () => {
  const names = [...JOINED_NAMES].filter((name) => requestKind(name, 0, name.length) === H_JOINED);
  expect(new Set(names.map((name) => joinedBit(name.length, name.charCodeAt(0)))).size).toBe(names.length);
  for (const name of names) {
    const upper = name.toUpperCase();
    expect(requestKind(upper, 0, upper.length)).toBe(H_JOINED);
    expect(joinedBit(upper.length, upper.charCodeAt(0))).toBe(joinedBit(name.length, name.charCodeAt(0)));
  }
});
