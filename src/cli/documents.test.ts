import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readDocuments } from "./documents.ts";

let dir = "";
beforeEach(() => (dir = mkdtempSync(path.join(os.tmpdir(), "serin-docs-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function write(file: string, text = file): void {
  mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
  writeFileSync(path.join(dir, file), text);
}

const read = (...paths: string[]): string[] =>
  readDocuments(
    paths.map((p) => (p === "-" ? p : path.join(dir, p))),
    () => "piped",
  ).map((one) => one.text);

test("files, folders in order of names, stdin; no file twice", () => {
  for (const file of ["b.yaml", "a.yml", "sub/c.json", "notes.txt", ".git/x.yaml", "node_modules/y.yaml", "serin-images.yaml"]) write(file);
  expect(read("sub/c.json", "-", "")).toEqual(["sub/c.json", "piped", "a.yml", "b.yaml"]);
});

test("a folder with a kustomization means its resources, in their order", () => {
  for (const file of ["b.yaml", "a.yaml", "other.yaml", "base/x.yaml"]) write(file);
  write("kustomization.yaml", "resources: [b.yaml, a.yaml, base]\n");
  expect(read("")).toEqual(["b.yaml", "a.yaml", "base/x.yaml"]);
});

test.each([
  ["resources: [a.yaml]\npatches: []\n", "KUSTOMIZATION_INVALID"],
  ["resources: a.yaml\n", "KUSTOMIZATION_INVALID"],
  ["resources: [.]\n", "KUSTOMIZATION_INVALID"],
  ["resources: [none.yaml]\n", "PATH_NOT_FOUND"],
])("kustomization %j is refused", (text, code) => {
  write("a.yaml");
  write("kustomization.yaml", text);
  expect(() => read("")).toThrow(expect.objectContaining({ code }));
});

test("what is not there is an error, not nothing", () => {
  mkdirSync(path.join(dir, "empty"));
  expect(() => read("none")).toThrow(expect.objectContaining({ code: "PATH_NOT_FOUND" }));
  expect(() => read("empty")).toThrow(expect.objectContaining({ code: "PATH_EMPTY" }));
});
