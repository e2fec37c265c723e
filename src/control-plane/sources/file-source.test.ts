import { describe, expect, test } from "vitest";
import { systemClock } from "../../kit/index.ts";
import type { Resource } from "../../resources/index.ts";
import { applyDocuments } from "../apply.ts";
import { openStore } from "../store/store.ts";
import { parseJsonLines } from "../testing/json-parser.ts";
import { createFileSource } from "./file-source.ts";
import type { SourceFile } from "./file-watch.ts";
import { createMeshResources } from "./mesh-resources.ts";

function setUp() {
  const store = openStore({ file: ":memory:", clock: systemClock });
  let changes = 0;
  const mesh = createMeshResources({
    store,
    parse: (object) =>
      ({
        ...parseJsonLines("store", "").resources[0],
        apiVersion: object.apiVersion,
        kind: object.kind,
        metadata: object.metadata,
        spec: object.spec ?? object.data,
        locate: () => ({ file: "store", line: 1, column: 1 }),
      }) as unknown as Resource,
    onChange: () => (changes += 1),
  });
  const source = createFileSource({ store, parse: (file) => parseJsonLines(file.file, file.text), onParsed: mesh.locate });
  const files: Record<string, SourceFile> = {};
  return {
    store,
    source,
    mesh,
    changes: () => changes,
    /** Undefined takes the file away. */
    write(file: string, text: string | undefined) {
      if (text === undefined) delete files[file];
      else files[file] = { file, text };
      source.follow(
        Object.keys(files)
          .sort()
          .map((name) => files[name]!),
      );
    },
    names: () =>
      store
        .list()
        .map((object) => `${object.metadata.name}=${JSON.stringify(object.spec)}`)
        .sort(),
  };
}

const doc = (name: string, n: number, extra: object = {}): string =>
  JSON.stringify({ kind: "VirtualService", name, spec: { n }, ...extra });

describe("follow", () => {
  test("added, changed, removed; the same text again writes nothing", () => {
    const { write, names, store } = setUp();
    write("a", `${doc("x", 1)}\n${doc("y", 1)}`);
    write("b", doc("z", 1));
    expect(names()).toEqual(['x={"n":1}', 'y={"n":1}', 'z={"n":1}']);
    const revision = store.revision();
    write("b", `${doc("z", 1)}\n\n`);
    expect(store.revision()).toBe(revision);
    write("a", doc("x", 2));
    write("b", undefined);
    expect(names()).toEqual(['x={"n":2}']);
  });

  test("a document with an error keeps its last good version; the others go on", () => {
    const { write, names, source } = setUp();
    write("a", `${doc("x", 1)}\n${doc("y", 1)}`);
    write("a", `${doc("x", 2, { broken: true })}\n${doc("y", 2)}`);
    expect(names()).toEqual(['x={"n":1}', 'y={"n":2}']);
    expect(source.issues()).toMatchObject([{ message: "broken", file: "a", line: 1 }]);
    write("a", `${doc("x", 3)}\n${doc("y", 2)}`);
    expect(names()).toEqual(['x={"n":3}', 'y={"n":2}']);
    expect(source.issues()).toEqual([]);
  });

  test("a text that cannot be read at all keeps everything of its file, and of no other", () => {
    const { write, names } = setUp();
    write("a", `${doc("x", 1)}\n${doc("y", 1)}`);
    write("b", doc("z", 1));
    write("a", "{{{");
    write("b", "");
    expect(names()).toEqual(['x={"n":1}', 'y={"n":1}']);
  });

  test("one name in two files: the first has it, and it is said", () => {
    const { write, names, source } = setUp();
    write("b", doc("x", 2));
    write("a", doc("x", 1));
    expect(names()).toEqual(['x={"n":1}']);
    expect(source.issues()).toMatchObject([{ code: "SERIN0107", file: "b" }]);
    write("a", undefined);
    expect(names()).toEqual(['x={"n":2}']);
  });

  test("what the API applied is not touched; what files own the API does not touch", () => {
    const { write, names, store } = setUp();
    const apply = (text: string) =>
      applyDocuments(
        { documents: [{ file: "api", text }] },
        { store, parse: ([document]) => parseJsonLines("api", document?.text ?? ""), onParsed() {}, meshIssues: () => [] },
      );
    expect(apply(doc("mine", 1)).results).toMatchObject([{ action: "created" }]);
    write("a", doc("x", 1));
    expect(apply(doc("x", 9))).toMatchObject({ results: [{ action: "refused" }], issues: [{ code: "SERIN0302" }] });
    write("a", undefined);
    expect(names()).toEqual(['mine={"n":1}']);
  });
});

describe("the mesh's resources", () => {
  test("keep their identity over a status, lose it with the spec, and know where they stand now", () => {
    const { write, store, mesh, changes } = setUp();
    write("a", doc("x", 1));
    const [before] = mesh.all();
    const counted = changes();
    store.putStatus({ kind: "VirtualService", namespace: "default", name: "x" }, { seen: true });
    expect(mesh.all()[0]).toBe(before);
    expect(changes()).toBe(counted);
    write("a", `\n\n${doc("x", 1)}`);
    expect(mesh.all()[0]).toBe(before);
    expect(before?.locate("")).toMatchObject({ file: "a", line: 3 });
    write("a", doc("x", 2));
    expect(mesh.all()[0]).not.toBe(before);
    write("a", undefined);
    expect(mesh.all()).toEqual([]);
  });
});

describe("apply", () => {
  const setUpApply = () => {
    const store = openStore({ file: ":memory:", clock: systemClock });
    const apply = (text: string, dryRun = false) =>
      applyDocuments(
        { documents: [{ file: "f", text }], dryRun },
        { store, parse: ([document]) => parseJsonLines("f", document?.text ?? ""), onParsed() {}, meshIssues: () => [] },
      );
    return { store, apply };
  };

  test("all or nothing", () => {
    const { store, apply } = setUpApply();
    const answer = apply(`${doc("x", 1)}\n${doc("y", 1, { broken: true })}`);
    expect(answer.results.map((result) => `${result.key.name} ${result.action}`)).toEqual(["x refused", "y refused"]);
    expect(store.list()).toEqual([]);
  });

  test("a dry run writes nothing and tells what would be", () => {
    const { store, apply } = setUpApply();
    apply(doc("x", 1));
    expect(apply(`${doc("x", 2)}\n${doc("y", 1)}`, true).results.map((result) => result.action)).toEqual(["configured", "created"]);
    expect(store.revision()).toBe(1);
  });

  test("a version in the document is a condition", () => {
    const { apply } = setUpApply();
    apply(doc("x", 1));
    expect(() => apply(doc("x", 2, { resourceVersion: "9" }))).toThrow(expect.objectContaining({ code: "STORE_CONFLICT" }));
    expect(apply(doc("x", 2, { resourceVersion: "1" })).results).toMatchObject([{ action: "configured" }]);
  });

  test("a Service gets a ClusterIP and keeps it", () => {
    const { store, apply } = setUpApply();
    const service = (ports: number[]) => JSON.stringify({ kind: "Service", name: "s", spec: { ports } });
    apply(service([80]));
    const ip = (store.list()[0]?.spec as { clusterIP: string }).clusterIP;
    expect(ip).toMatch(/^10\.96\./);
    apply(service([80, 81]));
    expect(store.list()[0]).toMatchObject({ spec: { clusterIP: ip, ports: [80, 81] }, metadata: { generation: 2 } });
    expect(apply(service([80, 81])).results).toMatchObject([{ action: "unchanged" }]);
  });
});
