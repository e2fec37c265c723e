import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTokenCheck, readToken } from "./token.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), "serin-token-"))));
afterEach(() => rmSync(folder, { recursive: true }));

test("made once, for its owner only, and kept", () => {
  const stateDir = path.join(folder, "state");
  const token = readToken({ tokenFile: undefined, stateDir });
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(statSync(path.join(stateDir, "admin-token")).mode & 0o777).toBe(0o600);
  expect(statSync(stateDir).mode & 0o777).toBe(0o700);
  expect(readToken({ tokenFile: undefined, stateDir })).toBe(token);
});

test("a given file is read, not made", () => {
  const tokenFile = path.join(folder, "token");
  expect(() => readToken({ tokenFile, stateDir: folder })).toThrow(expect.objectContaining({ code: "ADMIN_TOKEN_UNREADABLE" }));
  writeFileSync(tokenFile, "0123456789abcdef\n");
  chmodSync(tokenFile, 0o600);
  expect(readToken({ tokenFile, stateDir: folder })).toBe("0123456789abcdef");
});

test.each(["", "short", "\n"])("a weak token is refused: %j", (text) => {
  const tokenFile = path.join(folder, "token");
  writeFileSync(tokenFile, text);
  expect(() => readToken({ tokenFile, stateDir: folder })).toThrow(expect.objectContaining({ code: "ADMIN_TOKEN_WEAK" }));
});

test.each<[string | undefined, boolean]>([
  ["Bearer abc", true],
  ["Bearer abcd", false],
  ["Bearer ab", false],
  ["bearer abc", false],
  ["abc", false],
  ["", false],
  [undefined, false],
])("check %j", (header, expected) => {
  expect(createTokenCheck("abc")(header)).toBe(expected);
});
