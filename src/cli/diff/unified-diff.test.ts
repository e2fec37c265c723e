import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toUnifiedDiff } from "./unified-diff.ts";

const diff = (before: string, after: string) => toUnifiedDiff({ before, after, from: "a", to: "b" });

test("one change with its context", () => {
  const lines = Array.from({ length: 9 }, (_, i) => `${i}`);
  const before = `${lines.join("\n")}\n`;
  expect(diff(before, before.replace("4", "four"))).toBe("--- a\n+++ b\n@@ -2,7 +2,7 @@\n 1\n 2\n 3\n-4\n+four\n 5\n 6\n 7\n");
});

test.each([
  ["equal", "a\n", "a\n", ""],
  ["from nothing", "", "a\nb\n", "--- a\n+++ b\n@@ -0,0 +1,2 @@\n+a\n+b\n"],
  ["to nothing", "a\n", "", "--- a\n+++ b\n@@ -1 +0,0 @@\n-a\n"],
])("%s", (_name, before, after, expected) => {
  expect(diff(before, after)).toBe(expected);
});

const hasPatch = spawnSync("patch", ["--version"]).status === 0;
test.skipIf(!hasPatch)("patch(1) turns the one into the other", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "serin-diff-"));
  const file = path.join(folder, "f");
  const text = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 14 }).map((lines) => `${lines.join("\n")}\n`);
  try {
    fc.assert(
      fc.property(text, text, (before, after) => {
        writeFileSync(file, before);
        const patched = spawnSync("patch", ["-s", "-o", "-", file], { input: diff(before, after) });
        return before === after || patched.stdout.toString() === after;
      }),
      { numRuns: 40, seed: 1 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
