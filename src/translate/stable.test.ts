import { expect, test } from "vitest";
import { createLineage } from "./stable.ts";

test("equal lists and equal parts give what was made before; other keys do not", () => {
  const lineage = createLineage();
  const a = {};
  const first = lineage.list("k", [a]);
  expect(lineage.list("k", [a])).toBe(first);
  expect(lineage.list("other", [a])).not.toBe(first);
  expect(lineage.list("k", [a, a])).not.toBe(first);
  let made = 0;
  const make = (): number => (made += 1);
  expect([lineage.value("v", [a, 1], make), lineage.value("v", [a, 1], make), lineage.value("v", [a, 2], make)]).toEqual([1, 1, 2]);
});

test("when it is full, what was asked for longest ago goes first", () => {
  const lineage = createLineage(4);
  const make = (): object => ({});
  const made = ["a", "b", "c", "d"].map((key) => lineage.value(key, [], make));
  expect(lineage.value("a", [], make)).toBe(made[0]);
  lineage.value("e", [], make);
  expect(lineage.value("a", [], make)).toBe(made[0]);
  expect(lineage.value("b", [], make)).not.toBe(made[1]);
});
