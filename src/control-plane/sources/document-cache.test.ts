import { expect, test } from "vitest";
import { parseSources } from "../../resources/index.ts";
import { createDocumentCache } from "./document-cache.ts";

const service = (name: string, port: number | string = 80): string => `apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec:
  # ${"x".repeat(200)}
  ports:
  - port: ${port}
`;

function many(changed: Readonly<Record<number, number | string>> = {}): string {
  return Array.from({ length: 100 }, (_, i) => service(`s${i}`, changed[i])).join("---\n");
}

test("only new documents are parsed; the result is that of the whole text", () => {
  let parsed = 0;
  const cache = createDocumentCache((file) => ((parsed += 1), parseSources([file])));
  const seen = (text: string) => {
    const { resources, issues } = cache({ file: "a.yaml", text });
    return { resources: resources.map((r) => [r.metadata.name, r.spec, r.locate("spec.ports[0].port")]), issues };
  };
  const whole = (text: string) => {
    const { resources, issues } = parseSources([{ file: "a.yaml", text }]);
    return { resources: resources.map((r) => [r.metadata.name, r.spec, r.locate("spec.ports[0].port")]), issues };
  };
  expect(seen(many())).toEqual(whole(many()));
  expect(parsed).toBe(100);
  expect(seen(many({ 50: 81 }))).toEqual(whole(many({ 50: 81 })));
  expect(parsed).toBe(101);
  const broken = `\n\n${many({ 7: "no" })}`;
  expect(seen(broken)).toEqual(whole(broken));
  expect(seen(broken).issues).not.toEqual([]);
  // Number 50 as it was, number 7, and the first one, which has two more lines.
  expect(parsed).toBe(104);
});

test("small files and JSON are left to the parser", () => {
  const texts: string[] = [];
  const cache = createDocumentCache((file) => (texts.push(file.text), { resources: [], issues: [] }));
  cache({ file: "a.yaml", text: "a\n---\nb" });
  cache({ file: "a.json", text: " ".repeat(20_000) });
  expect(texts.map((text) => text.length)).toEqual([7, 20_000]);
});
