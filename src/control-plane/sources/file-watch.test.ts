import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silentLogger, systemClock } from "../../kit/index.ts";
import { type FileWatch, type SourceFile, startFileWatch } from "./file-watch.ts";

let root: string;
let watch: FileWatch | undefined;
let seen: readonly SourceFile[];
let calls: number;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "serin-watch-"));
  calls = 0;
});
afterEach(() => {
  watch?.stop();
  watch = undefined;
  rmSync(root, { recursive: true });
});

function start(target = root): void {
  watch = startFileWatch({ root: target, clock: systemClock, logger: silentLogger, onChange: (files) => ((seen = files), (calls += 1)) });
  seen = watch.current();
}

const put = (name: string, text: string) => writeFileSync(path.join(root, name), text);
const texts = () => seen.map((file) => `${path.relative(root, file.file)}:${file.text}`);
const until = (expected: string[]) => vi.waitFor(() => expect(texts()).toEqual(expected), { timeout: 5000, interval: 5 });

test("the files at the start: YAML and JSON below the folder, hidden ones left out", () => {
  mkdirSync(path.join(root, "sub"));
  mkdirSync(path.join(root, ".git"));
  put("b.yaml", "b");
  put("sub/a.yml", "a");
  put("c.json", "c");
  put("d.txt", "d");
  put(".git/e.yaml", "e");
  start();
  expect(texts()).toEqual(["b.yaml:b", "c.json:c", "sub/a.yml:a"]);
});

test("changed, added, in a new folder, renamed, removed", async () => {
  put("a.yaml", "1");
  start();
  put("a.yaml", "2");
  await until(["a.yaml:2"]);
  put("b.yaml", "1");
  await until(["a.yaml:2", "b.yaml:1"]);
  mkdirSync(path.join(root, "sub"));
  put("sub/c.yaml", "1");
  await until(["a.yaml:2", "b.yaml:1", "sub/c.yaml:1"]);
  renameSync(path.join(root, "b.yaml"), path.join(root, "a.yaml"));
  await until(["a.yaml:1", "sub/c.yaml:1"]);
  rmSync(path.join(root, "sub"), { recursive: true });
  await until(["a.yaml:1"]);
});

test("a file that is emptied and then filled is never seen empty", async () => {
  put("a.yaml", "1");
  start();
  const all: string[][] = [];
  put("a.yaml", "");
  setTimeout(() => put("a.yaml", "2"), 40);
  await vi.waitFor(() => (all.push(texts()), expect(texts()).toEqual(["a.yaml:2"])), { timeout: 5000, interval: 5 });
  expect(all).not.toContainEqual(["a.yaml:"]);
});

test("a file that stays empty is empty", async () => {
  put("a.yaml", "1");
  start();
  put("a.yaml", "");
  await until(["a.yaml:"]);
});

test("a swapped symlink, as a ConfigMap mount changes", async () => {
  mkdirSync(path.join(root, ".v1"));
  mkdirSync(path.join(root, ".v2"));
  put(".v1/a.yaml", "1");
  put(".v2/a.yaml", "2");
  symlinkSync(".v1", path.join(root, "..data"));
  symlinkSync("..data/a.yaml", path.join(root, "a.yaml"));
  start();
  expect(texts()).toEqual(["a.yaml:1"]);
  symlinkSync(".v2", path.join(root, "..next"));
  renameSync(path.join(root, "..next"), path.join(root, "..data"));
  await until(["a.yaml:2"]);
});

test("one file alone", async () => {
  put("a.yaml", "1");
  start(path.join(root, "a.yaml"));
  put("a.yaml", "2");
  await until(["a.yaml:2"]);
});

test("nothing is told while nothing changes", async () => {
  put("a.yaml", "1");
  start();
  put("a.yaml", "1");
  put("b.yaml", "1");
  await until(["a.yaml:1", "b.yaml:1"]);
  expect(calls).toBe(1);
});

test("a folder that is not there is refused", () => {
  expect(() => start(path.join(root, "none"))).toThrow(expect.objectContaining({ code: "CONFIG_UNREADABLE" }));
});

test("a kustomization.yaml says which files count, and is followed itself", async () => {
  put("a.yaml", "1");
  put("b.yaml", "1");
  put("kustomization.yaml", "resources: [b.yaml]");
  start();
  expect(texts()).toEqual(["b.yaml:1"]);
  put("kustomization.yaml", "resources: [a.yaml, b.yaml]");
  await until(["a.yaml:1", "b.yaml:1"]);
  put("kustomization.yaml", "patches: []");
  put("a.yaml", "2");
  put("kustomization.yaml", "resources: [a.yaml]");
  await until(["a.yaml:2"]);
});

test("a kustomization that asks for more is refused", () => {
  put("kustomization.yaml", "resources: []\nnamePrefix: x-");
  expect(() => start()).toThrow(/namePrefix is not supported/);
});
