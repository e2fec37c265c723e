// Our schemas know every field of the published ones, and no other: compared with the types generated from Istio's CRDs.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { findKind } from "../kinds.ts";
import type { Schema } from "../schema/schema.ts";

const ROOT = path.resolve(import.meta.dirname, "../../../node_modules/@kubernetes-models/istio");

/** Fields of Istio's API newer than the published types, by what their path ends with or passes through. */
const NEWER = [
  /\.tls\.insecureSkipVerify$/,
  /\.zoneAwareLbSetting\b/,
  /\.http2KeepAlive\b/,
  /\.outlierDetectionHttpErrorCodes$/,
  /\.retryBudget\.budgetInterval$/,
  /\.redirect\.prefixRewrite$/,
  /\.source\.(?:notT|t)rustDomains$/,
  /\.tracing\[\]\.disableContextPropagation$/,
];

/** Reads the type after `"spec"?:` into field paths; unions and intersections are taken together. */
function publishedFields(text: string): Set<string> {
  const tokens = text.replaceAll(/\/\*[\s\S]*?\*\//g, "").match(/"(?:[^"\\]|\\.)*"|\w+|[{}<>()[\]|&?:;,]/g) ?? [];
  const found = new Set<string>();
  let at = tokens.findIndex((token, index) => token === '"spec"' && /[?:]/.test(tokens[index + 1] ?? ""));
  while (tokens[at] !== ":") at++;
  at++;
  readType("spec");
  return found;

  function readType(base: string): void {
    for (;;) {
      readPart(base);
      if (tokens[at] !== "|" && tokens[at] !== "&") return;
      at++;
    }
  }

  function readPart(base: string): void {
    const token = tokens[at++];
    if (token === "{") readFields(base);
    else if (token === "(") {
      readType(base);
      at++;
    } else if (token === "Array" && tokens[at] === "<") readArguments(`${base}[]`);
    else if (token === "Exclude" && tokens[at] === "<") readArguments(base);
    while (tokens[at] === "[" && tokens[at + 1] === "]") at += 2;
  }

  function readArguments(base: string): void {
    do {
      at++;
      readType(base);
    } while (tokens[at] === ",");
    at++;
  }

  function readFields(base: string): void {
    while (tokens[at] !== "}") {
      let name = tokens[at++] ?? "";
      if (name === "[") {
        while (tokens[at] !== "]") at++;
        at++;
        name = "{}";
      }
      const field = name === "{}" ? `${base}{}` : `${base}.${name.replaceAll('"', "")}`;
      found.add(field);
      while (tokens[at] !== ":") at++;
      at++;
      readType(field);
      if (tokens[at] === ";") at++;
    }
    at++;
  }
}

function ourFields(schema: Schema, base: string, found = new Set<string>()): Set<string> {
  if (schema.type === "object") {
    for (const [name, field] of Object.entries(schema.fields)) {
      found.add(`${base}.${name}`);
      ourFields(field, `${base}.${name}`, found);
    }
  } else if (schema.type === "array") ourFields(schema.item, `${base}[]`, found);
  else if (schema.type === "map") {
    found.add(`${base}{}`);
    ourFields(schema.value, `${base}{}`, found);
  }
  return found;
}

const files = readdirSync(ROOT, { withFileTypes: true })
  .filter((group) => group.isDirectory() && group.name.endsWith(".istio.io") && group.name !== "install.istio.io")
  .flatMap((group) =>
    readdirSync(path.join(ROOT, group.name), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".d.ts") && !file.endsWith("index.d.ts"))
      .map((file) => ({
        group: group.name,
        version: path.dirname(file),
        kind: path.basename(file, ".d.ts"),
        file: path.join(ROOT, group.name, file),
      })),
  );

test("the published types are there", () => {
  expect(files.length).toBeGreaterThanOrEqual(30);
});

test.each(files)("$group/$version $kind", ({ group, version, kind, file }) => {
  const row = findKind(`${group}/${version}`, kind);
  if (row === undefined) throw new Error(`${kind} is not in the table of kinds`);
  const published = publishedFields(readFileSync(file, "utf8"));
  const ours = ourFields(row.schema, "spec");
  const open = [...ours].filter((field) => published.has(`${field}{}`));
  const missing = [...published].filter((field) => !ours.has(field) && !open.some((base) => field === `${base}{}`));
  const surplus = [...ours].filter((field) => !published.has(field) && !NEWER.some((newer) => newer.test(field)));
  expect({ missing, surplus }).toEqual({ missing: [], surplus: [] });
});
