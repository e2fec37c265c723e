import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "./version.ts";

test("is the version of package.json", () => {
  const file = path.resolve(import.meta.dirname, "../../package.json");
  expect((JSON.parse(readFileSync(file, "utf8")) as { version: string }).version).toBe(VERSION);
});
