// Parses a file of many documents by document, and only those whose text is new: one changed weight in a file of a thousand services
// costs one document. Issues and places are told relative to the file.
import type { Issue } from "../../kit/index.ts";
import type { Position, Resource } from "../../resources/index.ts";
import type { Parsed } from "./file-source.ts";
import type { SourceFile } from "./file-watch.ts";

/** Below this it does not pay. */
const SPLIT_FROM = 16 * 1024;

interface Chunk {
  readonly text: string;
  readonly linesBefore: number;
}

export function createDocumentCache(parse: (file: SourceFile) => Parsed): (file: SourceFile) => Parsed {
  let known = new Map<string, ReadonlyMap<string, Parsed>>();
  return (file) => {
    if (file.text.length < SPLIT_FROM || file.file.endsWith(".json")) return parse(file);
    const before = known.get(file.file);
    const now = new Map<string, Parsed>();
    const resources: Resource[] = [];
    const issues: Issue[] = [];
    for (const { text, linesBefore } of splitChunks(file.text)) {
      const parsed = now.get(text) ?? before?.get(text) ?? parse({ file: file.file, text });
      now.set(text, parsed);
      for (const resource of parsed.resources) resources.push(linesBefore === 0 ? resource : shiftResource(resource, linesBefore));
      for (const issue of parsed.issues) issues.push(shift(issue, linesBefore));
    }
    known = new Map(known).set(file.file, now);
    return { resources, issues };
  };
}

/** A line that begins with `---` is a document marker wherever it stands (YAML 1.2, 9.1.2); a text with directives is left whole. */
function splitChunks(text: string): Chunk[] {
  if (/^%/m.test(text)) return [{ text, linesBefore: 0 }];
  const chunks: Chunk[] = [];
  let from = 0;
  let lines = 0;
  for (const match of text.matchAll(/^---(?=\s|$)/gm)) {
    if (match.index === from) continue;
    const chunk = text.slice(from, match.index);
    chunks.push({ text: chunk, linesBefore: lines });
    lines += chunk.split("\n").length - 1;
    from = match.index;
  }
  chunks.push({ text: text.slice(from), linesBefore: lines });
  return chunks;
}

function shift<T extends Position>(place: T, lines: number): T {
  return lines === 0 || place.line === 0 ? place : { ...place, line: place.line + lines };
}

function shiftResource(resource: Resource, lines: number): Resource {
  return { ...resource, locate: (path) => shift(resource.locate(path), lines) };
}
